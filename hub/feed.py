"""From the store to the publisher: an asynchronous stream of people as a blocking one of rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from admission.identity import Identifier
from admission.standing import PersonFacts
from hub.store.port import Person, PersonStore, rows_of


def rows(
    store: PersonStore, loop: asyncio.AbstractEventLoop
) -> Iterator[tuple[Identifier, PersonFacts]]:
    """Yield the rows of everybody on record, one chunk of people in memory at a time.

    To be drawn from in a thread other than the loop's.

    :raises StoreError: while drawing, if the store failed.
    """
    chunks = store.people()
    while True:
        people = asyncio.run_coroutine_threadsafe(_next(chunks), loop).result()
        if not people:
            return
        for person in people:
            yield from rows_of(person)


async def _next(chunks: AsyncIterator[Sequence[Person]]) -> Sequence[Person]:
    async for chunk in chunks:
        return chunk
    return ()
