"""Entries as gates seal them, and a hub's key that opens them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.journal_record import (
    pack_passage_record,
    pack_public,
    pack_sealed,
    pack_session,
)
from admission.passage import Passage
from admission.sealing import OpenedSession, Opener, Sealer, SealSession
from admission.wire import Entry
from tests.hub.gates import JOURNAL, chain

SEAL_KEY = X25519PrivateKey.from_private_bytes(bytes([8]) * 32)


class Keys:
    """Stands behind `hub.seal_sessions.SealKeys`."""

    def __init__(self, *keys: X25519PrivateKey) -> None:
        self._openers = {opener.key_id: opener for opener in map(Opener, keys)}

    def session(self, record: SealSession, journal: bytes) -> OpenedSession | None:
        opener = self._openers.get(record.recipient)
        return opener.begin(record, journal) if opener else None


def sealed(
    passages: list[Passage], key: X25519PrivateKey = SEAL_KEY, journal: bytes = JOURNAL
) -> list[Entry]:
    """Return a journal: its session first, then the passages, sealed for this key."""
    sealer = Sealer(key.public_key(), bytes([9]) * 32, journal)
    packed = [pack_session(sealer.session)]
    for passage in passages:
        public = pack_public(passage)
        packed.append(pack_passage_record(public, sealer.seal(pack_sealed(passage), public)))
    return chain(packed, journal)
