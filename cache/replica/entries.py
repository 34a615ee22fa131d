"""Which of several entries counts, where a credential's numbers lead to more than one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from admission.credential import Proof
from admission.standing import CredentialStatus, Officer, RosterEntry, WatchEntry, Withdrawal

_HOUR_NS = 3_600 * 1_000_000_000

Listed = TypeVar("Listed", RosterEntry, Officer)


def withdraws(row: Withdrawal, proof: Proof) -> bool:
    """Return whether an entry of `credentials` means a credential with this proof.

    One that does not say from when it counts cannot show that it is a later one.
    """
    if row.status is not CredentialStatus.REVOKED:
        return False
    if row.not_before_h is None or proof.not_before_ns is None:
        return True
    return proof.not_before_ns < row.not_before_h * _HOUR_NS


def strictest(entries: Sequence[Listed]) -> Listed:
    """Return the first entry, or the first one revoked: no second number hides a revocation."""
    return max(entries, key=_status)


def longest(entries: Sequence[WatchEntry]) -> WatchEntry:
    """Return the entry that is in force, and of several the one that is for longest."""
    return max(
        entries,
        key=lambda e: (e.status is CredentialStatus.ACTIVE, e.until is None, e.until or date.min),
    )


def _status(entry: RosterEntry | Officer) -> int:
    return entry.status
