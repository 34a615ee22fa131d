"""The CSV form of people: what a row says of somebody, and how it joins what is on record.

What a file has no column for stays as it was: vaccinations, tests and declarations come from
different offices, each with a file of its own. An empty cell clears what its column says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta, timezone
from typing import Any

import msgspec

from admission.identity import Identifier, IdentifierKind
from admission.instant import Instant
from admission.standing import CredentialStatus, PersonFacts, Product, TestResult
from hub import cells
from hub.forms import DISTRICT, IDENTIFIERS, NUMBERS, STATUS, Column, Form, RowError, Values, named
from hub.store.port import KnownIdentifier, Person

_VIETNAM = timezone(timedelta(hours=7))
_NS_PER_H = 3_600_000_000_000

Digest = Callable[[str, date], int]
"""`admission.identity.identity_digester` under the region's hash key."""

_FACTS = {
    "doses": ("doses", 0),
    "product": ("product", Product.NONE),
    "last_dose": ("last_dose", None),
    "recovered": ("recovered", None),
    "born": ("born", None),
    "vulnerable": ("vulnerable", False),
    "isolation_until": ("isolation_until", None),
    "district": ("district", 0),
    "tested": ("tested_h", None),
    "test_result": ("test_result", TestResult.NONE),
    "declared": ("declared_h", None),
    "symptoms": ("symptoms", False),
    "exposure": ("exposure", False),
}
"""By column: the fact that it states, and what an empty cell says."""

_COLUMNS = (
    *IDENTIFIERS,
    Column("name", cells.person_name, "Nguyễn Văn An",
           "full name; only its digest with the birth date is kept", repeats=False),
    Column("born", cells.a_date, "1990-02-28", "birth date"),
    Column("doses", cells.whole(0, 15), "2", "vaccine doses on record"),
    Column("product", cells.product, "astrazeneca", "product of the last dose"),
    Column("last_dose", cells.a_date, "2021-08-20", "date of the last dose"),
    Column("recovered", cells.a_date, "", "date of recovery"),
    Column("vulnerable", cells.yes_or_no, "no", "underlying disease or immunosuppression"),
    Column("isolation_until", cells.a_date, "", "last day of isolation, inclusive"),
    msgspec.structs.replace(DISTRICT, meaning="official code of the district of residence"),
    Column("tested", cells.hour_down, "2021-09-14T08:00+07:00",
           "when the last test's sample was taken, with time zone"),
    Column("test_result", cells.test_result, "negative", "negative or positive"),
    Column("declared", cells.hour_down, "2021-09-15T07:30+07:00",
           "when the last health declaration was made, with time zone"),
    Column("symptoms", cells.yes_or_no, "no", "symptoms ticked in it"),
    Column("exposure", cells.yes_or_no, "no", "contact with a patient ticked in it"),
    msgspec.structs.replace(STATUS, meaning="of the numbers in this row: active or revoked"),
)  # fmt: skip


class PersonRow(msgspec.Struct, frozen=True):
    """What one row says. `changes` are facts by name; `name` is None where there is no column."""

    numbers: tuple[Identifier, ...]
    kinds: frozenset[IdentifierKind]
    """Of which kinds the file has columns: those on record give way to the row's."""
    status: CredentialStatus | None
    """Of the row's numbers; None where the file has no column for it."""
    changes: dict[str, Any]
    name: str | None


def people_form(present: Collection[str], now: Instant | None = None) -> Form[PersonRow]:
    """Return the form of people for a file with these columns.

    :param now: what happened more than a day later is put aside; None lets it pass.
    """
    kinds = frozenset(IdentifierKind(name) for name in NUMBERS if name in present)
    stated = {name: of for name, of in _FACTS.items() if name in present}
    has_name, has_status = "name" in present, "status" in present
    latest = _latest(now) if now is not None else {}

    def build(values: Values) -> PersonRow:
        if values.get("test_result", TestResult.NONE) and "tested" not in values:
            raise RowError("tested", "a test result needs the time of the test")
        for column, limit in latest.items():
            if column in values and values[column] > limit:
                raise RowError(column, "lies in the future")
        return PersonRow(
            named(values),
            kinds,
            values.get("status", CredentialStatus.ACTIVE) if has_status else None,
            {fact: values.get(column, empty) for column, (fact, empty) in stated.items()},
            values.get("name", "") if has_name else None,
        )

    return Form("persons", _COLUMNS, build, NUMBERS, may_be_empty=False)


def _latest(now: Instant) -> dict[str, date | int]:
    """Return by column the last date, or hour since the Unix epoch, that may have happened."""
    tomorrow = now.at(_VIETNAM) + timedelta(days=1)
    hour = now.wall_ns // _NS_PER_H + 24
    dates = dict.fromkeys(("last_dose", "recovered"), tomorrow.date())
    return {**dates, "tested": hour, "declared": hour}


def joined(row: PersonRow, before: Person | None, number: int, digest: Digest) -> Person:
    """Return the person after a row.

    :param before: who is on record under one of the row's numbers, or None; then the person gets
        the hub's `number`.
    :raises RowError: if there is a name but no birth date to digest it with.
    """
    old = before.facts if before is not None else PersonFacts()
    facts = msgspec.structs.replace(old, **row.changes)
    identity = _identity(row, old, facts, digest)
    return Person(
        number if before is None else before.number,
        tuple(_identifiers(row, before)),
        msgspec.structs.replace(facts, identity=identity),
    )


def _identifiers(row: PersonRow, before: Person | None) -> Iterator[KnownIdentifier]:
    """Yield the numbers after a row: those on record in their order, then the row's new ones.

    The first one's key is what gates know the person by, so nothing that stays is moved. Without a
    column for it, no row makes a number that was withdrawn count again.
    """
    stated = set(row.numbers)
    on_record = before.identifiers if before is not None else ()
    for known in on_record:
        if known.identifier in stated:
            stated.discard(known.identifier)
            status = known.status if row.status is None else row.status
            yield KnownIdentifier(known.identifier, status)
        elif known.identifier.kind not in row.kinds:
            yield known
    for identifier in row.numbers:
        if identifier in stated:
            status = CredentialStatus.ACTIVE if row.status is None else row.status
            yield KnownIdentifier(identifier, status)


def _identity(row: PersonRow, old: PersonFacts, facts: PersonFacts, digest: Digest) -> int:
    if row.name is None:
        # A digest of another birth date would refer its owner at every gate.
        return old.identity if facts.born == old.born else 0
    if not row.name:
        return 0
    if facts.born is None:
        raise RowError("born", "a name needs a birth date beside it")
    return digest(row.name, facts.born)
