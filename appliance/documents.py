"""The documents that came with the replica: raw bytes by name, for whoever reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import MappingProxyType

Take = Callable[[Mapping[str, bytes]], None]
"""Reads the documents in force, in a thread; those that are missing are in force no longer."""


class Documents:
    """Holds the documents in force: rulebooks, trust lists, orders (`cache.replica.names`).

    All are replaced at once, so that no reader ever sees two releases mixed.
    """

    def __init__(self) -> None:
        self._by_name: Mapping[str, bytes] = MappingProxyType({})
        self._changed = asyncio.Event()
        self.error = ""
        """What kept the documents from being read last time; empty if nothing did."""

    @property
    def by_name(self) -> Mapping[str, bytes]:
        """The documents in force; the mapping never changes, a new one takes its place."""
        return self._by_name

    def replace(self, documents: Mapping[str, bytes]) -> None:
        """Put these in the place of all others. Returns at once; call it on the loop."""
        if documents != self._by_name:
            self._by_name = MappingProxyType(dict(documents))
            self._changed.set()

    async def hand_to(self, take: Take) -> None:
        """Have `take` read the newest documents whenever they were replaced, until cancelled.

        Reading takes its time, so it is off the loop; one call ends before the next begins, and
        what was replaced meanwhile is skipped. What `take` raises ends nothing: it is in `error`.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await asyncio.to_thread(take, self._by_name)
            except Exception as error:  # noqa: BLE001 - the documents before stay in force
                self.error = f"{type(error).__name__}: {error}"
            else:
                self.error = ""
