"""Opens what gates have sealed, with whichever of the hub's keys it was sealed for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.errors import SealError
from admission.sealing import OpenedSession, Opener, SealSession
from hub.keys import HubKeys

MAX_SESSIONS = 4_096
"""Sessions that are kept open: agreeing on a key costs 50 µs, a hub has a few per gate and day."""


class Seals:
    """The hub's keys for seals, at work. For one thread."""

    def __init__(self, keys: Iterable[X25519PrivateKey]) -> None:
        openers = (Opener(key) for key in keys)
        self._openers = {opener.key_id: opener for opener in openers}
        self._sessions: OrderedDict[tuple[bytes, bytes, bytes], OpenedSession] = OrderedDict()

    @classmethod
    def of(cls, keys: HubKeys) -> Self:
        """Return the seals that the keys of a folder open, the present one and former ones."""
        present = keys.seals.present
        return cls([*keys.seals.former, *([] if present is None else [present])])

    def session(self, record: SealSession, journal: bytes) -> OpenedSession | None:
        """Return what opens the seals of a session of a journal, None where no key here does."""
        name = (record.recipient, record.ephemeral, journal)
        opened = self._sessions.get(name)
        if opened is not None:
            self._sessions.move_to_end(name)
            return opened
        opener = self._openers.get(record.recipient)
        if opener is None:
            return None
        try:
            opened = opener.begin(record, journal)
        except SealError:
            return None
        self._sessions[name] = opened
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return opened
