"""Enquiries: somebody at the appliance looks one number up, outside of any lane."""

from __future__ import annotations

from enum import StrEnum

from admission.credential import CredentialKind
from admission.instant import Instant
from admission.passage import Event, Passage
from admission.reading import Symbology
from admission.site import Site
from admission.standing import Standing
from admission.verdict import Card, Outcome

SOURCE = "enquiry"
"""The source of such an entry."""


class Purpose(StrEnum):
    """Why a number is looked up. Values are in the journal; add, never rename."""

    COMPLAINT = "complaint"
    """Somebody says that the gate answered wrongly."""
    CORRECTION = "correction"
    """A record was corrected: has it arrived?"""
    AUDIT = "audit"
    """An inspection compares the gate with the register."""
    TECHNICAL = "technical"
    """An installation or a fault is looked into."""


def enquiry(
    site: Site, standing: Standing, purpose: Purpose, *, digest: bytes, now: Instant
) -> Passage:
    """Return the entry of one look-up that no lane asked for. It admits nobody.

    :param digest: keyed digest of the number (`passage.code_digest`).
    """
    return Passage(
        site=site.id,
        lane="",
        source=SOURCE,
        symbology=Symbology.UNSTATED,
        kind=CredentialKind.UNRECOGNISED,
        code_digest=digest,
        person=standing.person,
        outcome=Outcome.REFER,
        card=Card.NONE,
        reasons=(),
        directive=site.directive,
        rulebook="",
        release=standing.release.sequence if standing.release else None,
        wall_ns=now.wall_ns,
        monotonic_ns=now.monotonic_ns,
        boot_id=now.boot_id,
        clock_trust=now.trust,
        event=Event.ENQUIRY,
        note=purpose.value,
    )
