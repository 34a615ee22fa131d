"""Protects imports: good rows once and whole, bad ones put aside with reasons, nobody mixed up."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.identity import Identifier, IdentifierKind, identity_digester
from admission.standing import CredentialStatus, Officer, Permit, PersonFacts, RosterEntry
from hub.datasets import MAX_ROSTERS
from hub.desks import PeopleDesk, RegisterDesk
from hub.errors import StoreError, TableError
from hub.forms import OFFICERS_FORM, ROSTER_FORM, WATCH_FORM, Form, permits
from hub.import_cli import template
from hub.imports import Desk, Import, Taken
from hub.people_form import people_form
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import CREDENTIALS, OFFICERS, PERMITS, WATCH, Row, roster
from hub.table import Table
from hub.withdrawals import WITHDRAWALS_FORM
from tests.hub.memory_store import MemoryStore

digest = identity_digester(bytes(32))
FACTORY = roster("factory-1")
FORMS: list[tuple[Form[Any], Desk[Any]]] = [
    (people_form(()), PeopleDesk(digest)),
    (permits(), RegisterDesk(PERMITS)),
    (ROSTER_FORM, RegisterDesk(FACTORY)),
    (OFFICERS_FORM, RegisterDesk(OFFICERS)),
    (WATCH_FORM, RegisterDesk(WATCH)),
    (WITHDRAWALS_FORM, RegisterDesk(CREDENTIALS)),
]


class World:
    """A store, and files taken into it."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.rejects = folder / "bad.csv"

    async def take(
        self, data: str | bytes, form: Form[Any] | None, desk: Desk[Any], **how: Any
    ) -> Taken:
        table = Table(io.BytesIO(data.encode() if isinstance(data, str) else data))
        form = form or people_form(table.columns)
        return await Import(table, form, desk, self.rejects).run(self.store, **how)

    async def people(self, data: str | bytes, **how: Any) -> Taken:
        return await self.take(data, None, PeopleDesk(digest), **how)

    async def everybody(self) -> list[Person]:
        return [person async for chunk in self.store.people() for person in chunk]

    async def rows(self, register: str) -> list[Row]:
        return [row async for chunk in self.store.rows(register) for row in chunk]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def document(value: str) -> Identifier:
    return Identifier(IdentifierKind.DOCUMENT, value)


def values(person: Person) -> list[str]:
    return [known.identifier.value for known in person.identifiers]


@pytest.mark.parametrize(("form", "desk"), FORMS, ids=[form.name for form, _ in FORMS])
async def test_the_template_is_a_file_that_is_taken(
    world: World, form: Form[Any], desk: Desk[Any]
) -> None:
    for data in (template(form), "﻿" + template(form).replace("\n", "\r\n")):
        taken = await world.take(data, None if form.name == "persons" else form, desk)
        assert (taken.rows, taken.rejected) == (1, 0)
    assert not world.rejects.exists()


async def test_every_fact_of_a_person_is_taken(world: World) -> None:
    await world.people(template(people_form(())))
    (person,) = await world.everybody()
    assert person.facts == PersonFacts(
        doses=2,
        product=person.facts.product,
        last_dose=date(2021, 8, 20),
        born=date(1990, 2, 28),
        district=760,
        tested_h=453_217,
        test_result=person.facts.test_result,
        declared_h=453_240,
        identity=digest("NGUYEN VAN AN", date(1990, 2, 28)),
    )
    assert (person.facts.product.name, person.facts.test_result.name) == ("ASTRAZENECA", "NEGATIVE")


async def test_what_a_file_has_no_column_for_stays_and_an_empty_cell_clears(world: World) -> None:
    await world.people("document;qid;name;born;doses\n000190000001;9001;An;1990-01-01;2\n")
    (before,) = await world.everybody()
    await world.people("qid,tested,test_result\n9001,2021-09-14T08:00+07:00,positive\n")
    (tested,) = await world.everybody()
    assert (tested.number, tested.facts.doses) == (before.number, 2)
    assert sorted(values(tested)) == ["000190000001", "9001"]
    assert tested.facts.identity == before.facts.identity != 0
    await world.people("document,doses,last_dose\n000190000001,,\n")
    (cleared,) = await world.everybody()
    assert (cleared.facts.doses, cleared.facts.tested_h) == (0, 453_217)
    await world.people("document,born\n000190000001,01/02/1990\n")
    (corrected,) = await world.everybody()
    assert corrected.facts.identity == 0, "the digest was of another birth date"


