"""Protects the commands that give gates their knowledge: from a file to what a gate looks up."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from admission.orders import Order, read_orders
from cache.replica.head import Head
from hub.errors import CellError, DocumentError, HubError, TableError
from hub.folder import DataFolder
from hub.import_cli import STATUS_PUT_ASIDE
from hub.keys import load_keys
from hub.publish import Publisher
from tests.hub.commands import run
from tests.hub.released import table_of
from tests.worlds import ROOT

KINDS = ("persons", "permits", "roster", "officers", "watch", "withdrawals")
REGISTERS = {"permits", "roster/factory-1", "officers", "watch", "credentials"}
DATASETS = REGISTERS | {"persons", "aliases"}
RULEBOOK = ROOT / "configs" / "rulebooks" / "hcmc-2021-09.json"


def succeed(*arguments: object, typed: str | bytes | None = None) -> str:
    result = run(*arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


def fail(*arguments: object, typed: str | None = None) -> HubError:
    result = run(*arguments, typed=typed)
    assert isinstance(result.exception, HubError), result.output
    return result.exception


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    succeed("init", "--data", tmp_path / "hub")
    return DataFolder(tmp_path / "hub")


def site(kind: str) -> tuple[str, ...]:
    return ("--site", "factory-1") if kind == "roster" else ()


def released(folder: DataFolder) -> Head:
    succeed("publish", "--data", folder.root)
    head = Publisher(folder.published, load_keys(folder.keys)).published()
    assert head is not None
    return head


@pytest.mark.parametrize("kind", KINDS)
def test_each_import_explains_its_columns(kind: str) -> None:
    shown = succeed("import", kind, "--help")
    for column in succeed("import", kind, "--template").splitlines()[0].split(","):
        assert f"\n    {column} " in shown


def test_what_is_imported_is_published_and_only_what_changed_is_built_again(
    folder: DataFolder, tmp_path: Path
) -> None:
    for kind in KINDS:
        example = succeed("import", kind, "--template")
        if kind == "permits":  # those that ended long ago are no longer published
            example = example.replace("2021-", "2041-")
        succeed("import", kind, "--data", folder.root, *site(kind), "-", typed=example)
    first = released(folder)
    assert set(first.datasets) == DATASETS
    people = first.datasets["persons"].rows + first.datasets["aliases"].rows
    assert first.datasets["permits"].rows == people == 5
    assert released(folder).datasets == first.datasets
    succeed("withdraw", "--data", folder.root, "permit", "GDD-2041-000017")
    succeed("withdraw", "--data", folder.root, "pass", "-", typed="AB12\n")
    last = released(folder)
    changed = {n for n in DATASETS if last.datasets[n] != first.datasets[n]}
    assert changed == {"permits", "credentials"}
    succeed("withdraw", "--data", folder.root, "permit", "GDD-2041-000017", "--undo")
    permits = table_of(folder.published, released(folder).datasets["permits"])
    before = table_of(folder.published, first.datasets["permits"])
    assert [records.tolist() for _, records in permits.items()] == [
        records.tolist() for _, records in before.items()
    ]
    succeed("withdraw", "--data", folder.root, "document", "000190123456")
    assert released(folder).datasets["persons"] != first.datasets["persons"]


def test_rows_put_aside_are_told_of_in_the_exit_status(folder: DataFolder, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("document,born\n000190000001,1990-01-01\n000190000002,soon\n")
    result = run("import", "persons", "--data", folder.root, file)
    assert result.exit_code == STATUS_PUT_ASIDE
    assert "line 3, born: not a date" in result.output
    assert "000190000002" not in result.output, "no numbers on the screen"
    rejects = tmp_path / "people.rejects.csv"
    assert rejects.read_text().count("\n") == 2
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    assert isinstance(
        fail("import", "persons", "--data", folder.root, file, "--strict"), TableError
    )
    same = run("import", "persons", "--data", folder.root, file, "--rejects", file)
    assert same.exit_code == 2
    assert file.read_text().startswith("document,born")


def test_a_pipe_with_a_name_is_read_as_a_file_is(folder: DataFolder) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "wb") as end:
        end.write(b"document\n000190000001\n")
        end.close()
        assert "1 row taken" in succeed(
            "import", "persons", "--data", folder.root, f"/dev/fd/{reading}"
        )


def test_what_has_not_happened_yet_is_put_aside(folder: DataFolder) -> None:
    rows = (
        "000190000001,2021-08-20,\n000190000002,2141-08-20,\n000190000003,,2141-09-14T08:00+07:00\n"
    )
    file = folder.root / "people.csv"
    file.write_text(f"document,last_dose,tested\n{rows}")
    result = run("import", "persons", "--data", folder.root, file)
    assert "1 row taken" in result.output
    assert "line 3, last_dose: lies in the future" in result.output
    assert "line 4, tested: lies in the future" in result.output
    assert "2 rows put aside" in result.output


def test_withdrawing_what_nobody_has_is_refused(folder: DataFolder) -> None:
    for kind, number in (("permit", "X"), ("document", "000190000009")):
        assert "on record" in str(fail("withdraw", "--data", folder.root, kind, number))
    assert "hexadecimal" in str(fail("withdraw", "--data", folder.root, "pass", "xyz"))
    before = ("--issued-before", "2021-09-16T00:00+07:00")
    succeed("withdraw", "--data", folder.root, "certificate", "URN:UVCI:01:VN:1#2", *before)
    assert "says nothing" in str(fail("withdraw", "--data", folder.root, "permit", "X", *before))
    late = ("--issued-before", "yesterday")
    refusal = fail("withdraw", "--data", folder.root, "pass", "ab", *late)
    assert isinstance(refusal.__cause__, CellError)


def test_orders_become_the_document_that_gates_read(folder: DataFolder) -> None:
    succeed("synthesize", "--data", folder.root, "--people", 1)
    place = ("--district", 760, "--from", "2021-09-16T00:00+07:00")
    succeed("directive", "set", "--data", folder.root, *place, "--directive", 16)
    succeed("directive", "set", "--data", folder.root, *place, "--directive", 15)
    everywhere = ("--district", 0, "--from", "2021-09-01T00:00:00Z")
    succeed("directive", "set", "--data", folder.root, *everywhere, "--directive", 16)
    listed = succeed("directive", "list", "--data", folder.root).splitlines()
    assert listed == [
        "everywhere: directive 16 from 2021-09-01T07:00:00+07:00",
        "district 760: directive 15 from 2021-09-16T00:00:00+07:00",
    ]
    name = released(folder).documents["orders"].name
    data = (folder.replica / "documents" / f"{name}.document").read_bytes()
    assert read_orders(data).orders == (Order(0, 1_630_454_400, 16), Order(760, 1_631_725_200, 15))
    for where in (place, everywhere):
        succeed("directive", "remove", "--data", folder.root, *where)
    assert "no such order" in str(fail("directive", "remove", "--data", folder.root, *place))
    assert "orders" not in released(folder).documents
    for moment in ("2021-09-16T00:00", "soon"):
        wrong = ("--district", 760, "--from", moment, "--directive", 16)
        assert run("directive", "set", "--data", folder.root, *wrong).exit_code == 2
    old = ("--district", 760, "--from", "1969-01-01T00:00Z", "--directive", 16)
    assert isinstance(fail("directive", "set", "--data", folder.root, *old), DocumentError)


def test_an_order_says_what_it_replaces_and_what_no_rulebook_has(
    folder: DataFolder, tmp_path: Path
) -> None:
    def order(district: int, directive: int, *more: str) -> tuple[object, ...]:
        place = ("--district", district, "--from", "2021-09-16T00:00+07:00")
        return ("directive", "set", "--data", folder.root, *place, "--directive", directive, *more)

    assert "own rulebook of each gate" in succeed(*order(760, 99))
    book = tmp_path / "book.json"
    book.write_text(json.dumps(json.loads(RULEBOOK.read_text()) | {"districts": [760]}))
    succeed("document", "put", "--data", folder.root, "rulebook/hcmc-2021-09", book)
    refusal = fail(*order(760, 98))
    assert "98" in str(refusal)
    assert "--force" in refusal.hint
    said = succeed(*order(760, 16))
    assert "Replaced: district 760: directive 99 from 2021-09-16" in said
    assert "Warning" not in said
    assert "Replaced" not in succeed(*order(760, 16))
    assert "has directive 98" in succeed(*order(760, 98, "--force"))
    assert "own rulebook of each gate" in succeed(*order(761, 98))
    assert isinstance(fail(*order(0, 98)), DocumentError)


def test_a_document_is_taken_if_gates_can_use_it(folder: DataFolder, tmp_path: Path) -> None:
    succeed("synthesize", "--data", folder.root, "--people", 1)
    put = ("document", "put", "--data", folder.root)
    succeed(*put, "rulebook/hcmc-2021-09", RULEBOOK)
    for name, data in (
        ("rulebook/another", RULEBOOK.read_text()),
        ("rulebook/hcmc-2021-09", RULEBOOK.read_text().replace('"green"', '"gren"')),
        # The authors' own example no longer holds.
        (
            "rulebook/hcmc-2021-09",
            RULEBOOK.read_text()
            .replace('"hospital": "refer"', '"hospital": "refuse"')
            .replace('"waiting_days": 14', '"waiting_days": 13'),
        ),
        ("trust/dcc", "{}"),
        ("trust/health-cards", "[]"),
        ("trust/vds", "x"),
        ("trust/passes", "x"),
        ("revocation/dcc", "x"),
        ("values/dcc", "["),
        ("orders", '{"format":"chot-orders/1","orders":[]}'),
        ("rulebook/x", ""),
    ):
        refusal = fail(*put, name, "-", typed=data)
        assert isinstance(refusal, DocumentError), name
    assert succeed("document", "list", "--data", folder.root).startswith("rulebook/hcmc-2021-09  ")
    name = released(folder).documents["rulebook/hcmc-2021-09"].name
    published = folder.replica / "documents" / f"{name}.document"
    assert json.loads(published.read_bytes())["id"] == "hcmc-2021-09"
    succeed("document", "remove", "--data", folder.root, "rulebook/hcmc-2021-09")
    gone = fail("document", "remove", "--data", folder.root, "rulebook/hcmc-2021-09")
    assert "list" in gone.hint
    assert list(released(folder).documents) == ["seal/journal"]


def test_a_list_that_is_done_away_with_leaves_the_release(folder: DataFolder) -> None:
    succeed("synthesize", "--data", folder.root, "--people", 30)
    assert "roster/demo-factory" in released(folder).datasets
    assert succeed("roster", "list", "--data", folder.root) == "demo-factory: 10\n"
    succeed("roster", "remove", "--data", folder.root, "demo-factory")
    assert "roster/demo-factory" not in released(folder).datasets
    assert "list" in fail("roster", "remove", "--data", folder.root, "demo-factory").hint


@pytest.mark.parametrize("command", [("directive", "list"), ("document", "list")])
def test_a_foreign_folder_is_refused(command: tuple[str, str], tmp_path: Path) -> None:
    assert "chot hub init" in fail(*command, "--data", tmp_path / "nothing").hint
