"""The change log: what of a register may differ from what was published at an earlier revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from admission.identity import Identifier

if TYPE_CHECKING:
    from hub.store.port import Person
    from hub.store.registers import Row

MAX_LOGGED = 200_000
"""Identifiers that the log of one register holds. One that would hold more is emptied: to compare
everybody costs less."""


class ChangedPeople(msgspec.Struct, frozen=True):
    """What was touched after a revision, and whom that concerns now.

    `revision` is that of `people`. `touched` are all identifiers, former ones too, of everybody
    who was written; `people` are those who have one of them now.
    """

    revision: int
    touched: frozenset[Identifier]
    people: Sequence[Person]


class ChangedRows(msgspec.Struct, frozen=True):
    """The same of a register: `rows` are those that are found by one of the `touched` now."""

    revision: int
    touched: frozenset[Identifier]
    rows: Sequence[Row]


class ChangeLogStore(Protocol):
    """What the publisher reads instead of everything. Each answer is of one moment."""

    async def changed_people(self, after: int, *, limit: int) -> ChangedPeople | None:
        """Return what has changed of the people on record after a revision.

        None if the log does not reach back to it, or names more than `limit` identifiers: then
        everybody is to be compared.
        """
        ...

    async def changed_rows(self, register: str, after: int, *, limit: int) -> ChangedRows | None:
        """Return what has changed of a register after a revision; None as for people.

        :raises StoreError: if there is no such register.
        """
        ...

    async def forget_changes(self, register: str, through: int) -> None:
        """Drop from the log what a register's revisions through this one have touched."""
        ...
