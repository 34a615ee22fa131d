"""Reading held entries whole: with what gates sealed of people, where a key of the hub opens it."""

from __future__ import annotations

import msgspec

from admission.errors import SealError, WireError
from admission.journal_record import PassageRecord, opened, unpack_record
from admission.passage import Passage
from hub.seal_sessions import SealKeys, SealSessions
from hub.store.entries import EntryStore, JournalKey


class ReadPassage(msgspec.Struct, frozen=True):
    """A passage. Where it is `sealed`, no key here opened it: whom it is of is left out."""

    passage: Passage
    sealed: bool


class EntryReading:
    """Reads entries of one store. For one event loop."""

    def __init__(self, store: EntryStore, keys: SealKeys) -> None:
        self._store = store
        self._sessions = SealSessions(keys)

    async def passage(self, key: JournalKey, sequence: int, packed: bytes) -> ReadPassage | None:
        """Return the passage that an entry is; None if it is none, or of an unknown version.

        :raises StoreError: if the store cannot be read.
        """
        try:
            record = unpack_record(packed)
        except WireError:
            return None
        if not isinstance(record, PassageRecord):
            return None
        if record.seal:
            session = await self._sessions.before(self._store, key, sequence)
            try:
                return ReadPassage(opened(record, session), sealed=False)
            except SealError:
                bare = msgspec.structs.replace(record, seal=b"")
                return ReadPassage(opened(bare, None), sealed=True)
        return ReadPassage(opened(record, None), sealed=False)
