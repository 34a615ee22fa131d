"""Whose heads count here, and for what: the replica's side of its trust."""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.instant import Instant
from cache.replica.head import Head
from cache.replica.source import ReplicaSource


class Vouching(Protocol):
    """Who may sign heads, and which bases and documents these may name."""

    @property
    def head_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """The keys that may sign a head now."""
        ...

    @property
    def former_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Keys under which a head that was accepted, and lies here, still serves at boot."""
        ...

    @property
    def version(self) -> int:
        """The version of the targets that are known here; a head may ask for a newer one."""
        ...

    def require(self, head: Head) -> None:
        """Return if every base and document that a head names is vouched for.

        :raises ReplicaError: if one is not.
        """
        ...

    async def refresh(self, source: ReplicaSource, now: Instant) -> bool:
        """Take what is newer, if an upstream has it and it is sound; return whether it had.

        :raises ReplicaError: if that fails; what was known before still counts.
        """
        ...
