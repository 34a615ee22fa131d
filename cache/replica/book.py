"""The book: the replica behind the `Book` port. One reference is swapped, nothing is locked."""

from __future__ import annotations

from typing import NamedTuple

from admission.credential import Credential
from admission.identity import PersonKey, person_keyer
from admission.instant import Instant
from admission.standing import Lookup, PersonFacts, Release, Standing, combined
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

        One identifier whose page is damaged makes the whole unreadable: a revocation may be written
        there, so the others must not answer in its place.
        """
        current = self._open
        release = current.release if current else None
        keys: list[PersonKey] = []
        records: list[PersonFacts] = []
        found: PersonKey | None = None
        try:
            keys = [self._key_of(identifier) for identifier in credential.identifiers]
            if not keys:
                return Standing(Lookup.NOTHING_TO_LOOK_UP, None, None, release)
            if current is None:
                return Standing(Lookup.NO_REPLICA, keys[0])
            for key in keys:
                record = current.segment.find(key)
                if record is not None:
                    found = key if found is None else found
                    records.append(current.segment.layout.unpack(record))
        except Exception:  # noqa: BLE001 - the port never raises, and what failed cannot answer
            self.unreadable_lookups += 1
            return Standing(Lookup.UNREADABLE, keys[0] if keys else None, None, release)
        if not records:
            return Standing(Lookup.NOT_FOUND, keys[0], None, release)
        facts, clash = combined(records)
        return Standing(Lookup.FOUND, found, facts, release, clash)
