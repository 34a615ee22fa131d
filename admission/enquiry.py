"""Enquiries: somebody at the appliance looks one number up, outside of any lane."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from admission.instant import Instant
from admission.passage import Event, Passage, entry_without_code
from admission.site import Site
from admission.standing import Standing

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
    return msgspec.structs.replace(
        entry_without_code(
            site, "", source=SOURCE, event=Event.ENQUIRY, note=purpose.value, now=now
        ),
        code_digest=digest,
        person=standing.person,
        release=standing.release.sequence if standing.release else None,
    )
