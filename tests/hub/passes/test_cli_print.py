"""Protects printing by `chot pass`: tables with bad rows, cards, posters, and what is refused."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest

from admission.credentials.chot_pass import parse
from hub.errors import PassError
from hub.passes.key_files import load_issuers, load_issuing_key
from tests.hub.passes import paper
from tests.hub.passes.office import Office


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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


def test_documents_without_the_hash_key_stop_the_table_before_it_begins(office: Office) -> None:
    table = office.table("kind,document", "visitor,", "permit,001093029317")
    issued, out = office.folder / "issued.csv", office.folder / "cards.pdf"
    error = office.refuse(
        *("card", "--csv", table, "--key", office.key, "--issued", issued, "--out", out)
    )
    assert "--hash-key" in error.hint
    assert not issued.exists()


def test_rows_of_a_kind_that_the_key_may_not_sign_are_left_out(office: Office) -> None:
    key = office.folder / "visits.key"
    office.succeed("key", "--out", key, "--name", "X", "--kind", "visitor")
    table = office.table("kind,name", "visitor,A", "officer,B")
    issued, out = office.folder / "issued.csv", office.folder / "cards.pdf"
    result = office.card("--csv", table, "--key", key, "--issued", issued, "--out", out)
    assert result.exit_code == 3
    assert "line 3: this key may not sign" in result.output


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
