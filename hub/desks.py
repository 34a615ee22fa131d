"""Who puts imported records into the store: nobody's numbers become another's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from admission.identity import Identifier
from cache.errors import LayoutError
from cache.replica.layout import PERSONS_3, Layout
from hub.datasets import MAX_ROSTERS, layout_of_register
from hub.errors import StoreError
from hub.forms import RowError
from hub.imports import Reject
from hub.people_form import Digest, PersonRow, joined
from hub.store.port import Person
from hub.store.registers import (
    CREDENTIALS,
    PERMITS,
    ROSTER,
    Change,
    RegisterStore,
    Row,
    by_key,
)
from hub.table import RawRow


class PeopleDesk:
    """Takes people; see `people_form.joined`.

    :param digest: digests names and birth dates under the region's hash key.
    """

    def __init__(self, digest: Digest) -> None:
        self._digest = digest

    async def check_room(self, store: RegisterStore) -> None:
        """Return: there is one dataset of people."""

    async def clear(self, change: Change) -> None:
        """Strike everybody off the record."""
        await change.clear_people()

    async def take(
        self, change: Change, records: Sequence[tuple[RawRow, PersonRow]]
    ) -> Sequence[Reject]:
        """Put people on record; return rows that name two people, or facts that fit no record."""
        numbers = {number for _, row in records for number in row.numbers}
        next_number = await change.next_number()
        found = await change.people_by(numbers) if next_number else ()
        after = {person.number: person for person in found}
        owner = {k.identifier: p.number for p in after.values() for k in p.identifiers}
        touched: dict[int, Person] = {}
        rejects = []
        for raw, row in records:
            try:
                before = _one_person(row, owner, after)
                person = joined(row, before, next_number, self._digest)
                fitting(PERSONS_3, person.facts)
            except RowError as error:
                rejects.append(Reject(raw, error.column, str(error)))
                continue
            for known in before.identifiers if before is not None else ():
                del owner[known.identifier]
            owner |= dict.fromkeys((k.identifier for k in person.identifiers), person.number)
            after[person.number] = touched[person.number] = person
            next_number += before is None
        await change.put_people(list(touched.values()))
        return rejects


def _one_person(
    row: PersonRow, owner: Mapping[Identifier, int], after: Mapping[int, Person]
) -> Person | None:
    """Return who is on record under a row's numbers.

    :raises RowError: if these are two people.
    """
    numbers = {owner[number] for number in row.numbers if number in owner}
    if len(numbers) > 1:
        raise RowError("", "these numbers are of two different people on record")
    return after[numbers.pop()] if numbers else None


class RegisterDesk:
    """Takes rows of one register. Somebody has one row in it, but any number of permits."""

    def __init__(self, register: str) -> None:
        self._register = register
        self._layout = layout_of_register(register)
        # Permits and withdrawals are told apart by their own numbers alone.
        self._one_each = register not in {PERMITS, CREDENTIALS}

    async def clear(self, change: Change) -> None:
        """Empty the register."""
        await change.clear_rows(self._register)

    async def check_room(self, store: RegisterStore) -> None:
        """Return if a release can name this register beside those that there are.

        :raises StoreError: if there are as many rosters as a release can name.
        """
        rosters = {name for name in await store.revisions() if name.startswith(ROSTER)}
        if self._register.startswith(ROSTER) and len(rosters | {self._register}) > MAX_ROSTERS:
            msg = f"{len(rosters)} sites have an approved list already"
            raise StoreError(msg, hint="do away with one: chot hub roster list, remove")

    async def take(self, change: Change, records: Sequence[tuple[RawRow, Row]]) -> Sequence[Reject]:
        """Put rows; return those whose numbers are in two rows, or that fit no record."""
        after: dict[str, Row] = {}
        owner: dict[Identifier, str] = {}
        if self._one_each:
            for row in await self._on_record(change, records):
                after[row.key] = row
                owner |= dict.fromkeys(row.identifiers, row.key)
        put: dict[str, Row] = {}
        gone: set[str] = set()
        rejects = []
        for raw, row in records:
            try:
                replaced = self._replaced(row, after, owner) if self._one_each else None
                fitting(self._layout, row.entry)
            except RowError as error:
                rejects.append(Reject(raw, error.column, str(error)))
                continue
            if replaced is not None:
                for number in replaced.identifiers:
                    del owner[number]
                del after[replaced.key]
                gone.add(replaced.key)
                put.pop(replaced.key, None)
            owner |= dict.fromkeys(row.identifiers, row.key)
            after[row.key] = put[row.key] = row
        await change.remove_rows(self._register, gone - put.keys())
        await change.put_rows(self._register, list(put.values()))
        return rejects

    async def _on_record(
        self, change: Change, records: Sequence[tuple[RawRow, Row]]
    ) -> Iterable[Row]:
        """Return the rows that these records may replace."""
        numbers = {number for _, row in records for number in row.identifiers}
        found = [
            *await change.rows_by(self._register, numbers),
            *await change.rows_of(self._register, {row.key for _, row in records}),
        ]
        return by_key(found).values()

    @staticmethod
    def _replaced(
        row: Row, after: Mapping[str, Row], owner: Mapping[Identifier, str]
    ) -> Row | None:
        """Return the one row on record that has this one's key or numbers.

        :raises RowError: if there are two.
        """
        keys = {owner[number] for number in row.identifiers if number in owner}
        if row.key in after:
            keys.add(row.key)
        if len(keys) > 1:
            raise RowError("", "its numbers are in two different rows on record")
        return after[keys.pop()] if keys else None


def fitting(layout: Layout[Any], entry: Any) -> None:
    """Return if a gate's record can hold the entry: otherwise no release could be built any more.

    :raises RowError: if it cannot.
    """
    try:
        layout.pack(entry)
    except LayoutError as error:
        raise RowError("", "a date, hour or number beyond what a gate's record holds") from error
