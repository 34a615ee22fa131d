"""Protects `chot pass`: what it makes, how it ends, and that secrets and names stay private."""

from __future__ import annotations

import csv
import json
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from admission.credential import PassKind
from admission.credentials.chot_pass import parse, read_unverified
from admission.errors import ChotError
from admission.identity import Identifier, IdentifierKind, person_keyer
from hub.errors import KeyFileError, PassError
from hub.passes.cli import passes
from hub.passes.key_files import load_issuers, load_issuing_key
from tests.hub.passes import paper

HASH_KEY = bytes(range(32))


class Office:
    """A folder with a key, a list of issuers and a hash key, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "permits.key"
        self.issuers = folder / "permits.key.issuers"
        self.hash_key = folder / "hash.key"

    def found(self) -> None:
        self.folder.mkdir()
        self.hash_key.touch(mode=0o600)
        self.hash_key.write_text(HASH_KEY.hex())
        self.succeed("key", "--out", self.key, "--name", "Sở Y tế")

    def run(self, *arguments: object, stdin: str | None = None) -> Result:
        return CliRunner().invoke(passes, [str(argument) for argument in arguments], input=stdin)

    def succeed(self, *arguments: object, stdin: str | None = None) -> Result:
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, (result.output, result.exception)
        return result

    def refuse(self, *arguments: object, stdin: str | None = None) -> ChotError:
        result = self.run(*arguments, stdin=stdin)
        assert isinstance(result.exception, ChotError), result.output
        return result.exception

    def issue(self, *arguments: object) -> str:
        result = self.succeed("issue", "--key", self.key, "--kind", "permit", *arguments)
        return result.stdout.strip()

    def verify(self, text: str) -> Result:
        return self.run("verify", "-", "--issuers", self.issuers, stdin=text + "\n")

    def card(self, *arguments: object, stdin: str | None = None) -> Result:
        return self.run("card", *arguments, stdin=stdin)

    def table(self, *lines: str) -> Path:
        path = self.folder / "people.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offices") / "office"
    Office(folder).found()
    return folder


@pytest.fixture
def office(founded: Path, tmp_path: Path) -> Office:
    shutil.copytree(founded, tmp_path / "office")
    return Office(tmp_path / "office")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("command", ["key", "issue", "verify", "card", "poster"])
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(passes, [command, "--help"])
    assert result.exit_code == 0
    assert "--" in result.output


# ---- keys


def test_a_key_is_private_and_never_overwritten_untold(office: Office) -> None:
    before = office.key.read_bytes()
    assert (_mode(office.key), _mode(office.issuers)) == (0o600, 0o644)
    error = office.refuse("key", "--out", office.key, "--name", "X")
    assert isinstance(error, KeyFileError)
    assert "--replace" in error.hint
    assert office.key.read_bytes() == before
    assert len(load_issuers(office.issuers).issuers) == 1


def test_a_replaced_key_leaves_the_old_one_on_the_list(office: Office) -> None:
    old = office.issue()
    office.succeed("key", "--out", office.key, "--name", "X", "--replace", "--kind", "visitor")
    issuers = load_issuers(office.issuers).issuers
    assert [issuer.kinds for issuer in issuers.values()] == [
        frozenset(PassKind),
        frozenset({PassKind.VISITOR}),
    ]
    assert office.verify(old).exit_code == 0


def test_an_office_without_a_name_gets_no_key(office: Office) -> None:
    path = office.folder / "other.key"
    office.refuse("key", "--out", path, "--name", "")
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_file_that_is_no_key_signs_nothing(office: Office, content: bytes | None) -> None:
    path = office.folder / "bad.key"
    if content is not None:
        path.touch(mode=0o600)
        path.write_bytes(content)
    error = office.refuse("issue", "--key", path, "--kind", "visitor")
    assert "chot pass key" in error.hint


def test_a_key_that_others_can_read_signs_nothing(office: Office) -> None:
    office.key.chmod(0o644)
    assert "chmod 600" in office.refuse("issue", "--key", office.key, "--kind", "visitor").hint


# ---- issue and verify


def test_what_is_issued_is_verified_and_said_in_both_languages(office: Office) -> None:
    text = office.issue(
        *("--name", "Nguyễn Thị Ánh", "--born", "1987-01-18", "--place", "hospital"),
        *("--district", "760", "--site", "kho-2", "--hours", "05:00-21:00", "--days", "mon-fri"),
    )
    result = office.verify(text)
    assert result.exit_code == 0
    for said in (
        "HỢP LỆ / VALID",
        "Giấy đi đường / Movement permit",
        "Nguyễn Thị Ánh (18/01/1987)",
        "Sở Y tế",
        "bệnh viện / hospital",
        "760",
        "kho-2",
        "05:00-21:00 T2 T3 T4 T5 T6 / 05:00-21:00 Mon Tue Wed Thu Fri",
    ):
        assert said in result.output


def test_json_says_the_same_on_both_sides(office: Office) -> None:
    issued = json.loads(office.issue("--json", "--person-key", "8877665544332211"))
    arguments = ("verify", issued["text"], "--issuers", office.issuers, "--json")
    verified = json.loads(office.succeed(*arguments).output)
    assert (verified["valid"], verified["reason"], verified["issuer"]) == (True, None, "Sở Y tế")
    assert verified["person_key"] == "8877665544332211"
    assert {key: issued[key] for key in ("number", "kind", "from", "until")} == {
        key: verified[key] for key in ("number", "kind", "from", "until")
    }
    assert 7 <= issued["qr_version"] <= 10


def test_a_document_from_standard_input_becomes_the_subject(office: Office) -> None:
    result = office.succeed(
        *("issue", "--key", office.key, "--kind", "card", "--hash-key", office.hash_key),
        *("--document", "-"),
        stdin="001093029317\n",
    )
    key = person_keyer(HASH_KEY)(Identifier(IdentifierKind.DOCUMENT, "001093029317"))
    assert read_unverified(result.stdout.strip()).granted.subject == key
    assert "001093029317" not in result.output


def test_numbers_differ_from_pass_to_pass(office: Office) -> None:
    numbers = {read_unverified(office.issue()).granted.number for _ in range(3)}
    assert len(numbers) == 3


def test_a_pass_of_tomorrow_ends_with_1(office: Office) -> None:
    result = office.verify(office.issue("--from", "2100-01-01 00:00"))
    assert result.exit_code == 1
    assert "NOT VALID NOW" in result.output
    assert "chưa có hiệu lực" in result.output


def test_no_pass_counts_from_before_it_was_issued(office: Office) -> None:
    arguments = ("issue", "--key", office.key, "--kind", "permit", "--from", "2001-01-01 00:00")
    assert "order" in str(office.refuse(*arguments))


def test_an_expired_pass_ends_with_1(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    text = office.issue("--valid-for", "1m")
    later = read_unverified(text).expires_s * 10**9

    class Later:
        def now(self) -> Later:
            return self

        wall_ns = later

    monkeypatch.setattr("hub.passes.cli.HubClock", Later)
    result = office.verify(text)
    assert result.exit_code == 1
    assert "has expired" in result.output


def test_forged_foreign_and_other_texts_end_with_2(office: Office) -> None:
    text = office.issue()
    elsewhere = Office(office.folder / "elsewhere")
    elsewhere.found()
    for forged, said in (
        (text[:-3] + ("000" if not text.endswith("000") else "111"), "signature"),
        (elsewhere.issue(), "who issued"),
        ("https://example.org", "not recognised"),
        ("", "not recognised"),
    ):
        result = office.verify(forged)
        assert result.exit_code == 2
        assert said in result.output


def test_a_pass_too_long_is_refused_with_what_to_shorten(office: Office) -> None:
    sites = [word for n in range(8) for word in ("--site", f"nha-may-so-{n}")]
    error = office.refuse("issue", "--key", office.key, "--kind", "permit", *sites, "--name", "A")
    assert "too long" in str(error)
    assert "fewer sites" in error.hint


# ---- print


def test_a_card_is_printed_from_a_text(office: Office) -> None:
    text, out = office.issue("--name", "Đỗ Ánh"), office.folder / "card.png"
    result = office.card("-", "--issuers", office.issuers, "--out", out, stdin=text)
    assert result.exit_code == 0, result.output
    assert _mode(out) == 0o600
    assert paper.texts_in(paper.picture(out.read_bytes())[0]) == {text}


def test_a_table_is_issued_and_printed_and_its_bad_rows_are_named(office: Office) -> None:
    table = office.table(
        "kind,document,name,born,place",
        "permit,001093029317,Trần Văn An,1990-02-03,hospital;clinic",
        "king,,A,,",
        "",
        'visitor,,"Lê\nThị",,',
        "permit,1,B,,",
        "visitor,,中,,",
        "visitor,,C,,,",
        "visitor,,D",
        "visitor,,Đỗ Ánh,,",
    )
    out, issued = office.folder / "cards.pdf", office.folder / "issued.csv"
    result = office.card(
        *("--csv", table, "--key", office.key, "--hash-key", office.hash_key),
        *("--issued", issued, "--out", out),
    )
    assert result.exit_code == 3
    for line in (3, 5, 7, 8, 9, 10):
        assert f"line {line}: " in result.output
    assert "2 of 8 cards" in result.output
    assert "001093029317" not in result.output
    with issued.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["line"] for row in rows] == ["2", "11"]
    assert _mode(issued) == _mode(out) == 0o600
    (boxes,), (size,) = paper.page_boxes(out.read_bytes()), paper.page_sizes(out.read_bytes())
    printed = paper.texts_in(paper.drawn(boxes, size, 150))
    assert printed == {row["text"] for row in rows}
    for text in printed:
        assert parse(text, load_issuers(office.issuers)).granted is not None
    again = office.card("--csv", issued, "--issuers", office.issuers, "--out", out)
    assert again.exit_code == 0, again.output


def test_the_record_of_passes_is_never_overwritten(office: Office) -> None:
    table, issued = office.table("kind", "visitor"), office.folder / "issued.csv"
    issued.write_text("mine")
    out = office.folder / "cards.pdf"
    error = office.refuse(
        *("card", "--csv", table, "--key", office.key, "--issued", issued, "--out", out)
    )
    assert "another name" in error.hint
    assert issued.read_text() == "mine"
    assert not out.exists()


def test_a_table_without_a_good_row_prints_nothing(office: Office) -> None:
    out = office.folder / "cards.pdf"
    result = office.card("--csv", office.table("text", "CHOT1:ABC", "x"), "--out", out)
    assert result.exit_code == 1
    assert "line 2: no pass" in result.output
    assert "line 3: no pass" in result.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no header"),
        (b"name\nA\n", "names no column"),
        (b"kind,colour\nvisitor,red\n", "colour"),
        (b"kind,kind\nvisitor,card\n", "twice"),
        (b"text,name\nx,y\n", "name"),
        (b"\xff\xfek\x00", "UTF-16"),
        (None, "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_refused(office: Office, content: bytes | None, said: str) -> None:
    table = office.folder / "table.csv"
    if content is not None:
        table.write_bytes(content)
    error = office.refuse("card", "--csv", table, "--out", office.folder / "cards.pdf")
    assert isinstance(error, PassError)
    assert said in str(error)


def test_a_table_as_spreadsheets_save_it_is_read(office: Office) -> None:
    table = office.folder / "table.csv"
    table.write_bytes('\ufeffKind;Name;Place\r\nvisitor;Đỗ Ánh;"hospital;clinic"\r\n'.encode())
    issued, out = office.folder / "issued.csv", office.folder / "cards.pdf"
    result = office.card("--csv", table, "--key", office.key, "--issued", issued, "--out", out)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "arguments",
    [(), ("CHOT1:A", "--csv", "x"), ("--csv", "x", "--key", "y"), ("--csv", "x", "--issued", "y")],
)
def test_options_that_do_not_go_together_are_usage_errors(
    office: Office, arguments: tuple[str, ...]
) -> None:
    assert office.card(*arguments, "--out", office.folder / "c.pdf").exit_code == 2


def test_print_of_another_form_is_refused(office: Office) -> None:
    assert ".pdf" in str(office.refuse("card", office.issue(), "--out", office.folder / "c.doc"))


def test_cards_of_other_issuers_are_not_printed(office: Office) -> None:
    text = office.issue()
    office.succeed("key", "--out", office.folder / "other.key", "--name", "X")
    issuers = office.folder / "other.key.issuers"
    out = office.folder / "c.pdf"
    assert "nobody" in str(office.refuse("card", text, "--issuers", issuers, "--out", out))


def test_a_poster_says_site_title_and_content(office: Office) -> None:
    out = office.folder / "poster.png"
    content = "https://example.org/d/8f3k2"
    arguments = ("--content", content, "--site-name", "Chợ Bến Thành", "--dpi", "300")
    office.succeed("poster", *arguments, "--out", out)
    assert paper.texts_in(paper.picture(out.read_bytes())[0]) == {content}


def test_nothing_is_written_where_there_is_no_folder(office: Office) -> None:
    nowhere = office.folder / "missing"
    assert "folder" in office.refuse("key", "--out", nowhere / "k", "--name", "X").hint
    assert "folder" in office.refuse("card", office.issue(), "--out", nowhere / "c.pdf").hint
    assert load_issuing_key(office.key) is not None
