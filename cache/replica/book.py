"""The book: the replica behind the `Book` port. One reference is swapped, nothing is locked."""

from __future__ import annotations

from typing import NamedTuple

from admission.credential import Credential
from admission.identity import PersonKey, person_keyer
from admission.instant import Instant
from admission.standing import Lookup, Release, Standing
from cache.replica.head import Head
from cache.replica.segment import Segment


class _Open(NamedTuple):
    segment: Segment
    release: Release


class ReplicaBook:
    """Implements `admission.ports.Book` over the active segment.

    :param hash_key: the region's hash key, 32 secret bytes.
    """

    def __init__(self, hash_key: bytes) -> None:
        self._key_of = person_keyer(hash_key)
        self._open: _Open | None = None
        self.unreadable_lookups = 0
        """Look-ups answered UNREADABLE since start."""

    def swap(self, segment: Segment, head: Head) -> None:
        """Answer from this segment from now on; readers of the old one keep it until they end."""
        release = Release(head.sequence, head.issued_ns, head.expires_ns)
        self._open = _Open(segment, release)

    @property
    def release(self) -> Release | None:
        """The release that answers, or None before the first activation."""
        return self._open.release if self._open else None

    @property
    def rows(self) -> int:
        """Identifiers on record."""
        return self._open.segment.header.rows if self._open else 0

    @property
    def damaged_pages(self) -> int:
        """Damaged pages found in the active segment."""
        return self._open.segment.damaged_pages if self._open else 0

    def standing_of(self, credential: Credential, now: Instant) -> Standing:  # noqa: ARG002 - the port's
        """Return the standing; see `admission.ports.Book`.

        An identifier whose page is damaged ends the search: a revocation may be written there, so a
        later identifier must not answer in its place.
        """
        current = self._open
        release = current.release if current else None
        first: PersonKey | None = None
        try:
            for identifier in credential.identifiers:
                key = self._key_of(identifier)
                first = key if first is None else first
                if current is None:
                    return Standing(Lookup.NO_REPLICA, first)
                record = current.segment.find(key)
                if record is not None:
                    facts = current.segment.layout.unpack(record)
                    return Standing(Lookup.FOUND, key, facts, release)
        except Exception:  # noqa: BLE001 - the port never raises, and what failed cannot answer
            self.unreadable_lookups += 1
            return Standing(Lookup.UNREADABLE, first, None, release)
        lookup = Lookup.NOTHING_TO_LOOK_UP if first is None else Lookup.NOT_FOUND
        return Standing(lookup, first, None, release)
