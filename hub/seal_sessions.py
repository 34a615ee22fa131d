"""Which session opens the seals at a place of a journal: remembered, or asked of the store."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

from admission.errors import WireError
from admission.journal_record import unpack_record
from admission.sealing import OpenedSession, SealSession
from hub.store.entries import EntryStore, JournalKey

MAX_JOURNALS = 4_096
"""Journals whose session is remembered: a gate sends one batch after the other."""


class SealKeys(Protocol):
    """The hub's own private keys for seals, present and former."""

    def session(self, record: SealSession, journal: bytes) -> OpenedSession | None:
        """Return what opens the seals of a session, None where no key here does."""
        ...


class NoSealKeys:
    """A hub without any key for seals."""

    def session(self, record: SealSession, journal: bytes) -> OpenedSession | None:
        """Return None."""
        del record, journal
        return None


class SealSessions:
    """What opens seals, by journal and place. For one event loop."""

    def __init__(self, keys: SealKeys) -> None:
        self._keys = keys
        self._ends: OrderedDict[JournalKey, tuple[int, OpenedSession | None]] = OrderedDict()

    async def before(
        self, store: EntryStore, key: JournalKey, sequence: int
    ) -> OpenedSession | None:
        """Return what opens the seals of the entry `sequence`, unless it is a session itself."""
        if sequence == 1:
            return None
        remembered = self._ends.get(key)
        if remembered is not None and remembered[0] == sequence - 1:
            return remembered[1]
        found = await store.session_before(key, sequence)
        if found is None:
            return None
        try:
            record = unpack_record(found[1])
        except WireError:
            return None
        return self.begin(key, record) if isinstance(record, SealSession) else None

    def begin(self, key: JournalKey, session: SealSession) -> OpenedSession | None:
        """Return what opens the seals of a session, None where no key of the hub does."""
        return self._keys.session(session, key.journal)

    def remember(self, key: JournalKey, last: int, opened: OpenedSession | None) -> None:
        """Note what opens the seals behind the entry `last`."""
        self._ends[key] = (last, opened)
        self._ends.move_to_end(key)
        if len(self._ends) > MAX_JOURNALS:
            self._ends.popitem(last=False)
