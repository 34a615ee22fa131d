"""People and their identifiers as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import aiosqlite

from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, PersonFacts, Product, TestResult
from hub.store.port import KnownIdentifier, Person
from hub.store.registers import PEOPLE
from hub.store.sqlite.change_log import ChangeLog
from hub.store.sqlite.registers import flat, slices, wanted

_KINDS = {kind.value: kind for kind in IdentifierKind}
_STATUSES = {int(status): status for status in CredentialStatus}
_PRODUCTS = {int(product): product for product in Product}
_RESULTS = {int(result): result for result in TestResult}
_COLUMNS = (
    "number, doses, product, last_dose, recovered, born, vulnerable, isolation_until, district,"
    " tested_h, test_result, declared_h, symptoms, exposure, identity"
)


async def write(raw: aiosqlite.Connection, log: ChangeLog, people: Sequence[Person]) -> None:
    """Write people within the caller's transaction, replacing those of the same numbers."""
    revision = await log.touch(PEOPLE)
    await _make_room(raw, log, revision, people)
    await raw.executemany(
        f"INSERT INTO person ({_COLUMNS}) VALUES ({', '.join('?' * 15)})",  # noqa: S608 constants
        [_person_row(person) for person in people],
    )
    await raw.executemany(
        "INSERT INTO identifier VALUES (?, ?, ?, ?, ?)",
        _identifier_rows(people),
    )
    await raw.execute(
        "UPDATE highest_person SET number = max(number, ?)", (max(p.number for p in people),)
    )
    await log.note(PEOPLE, revision, (k.identifier for p in people for k in p.identifiers))


async def clear(raw: aiosqlite.Connection, log: ChangeLog) -> None:
    """Delete everybody."""
    await log.touch(PEOPLE)
    await log.fill(PEOPLE)
    await raw.execute("DELETE FROM identifier")
    await raw.execute("DELETE FROM person")


async def highest(raw: aiosqlite.Connection) -> int:
    """Return the highest number that anybody on record has had, -1 if nobody ever was."""
    rows = await raw.execute_fetchall("SELECT number FROM highest_person")
    return int(next(iter(rows))[0])


async def found_by(raw: aiosqlite.Connection, identifiers: Collection[Identifier]) -> list[Person]:
    """Return who is on record under one of the identifiers, by number."""
    numbers: set[int] = set()
    for some in slices(list(identifiers)):
        rows = await raw.execute_fetchall(
            f"{wanted(some)} SELECT person FROM wanted"  # noqa: S608 marks
            " CROSS JOIN identifier USING (kind, value)",
            flat(some),
        )
        numbers.update(row[0] for row in rows)
    found: list[Person] = []
    for some_numbers in slices(sorted(numbers)):
        marks = ", ".join("?" * len(some_numbers))
        people = await raw.execute_fetchall(
            f"SELECT {_COLUMNS} FROM person WHERE number IN ({marks}) ORDER BY number",  # noqa: S608 marks
            some_numbers,
        )
        known = await raw.execute_fetchall(
            "SELECT person, kind, value, status FROM identifier"  # noqa: S608 marks
            f" WHERE person IN ({marks}) ORDER BY person, place",
            some_numbers,
        )
        found += _joined(people, known)
    return found


async def _make_room(
    raw: aiosqlite.Connection, log: ChangeLog, revision: int, people: Sequence[Person]
) -> None:
    """Delete who is on record under these numbers. A first import finds nobody and skips that."""
    numbers = [person.number for person in people]
    rows = await raw.execute_fetchall(
        "SELECT 1 FROM person WHERE number BETWEEN ? AND ? LIMIT 1", (min(numbers), max(numbers))
    )
    if list(rows):
        await log.note_found(
            PEOPLE, revision, "FROM identifier WHERE person = ?", [(n,) for n in numbers]
        )
        for table, column in (("identifier", "person"), ("person", "number")):
            await raw.executemany(
                f"DELETE FROM {table} WHERE {column} = ?",  # noqa: S608 constants
                [(number,) for number in numbers],
            )


async def read(raw: aiosqlite.Connection, after: int, limit: int) -> list[Person]:
    """Return the next people by number, at most `limit`."""
    rows = await raw.execute_fetchall(
        f"SELECT {_COLUMNS} FROM person WHERE number > ? ORDER BY number LIMIT ?",  # noqa: S608 constants
        (after, limit),
    )
    people = [tuple(row) for row in rows]
    if not people:
        return []
    identifiers = await raw.execute_fetchall(
        "SELECT person, kind, value, status FROM identifier"
        " WHERE person > ? AND person <= ? ORDER BY person, place",
        (after, people[-1][0]),
    )
    return _joined(people, identifiers)


def chunks(people: Iterable[Person], size: int) -> Iterable[list[Person]]:
    """Cut a stream of people into lists of at most `size`."""
    chunk: list[Person] = []
    for person in people:
        chunk.append(person)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _joined(people: Iterable[Any], identifiers: Iterable[Any]) -> list[Person]:
    known = {
        number: tuple(_identifier(row) for row in rows)
        for number, rows in groupby(identifiers, key=itemgetter(0))
    }
    return [Person(row[0], known.get(row[0], ()), _facts(row)) for row in people]


def _person_row(person: Person) -> tuple[Any, ...]:
    facts = person.facts
    return (
        person.number,
        facts.doses,
        int(facts.product),
        _written(facts.last_dose),
        _written(facts.recovered),
        _written(facts.born),
        int(facts.vulnerable),
        _written(facts.isolation_until),
        facts.district,
        facts.tested_h,
        int(facts.test_result),
        facts.declared_h,
        int(facts.symptoms),
        int(facts.exposure),
        facts.identity,
    )


def _identifier_rows(people: Iterable[Person]) -> list[tuple[Any, ...]]:
    """Return the rows in the order of the table's key, which makes a bulk import twice as fast."""
    rows = []
    for person in people:
        number = person.number
        for place, known in enumerate(person.identifiers):
            identifier = known.identifier
            # Plain values: binding an enumeration's member costs an adapter's look-up each time.
            kind, status = identifier.kind.value, int(known.status)
            rows.append((kind, identifier.value, number, place, status))
    rows.sort()
    return rows


def _facts(row: tuple[Any, ...]) -> PersonFacts:
    return PersonFacts(
        doses=row[1],
        product=_PRODUCTS[row[2]],
        last_dose=_read(row[3]),
        recovered=_read(row[4]),
        born=_read(row[5]),
        vulnerable=bool(row[6]),
        isolation_until=_read(row[7]),
        district=row[8],
        tested_h=row[9],
        test_result=_RESULTS[row[10]],
        declared_h=row[11],
        symptoms=bool(row[12]),
        exposure=bool(row[13]),
        identity=row[14],
    )


def _identifier(row: Any) -> KnownIdentifier:
    return KnownIdentifier(Identifier(_KINDS[row[1]], row[2]), _STATUSES[row[3]])


def _written(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _read(day: str | None) -> date | None:
    return None if day is None else date.fromisoformat(day)
