"""From the store to the publisher: asynchronous streams as blocking ones.

All are to be drawn from in a thread other than the loop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from admission.identity import Identifier
from hub.store.packed import PackedPeople
from hub.store.port import PersonStore
from hub.store.registers import Entry, RegisterStore

T = TypeVar("T")


def people(store: PersonStore, loop: asyncio.AbstractEventLoop) -> Iterator[PackedPeople]:
    """Yield everybody on record, two chunks in memory at a time: one is read while one is used.

    :raises StoreError: while drawing, if the store failed.
    """
    return _drawn(store.packed_people(), loop)


def register_rows(
    store: RegisterStore, register: str, loop: asyncio.AbstractEventLoop
) -> Iterator[tuple[Identifier, Entry]]:
    """Yield a register's entries by each of their identifiers, two chunks in memory at a time.

    :raises StoreError: while drawing, if the store failed.
    """
    for rows in _drawn(store.rows(register), loop):
        for row in rows:
            for identifier in row.identifiers:
                yield identifier, row.entry


def _drawn(chunks: AsyncIterator[T], loop: asyncio.AbstractEventLoop) -> Iterator[T]:
    waiting = asyncio.run_coroutine_threadsafe(_next(chunks), loop)
    while (chunk := waiting.result()) is not None:
        waiting = asyncio.run_coroutine_threadsafe(_next(chunks), loop)
        yield chunk


async def _next(chunks: AsyncIterator[T]) -> T | None:
    return await anext(chunks, None)
