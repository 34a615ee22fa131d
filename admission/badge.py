"""Whose badge opens the officer's desk at a site.

A static, unsigned code never signs anybody in: whoever has seen it can print it. The badge is a
signed Chốt pass of its own kind, and the account behind it has to count here and today.
"""

from __future__ import annotations

from datetime import date

from admission.clauses import fault_of_pass
from admission.credential import Credential, PassKind, Proof, Signature
from admission.instant import Instant
from admission.local_time import local_time
from admission.site import Site
from admission.standing import CredentialStatus, Lookup, Officer, Standing

_NEEDED = frozenset({"officers", "credentials"})
"""Datasets without whose answer nobody is an officer."""


def officer_of(
    credential: Credential, standing: Standing, site: Site, now: Instant
) -> Officer | None:
    """Return the officer whom this badge signs in at this site now, or None. Never raises.

    How old the knowledge may be is `decide`'s business; this asks what would end an officer's
    rights: a signature, a validity or a district that does not hold, a badge or an account that was
    withdrawn, a date that nobody vouches for.
    """
    granted, proof, officer = credential.granted, credential.proof, standing.officer
    if granted is None or granted.kind is not PassKind.OFFICER or officer is None:
        return None
    if proof is None or not _holds(proof, now) or not _is_sound(standing):
        return None
    local = local_time(now, standing.release, site)
    if standing.release is None or local is None:
        return None
    if not _serves(officer, site, local.date()) or fault_of_pass(granted, site, local) is not None:
        return None
    return officer if granted.officer in {None, officer.number} else None


def _serves(officer: Officer, site: Site, today: date) -> bool:
    """Whether the account counts at this site on this day."""
    return (
        officer.status is CredentialStatus.ACTIVE
        and (officer.last_day is None or today <= officer.last_day)
        and officer.district in {0, site.district_code}
    )


def _holds(proof: Proof, now: Instant) -> bool:
    begun = proof.not_before_ns is None or proof.not_before_ns <= now.wall_ns
    over = proof.expires_ns is not None and now.wall_ns >= proof.expires_ns
    return proof.signature is Signature.VALID and begun and not over


def _is_sound(standing: Standing) -> bool:
    facts = standing.facts
    return (
        standing.lookup in {Lookup.FOUND, Lookup.NOT_FOUND}
        and not standing.withdrawn
        and not standing.mismatch
        and (facts is None or facts.status is CredentialStatus.ACTIVE)
        and _NEEDED.isdisjoint(standing.unreadable)
    )