async def test_bad_rows_are_put_aside_and_come_back_mended(world: World) -> None:
    taken = await world.people(
        "document,name,born,doses\n"
        "000190000001,An,1990-01-01,2\n"
        "000190000002,Bình,30/02/1990,2\n"
        ",Chi,1990-01-01,2\n"
        "000190000004,Dung,,2\n"
        "000190000005,Em,1990-01-01\n"
        "\n"
        "000190000006,Giang,1860-01-01,1\n"
        '000190000007,"Hà\x00",1990-01-01,1\n'
    )
    assert (taken.rows, taken.rejected) == (1, 6)
    assert [(r.row.line, r.column) for r in taken.shown] == [
        (3, "born"),
        (4, "document"),
        (5, "born"),
        (6, ""),
        (8, ""),
        (9, "name"),
    ]
    assert world.rejects.stat().st_mode & 0o777 == 0o600
    lines = world.rejects.read_text().splitlines()
    assert lines[0] == "document,name,born,doses,rejected_line,rejected_column,rejected_reason"
    assert lines[1].startswith("000190000002,Bình,30/02/1990,2,3,born,not a date")
    mended = "\n".join(lines[:2]).replace("30/02", "28/02")
    assert (await world.people(mended)).rows == 1
    assert await world.store.people_count() == 2


async def test_strict_takes_nothing_from_a_file_with_a_bad_row(world: World) -> None:
    await world.people("document,doses\n000190000001,1\n")
    with pytest.raises(TableError, match="line 3, doses") as refusal:
        await world.people("document,doses\n000190000001,2\n000190000002,many\n", strict=True)
    assert str(world.rejects) in refusal.value.hint
    (person,) = await world.everybody()
    assert person.facts.doses == 1


async def test_a_file_that_ends_early_leaves_the_store_as_it_was(world: World) -> None:
    await world.people("document,doses\n000190000001,1\n")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await world.people("document\n000190000009\n", replace=True, progress=interrupted)
    assert [values(person) for person in await world.everybody()] == [["000190000001"]]


async def test_one_persons_numbers_do_not_become_anothers(world: World) -> None:
    await world.people("document,qid\n000190000001,9001\n000190000002,9002\n")
    before = await world.everybody()
    with pytest.raises(TableError, match="two different people"):
        await world.people("document,qid,doses\n000190000001,9002,2\n")
    assert await world.everybody() == before
    taken = await world.people(
        "document,qid\n000190000001,9003\n000190000003,9001\n000190000004,9003\n"
    )
    assert (taken.rows, taken.rejected) == (3, 0), "a number that was given up is free again"
    holders = {v: person.number for person in await world.everybody() for v in values(person)}
    assert holders["9003"] == holders["000190000004"] == holders["9001"] - 2


async def test_replacing_leaves_only_what_the_file_names(world: World) -> None:
    await world.people("document\n000190000001\n000190000002\n")
    await world.people("document\n000190000002\n000190000003\n", replace=True)
    everybody = await world.everybody()
    assert [values(person) for person in everybody] == [["000190000002"], ["000190000003"]]
    assert [person.number for person in everybody] == [2, 3], "nobody gets another's number"
    with pytest.raises(TableError, match="nobody"):
        await world.people("document\n", replace=True)
    await world.take("document\n", ROSTER_FORM, RegisterDesk(FACTORY), replace=True)
    assert FACTORY in await world.store.revisions()


async def test_the_status_is_of_the_rows_own_numbers(world: World) -> None:
    await world.people("document,qid\n000190000001,9001\n")
    await world.people("document,status\n000190000001,Revoked\n")
    (person,) = await world.everybody()
    assert person.identifiers == (
        KnownIdentifier(document("000190000001"), CredentialStatus.REVOKED),
        KnownIdentifier(Identifier(IdentifierKind.QID, "9001")),
    )


