"""Registers: what gates must know besides who is on record, and the documents they get.

A register is a list of rows that becomes one dataset of the release: `permits`, `watch`,
`officers`, `credentials` (withdrawals), and `roster/<site>` for each site with an approved list.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec

from admission.identity import Identifier
from admission.orders import Order
from admission.standing import Officer, Permit, RosterEntry, WatchEntry, Withdrawal
from hub.errors import StoreError

if TYPE_CHECKING:
    from hub.store.port import Person

PEOPLE = "persons"
PERMITS = "permits"
WATCH = "watch"
OFFICERS = "officers"
CREDENTIALS = "credentials"
ROSTER = "roster/"
"""Followed by the site's id."""
ORDERS = "orders"
DOCUMENTS = "documents"
"""`PEOPLE`, `ORDERS` and `DOCUMENTS` name no registers: they have revisions, as registers do."""

Entry: TypeAlias = Permit | RosterEntry | WatchEntry | Officer | Withdrawal
_ENTRIES: Mapping[str, type[Entry]] = {
    PERMITS: Permit,
    WATCH: WatchEntry,
    OFFICERS: Officer,
    CREDENTIALS: Withdrawal,
}
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_DOCUMENT_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}(?:/[a-z0-9][a-z0-9._-]{0,63}){0,2}", re.ASCII)


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row. `key` is its number in the register; `identifiers` are whom it is found by."""

    key: str
    identifiers: tuple[Identifier, ...]
    entry: Entry


class StoredDocument(msgspec.Struct, frozen=True):
    """What is known of one document without reading it. `sha256` has 32 bytes."""

    sha256: bytes
    size: int


def roster(site: str) -> str:
    """Return the name of a site's roster.

    :raises StoreError: if that is no site's id.
    """
    if not _SITE.fullmatch(site):
        msg = f"{site!r} is no site's id"
        raise StoreError(msg, hint="use the `site.id` of its gates' configuration: a-z, 0-9 and -")
    return ROSTER + site


def entry_type(register: str) -> type[Entry]:
    """Return the type of the entries of a register.

    :raises StoreError: if there is no register of this name.
    """
    if register.startswith(ROSTER) and _SITE.fullmatch(register[len(ROSTER) :]):
        return RosterEntry
    if register not in _ENTRIES:
        msg = f"there is no register {register!r}"
        raise StoreError(msg)
    return _ENTRIES[register]


def is_document_name(name: str) -> bool:
    """Return whether this may name a document: `rulebook/hcmc-2021-09`, `trust/dcc`, `orders`."""
    return _DOCUMENT_NAME.fullmatch(name) is not None


class Change(Protocol):
    """One transaction that is being made; see `RegisterStore.change`."""

    async def people_by(self, identifiers: Collection[Identifier]) -> Sequence[Person]:
        """Return everybody who is on record under one of a few thousand identifiers, once each."""
        ...

    async def put_people(self, people: Sequence[Person]) -> None:
        """Record people, each number once; see `PersonStore.put_people`."""
        ...

    async def next_number(self) -> int:
        """Return a number above that of everybody who has been on record."""
        ...

    async def clear_people(self) -> None:
        """Strike everybody off the record."""
        ...

    async def rows_by(self, register: str, identifiers: Collection[Identifier]) -> Sequence[Row]:
        """Return a register's rows that are found by one of a few thousand identifiers."""
        ...

    async def rows_of(self, register: str, keys: Collection[str]) -> Sequence[Row]:
        """Return a register's rows of a few thousand keys."""
        ...

    async def put_rows(self, register: str, rows: Sequence[Row]) -> None:
        """Put rows, each key once; a row of the same key is replaced as a whole.

        :raises StoreError: if there is no such register.
        """
        ...

    async def remove_rows(self, register: str, keys: Collection[str]) -> None:
        """Remove the rows of these keys, as far as they are there."""
        ...

    async def clear_rows(self, register: str) -> None:
        """Empty a register. It still exists: a gate then knows that nobody is on it.

        :raises StoreError: if there is no such register.
        """
        ...


class RegisterStore(Protocol):
    """What gates must know besides people."""

    def change(self) -> AbstractAsyncContextManager[Change]:
        """Make one change of many parts: all of it is durable at the end of the context.

        Whatever ends the context early leaves the store as it was.
        """
        ...

    async def drop_register(self, register: str) -> bool:
        """Do away with a register: gates are no longer told of it. Return whether there was one."""
        ...

    def rows(self, register: str) -> AsyncIterator[Sequence[Row]]:
        """Yield a register's rows by key, in chunks of a bounded size; see `PersonStore.people`."""
        ...

    async def revisions(self) -> Mapping[str, int]:
        """Return, for everything that was ever written, a number that rises with every change.

        By name of a register, `PEOPLE`, `ORDERS` or `DOCUMENTS`. Cheap: asked ten times a second.
        """
        ...


class OrderStore(Protocol):
    """Which directive is in force where, and what else gates get as documents."""

    async def put_order(self, order: Order) -> None:
        """Record an order; one for the same district and moment is replaced."""
        ...

    async def remove_order(self, district: int, from_s: int) -> bool:
        """Take back the order for a district and a moment. Return whether there was one."""
        ...

    async def orders(self) -> Sequence[Order]:
        """Return all orders, ascending."""
        ...

    async def put_document(self, name: str, data: bytes) -> None:
        """Keep a document; an earlier one of the same name is replaced.

        :raises StoreError: if it is no name of a document.
        """
        ...

    async def remove_document(self, name: str) -> bool:
        """Do away with a document. Return whether there was one."""
        ...

    async def document(self, name: str) -> bytes | None:
        """Return one document's bytes."""
        ...

    async def documents(self) -> Mapping[str, StoredDocument]:
        """Return what documents there are, by name."""
        ...


def by_key(rows: Iterable[Row]) -> dict[str, Row]:
    """Return rows by key: of those that share one, the last."""
    return {row.key: row for row in rows}
