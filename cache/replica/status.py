"""What the appliance shows of its replica: how rounds end, and what is known now."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from admission.instant import Instant
from cache.replica.merging import MergeOutcome
from cache.replica.source import FileKind


class Outcome(StrEnum):
    """How one round ended."""

    ACTIVATED = "activated"
    """Segments or documents were fetched or opened, and answer now."""
    REVOUCHED = "revouched"
    """A newer head vouches for the release that answers already."""
    UNCHANGED = "unchanged"
    """The head is the one accepted last."""
    UNREACHABLE = "unreachable"
    """The upstream did not answer, or not within bounds."""
    REFUSED = "refused"
    """What it sent must not be accepted: wrongly signed, older, expired, damaged, unknown."""
    FAILED = "failed"
    """The appliance itself failed: disk, permissions, a defect."""


GOOD_OUTCOMES = frozenset({Outcome.ACTIVATED, Outcome.REVOUCHED, Outcome.UNCHANGED})


class ReplicaStatus(msgspec.Struct, frozen=True):
    """What the appliance shows of its replica. The first four are None before any release."""

    sequence: int | None
    issued_ns: int | None
    expires_ns: int | None
    last_success: Instant | None
    """When a round last ended well, since start."""
    rows: int
    """Identifiers on record."""
    datasets: dict[str, int]
    """Rows by kind of dataset (`names.RECORDS`)."""
    documents: int
    """Documents that are held."""
    missing: int
    """Datasets and documents that the release names and that are not held."""
    damaged_pages: int
    unreadable_lookups: int
    last_error: str
    """Why the last round failed; empty after a good one."""
    last_error_hint: str
    numbers: dict[str, int]
    """The number of the last change that counts, by kind of dataset; 0 = the base alone."""
    deltas_applied: int
    """Delta files that came to count since start."""
    healed_pages: int
    """Pages of stored segments that were mended since start."""
    fetched_bytes: dict[FileKind, int]
    """Bytes of files that came since start."""
    merges: dict[MergeOutcome, int]
    """Merges since start by outcome."""
    merge_error: str
    """Why the last merge did not end well; empty if it did."""
    trust_error: str
    """Why the trust metadata could not be looked after; empty if it could."""
    documents_error: str
    """What went wrong when the documents were last handed on; empty if nothing did."""
    rounds: dict[Outcome, int]
    """Rounds since start by outcome."""
