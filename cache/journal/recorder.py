"""Making records of what is to be written: one session of seals for each file.

On the writer's thread only. While no recipient is known, or none that a key can be agreed on with,
personal data is left out of what is written: it is never there in the clear.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from admission.errors import SealError
from admission.journal_record import (
    Followup,
    pack_followup,
    pack_passage_record,
    pack_public,
    pack_sealed,
    pack_session,
)
from admission.passage import Passage
from admission.sealing import Sealer, raw_public

_EPHEMERAL_BYTES = 32

Recipient = Callable[[], X25519PublicKey | None]


class Draft:
    """An entry that is to be written. `personal` is sealed; None, `public` is the whole record."""

    __slots__ = ("personal", "public")

    def __init__(self, public: bytes, personal: bytes | None = None) -> None:
        self.public = public
        self.personal = personal


def draft_of(entry: Passage | Followup) -> Draft:
    """Return what is to be written of an entry."""
    if isinstance(entry, Followup):
        return Draft(pack_followup(entry))
    return Draft(pack_public(entry), pack_sealed(entry))


class Recorder:
    """Turns drafts into records, sealed for whoever the recipient is when a file begins.

    :param recipient: tells the hub's public key now, None while it is not known; must not block.
    :param random_bytes: `os.urandom` or the like: a fresh private key for every session.
    :param journal: the journal's 16-byte id.
    """

    def __init__(
        self, recipient: Recipient, random_bytes: Callable[[int], bytes], journal: bytes
    ) -> None:
        self._recipient = recipient
        self._random_bytes = random_bytes
        self._journal = journal
        self._key: X25519PublicKey | None = None
        self._sealer: Sealer | None = None
        self.unsealed = 0
        """How many records were made of which personal data had to be left out."""

    def begin(self) -> tuple[bytes, ...]:
        """Begin a file's session; return the records that stand first in the file."""
        self._key, self._sealer = self._recipient(), None
        if self._key is None:
            return ()
        try:
            sealer = Sealer(self._key, self._random_bytes(_EPHEMERAL_BYTES), self._journal)
        except SealError:
            return ()
        self._sealer = sealer
        return (pack_session(sealer.session),)

    @property
    def ended(self) -> bool:
        """Whether a new file has to begin: for another recipient, or since the session is spent."""
        if self._sealer is not None and self._sealer.spent:
            return True
        key, former = self._recipient(), self._key
        if key is former:
            return False
        return key is None or former is None or raw_public(key) != raw_public(former)

    def record(self, draft: Draft) -> bytes:
        """Return the draft's record."""
        if draft.personal is None:
            return draft.public
        if self._sealer is None:
            self.unsealed += 1
            return pack_passage_record(draft.public, b"")
        return pack_passage_record(draft.public, self._sealer.seal(draft.personal, draft.public))
