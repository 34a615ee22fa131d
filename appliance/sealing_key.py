"""Whom this gate seals entries for: the hub's key, as the documents in force name it."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from admission.errors import TrustError
from admission.seal_recipient import read_recipient
from admission.sealing import key_id
from appliance.documents import Documents
from appliance.health import Finding
from cache.replica.names import SEAL_JOURNAL

UNKNOWN = (
    "the hub has not told its key for entries: nobody is named in them"
    " (the hub: chot hub init, then start it anew)"
)


class SealingKey:
    """Follows the documents in force, which come with each release and are kept over restarts.

    Without one there is no recipient: entries are then written without whom they are of. One that
    cannot be used leaves the one before in force.
    """

    def __init__(self, documents: Documents) -> None:
        self._recipient: X25519PublicKey | None = None
        self._refused = ""
        documents.listen(self._take)

    @property
    def recipient(self) -> X25519PublicKey | None:
        """The hub's public key. May be asked from any thread."""
        return self._recipient

    def finding(self) -> Finding:
        """Return whether entries can say whom they are of, for the health report."""
        recipient = self._recipient
        if recipient is None:
            return Finding(ok=False, why=self._refused or UNKNOWN)
        facts: dict[str, str | int | float | bool | None] = {"key": key_id(recipient).hex()}
        return Finding(ok=not self._refused, why=self._refused, facts=facts)

    def _take(self, documents: Mapping[str, bytes]) -> None:
        data = documents.get(SEAL_JOURNAL)
        self._refused = ""
        if data is None:
            self._recipient = None
            return
        try:
            self._recipient = read_recipient(data)
        except TrustError as error:
            self._refused = str(error) if data else "the document of the seal's key is not here"