async def test_a_permit_counts_for_three_days_from_issue(world: World) -> None:
    header = "number,document,from,until\n"
    issued = "000190000001,2021-09-16T06:30+07:00"
    rows = f"P1,{issued},\nP2,{issued},2021-09-16T18:01+07:00\n"
    await world.take(header + rows, permits(), RegisterDesk(PERMITS))
    first, second = await world.rows(PERMITS)
    assert isinstance(first.entry, Permit)
    assert isinstance(second.entry, Permit)
    assert first.entry.until_h - first.entry.from_h == 72
    assert second.entry.until_h - second.entry.from_h == 13, "the hours begun count whole"
    late = f"P3,{issued},2021-09-15T06:30+07:00\n"
    with pytest.raises(TableError, match="until: not after"):
        await world.take(header + late, permits(), RegisterDesk(PERMITS))


async def test_somebody_has_one_row_in_a_roster(world: World) -> None:
    desk = RegisterDesk(FACTORY)
    await world.take("document,qid\n000190000001,9001\n", ROSTER_FORM, desk)
    await world.take("qid,last_day\n9001,2021-12-31\n", ROSTER_FORM, desk)
    assert await world.rows(FACTORY) == [
        Row(
            "qid:9001",
            (Identifier(IdentifierKind.QID, "9001"),),
            RosterEntry(CredentialStatus.ACTIVE, last_day=date(2021, 12, 31)),
        )
    ]


async def test_officers_change_their_numbers_within_one_file(world: World) -> None:
    desk = RegisterDesk(OFFICERS)
    header = "number,document\n"
    await world.take(header + "1,000190000001\n", OFFICERS_FORM, desk)
    await world.take(header + "1,000190000002\n2,000190000001\n", OFFICERS_FORM, desk)
    assert await world.rows(OFFICERS) == [
        Row("1", (document("000190000002"),), Officer(CredentialStatus.ACTIVE, 1)),
        Row("2", (document("000190000001"),), Officer(CredentialStatus.ACTIVE, 2)),
    ]
    taken = await world.take(header + "1,000190000001\n3,000190000003\n", OFFICERS_FORM, desk)
    assert (taken.rows, taken.rejected) == (1, 1)


async def test_a_site_too_many_for_a_head_is_refused(world: World) -> None:
    async with world.store.change() as change:
        for number in range(MAX_ROSTERS):
            await change.clear_rows(roster(f"site-{number}"))
    data = "document\n000190000001\n"
    assert (await world.take(data, ROSTER_FORM, RegisterDesk(roster("site-3")))).rows == 1
    with pytest.raises(StoreError, match="already"):
        await world.take(data, ROSTER_FORM, RegisterDesk(FACTORY))


cell = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["000190000001", "000190000002", "9001", "2", "1990-01-01", '"', "a,b", "An"]
)


@settings(max_examples=60)
@given(st.lists(st.lists(cell, max_size=5), max_size=8), st.booleans())
def test_any_rows_are_taken_or_put_aside(
    tmp_path_factory: pytest.TempPathFactory, rows: Sequence[Sequence[str]], replace: bool
) -> None:
    world = World(tmp_path_factory.mktemp("any"))
    data = "document,qid,born,doses\n" + "\n".join(",".join(row) for row in rows)
    try:
        taken = asyncio.run(world.people(data, replace=replace))
    except TableError:
        assert asyncio.run(world.store.people_count()) == 0
        return
    assert taken.rows + taken.rejected <= len(data.splitlines())
    known = [one.identifier for p in asyncio.run(world.everybody()) for one in p.identifiers]
    assert len(known) == len(set(known))


async def test_all_faults_of_a_row_are_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = "document,born,doses,product\n000190000001,soon,many,x\n000190000002,,,\n"
    taken = await world.people(rows)
    assert str(taken.shown[0]).startswith("line 2, born: not a date")
    assert (
        "; doses: not a whole number; product: not known: write one of pf" in taken.shown[0].reason
    )
