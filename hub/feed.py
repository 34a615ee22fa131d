"""From the store to the publisher: asynchronous streams as blocking ones of records.

All are to be drawn from in a thread other than the loop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

from admission.identity import Identifier
from admission.standing import PersonFacts
from hub.store.port import PersonStore, rows_of
from hub.store.registers import Entry, RegisterStore

T = TypeVar("T")


def rows(
    store: PersonStore, loop: asyncio.AbstractEventLoop
) -> Iterator[tuple[Identifier, PersonFacts]]:
    """Yield the rows of everybody on record, one chunk of people in memory at a time.

    :raises StoreError: while drawing, if the store failed.
    """
    for person in _drawn(store.people(), loop):
        yield from rows_of(person)


def register_rows(
    store: RegisterStore, register: str, loop: asyncio.AbstractEventLoop
) -> Iterator[tuple[Identifier, Entry]]:
    """Yield a register's entries by each of their identifiers, one chunk in memory at a time.

    :raises StoreError: while drawing, if the store failed.
    """
    for row in _drawn(store.rows(register), loop):
        for identifier in row.identifiers:
            yield identifier, row.entry


def _drawn(chunks: AsyncIterator[Sequence[T]], loop: asyncio.AbstractEventLoop) -> Iterator[T]:
    while chunk := asyncio.run_coroutine_threadsafe(_next(chunks), loop).result():
        yield from chunk


async def _next(chunks: AsyncIterator[Sequence[T]]) -> Sequence[T]:
    async for chunk in chunks:
        return chunk
    return ()
