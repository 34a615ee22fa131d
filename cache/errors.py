"""Errors of the cache.

CacheError
├── ReplicaError
│   ├── LayoutError         facts that do not fit the record layout, or an unknown layout
│   ├── BuildError          rows that cannot become a segment: unsorted, contradictory, too many
│   ├── SegmentError        a file that is not the segment it claims to be
│   │   └── DamagedPage     one page of an open segment fails its CRC
│   ├── AliasError          a further identifier of which it cannot be said whose it is
│   ├── MergeStopped        a merge was told to stop: nothing came of it
│   ├── HeadError           a head that is malformed, oversized or wrongly signed
│   │   ├── HeadRolledBack  older than what was accepted, or the same sequence with another body
│   │   ├── HeadExpired     no longer vouched for
│   │   └── HeadKeyUnknown  signed by a key that is not trusted here
│   ├── DeltaError          changes that are malformed, out of bounds or not of this base
│   ├── TrustError          metadata (TUF) that is malformed, wrongly signed, or not what was named
│   │   ├── TrustRolledBack older than what was accepted
│   │   └── TrustExpired    no longer vouched for: it serves only to load newer
│   ├── TimeProofError      a time proof that is malformed, wrongly signed or for another nonce
│   ├── KeyFileError        a key file that is missing, malformed or readable by others
│   ├── StoreError          the replica's directory cannot be read or written
│   └── SourceError         the upstream cannot be reached, or answers out of bounds
│       └── FileAbsent      it answers that it has no such file
└── JournalError            the journal cannot be read or written; its own tree is drawn in
                            `cache.journal.errors`
"""

from __future__ import annotations

from admission.errors import ChotError


class CacheError(ChotError):
    """Root of this package's errors; see `ChotError`."""


class ReplicaError(CacheError):
    """Root of the replica's errors."""


class LayoutError(ReplicaError):
    """Facts do not fit the record layout, or the layout is not one that this version knows."""


class BuildError(ReplicaError):
    """Rows cannot become a segment: unsorted, contradictory or too many."""


class SegmentError(ReplicaError):
    """A file is not the segment that it claims to be: truncated, damaged, foreign or too new."""


class DamagedPage(SegmentError):  # noqa: N818 - names the condition, as `struct.error` cannot
    """One page of an open segment fails its CRC: what it would answer is unknown."""


class AliasError(ReplicaError):
    """A further identifier cannot be read, or leads to nobody: whose it is is unknown."""


class MergeStopped(ReplicaError):  # noqa: N818 - names what happened
    """A merge, or a segment's making from a snapshot, was told to stop before it was done."""


class HeadError(ReplicaError):
    """A head is malformed, oversized or not signed by a key that is trusted here."""


class HeadRolledBack(HeadError):  # noqa: N818 - names the attack
    """A head is older than one already accepted, or repeats its sequence with another body."""


class HeadExpired(HeadError):  # noqa: N818 - names the state
    """A head expired before this moment, as a trusted clock tells it."""


class HeadKeyUnknown(HeadError):  # noqa: N818 - names the state
    """A head is signed by a key that is not trusted here, or not any more."""


class DeltaError(ReplicaError):
    """Changes are malformed, out of bounds, or contradict the base or each other."""


class TrustError(ReplicaError):
    """Metadata (TUF) is malformed, oversized, wrongly signed, or not what newer metadata names."""


class TrustRolledBack(TrustError):  # noqa: N818 - names the attack
    """Metadata is older than what was accepted before."""


class TrustExpired(TrustError):  # noqa: N818 - names the state
    """Metadata expired before this moment, as a trusted clock tells it."""


class TimeProofError(ReplicaError):
    """A time proof is malformed, not signed by a trusted key, or answers another nonce."""


class KeyFileError(ReplicaError):
    """A key file is missing, malformed, or a secret that others may read."""


class StoreError(ReplicaError):
    """The replica's directory cannot be read or written."""


class SourceError(ReplicaError):
    """The upstream cannot be reached, or its answer is out of bounds."""


class FileAbsent(SourceError):  # noqa: N818 - names the state
    """An upstream has no such file; what it says of others may still hold."""


class JournalError(CacheError):
    """The journal cannot be read or written."""
