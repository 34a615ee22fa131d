"""Concurrent uploads share one transaction, and so its waiting for the medium."""

from __future__ import annotations

import asyncio

from hub.errors import StoreError
from hub.store.entries import Added, EntryStore, Offer

MAX_GROUP_ENTRIES = 8_192
"""Entries of one transaction: bounds how long the first of a group waits for the last."""


class GroupCommit:
    """Gathers offers while the store is busy, and gives them to it together.

    Whoever finds the store free writes for all who wait. There is no task behind it: nothing is
    left running, and an offer whose caller was cancelled is dropped or was kept, as is safe.
    """

    def __init__(self, store: EntryStore) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._waiting: list[_Ticket] = []

    async def add(self, offer: Offer) -> Added:
        """Keep entries; return what became of them once that is durable.

        :raises StoreError: if the store failed for this offer.
        """
        ticket = _Ticket(offer)
        self._waiting.append(ticket)
        try:
            async with self._turn:
                if not ticket.answered:
                    await self._write(self._group(ticket))
        finally:
            self._waiting.remove(ticket)
        if ticket.added is None:
            raise ticket.error or StoreError("the offer was not written")
        return ticket.added

    def _group(self, first: _Ticket) -> list[_Ticket]:
        group, entries = [first], len(first.offer.records)
        for ticket in self._waiting:
            if ticket is first or ticket.answered:
                continue
            entries += len(ticket.offer.records)
            if entries > MAX_GROUP_ENTRIES:
                break
            group.append(ticket)
        return group

    async def _write(self, group: list[_Ticket]) -> None:
        try:
            added = await self._store.add_entries([ticket.offer for ticket in group])
        except StoreError as error:
            if len(group) == 1:
                group[0].error = error
                return
            # What made the store fail may be one offer's alone: it must not hold up the others.
            for ticket in group:
                await self._write([ticket])
            return
        for ticket, one in zip(group, added, strict=True):
            ticket.added = one


class _Ticket:
    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.added: Added | None = None
        self.error: StoreError | None = None

    @property
    def answered(self) -> bool:
        """Whether it is known what became of the offer."""
        return self.added is not None or self.error is not None
