"""What an officer may do at the gate: decide otherwise than it did, ask for a correction."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from admission.instant import Instant
from admission.passage import Event, Passage, entry_without_code
from admission.site import Site
from admission.standing import Officer
from admission.verdict import Outcome, Reason
from admission.zone import count_note, counted


class OverrideReason(StrEnum):
    """Why an officer decided otherwise. Values are in the journal; add, never rename."""

    DOCUMENT_CHECKED = "document_checked"
    """The person's paper or identity document was checked by eye."""
    EMERGENCY = "emergency"
    ESSENTIAL_SERVICE = "essential_service"
    """Ambulance, electricity, water, goods on the list."""
    ESCORTED = "escorted"
    """Somebody who answers for the person goes along."""
    DATA_ERROR = "data_error"
    """What is on record is wrong or missing."""
    GATE_ERROR = "gate_error"
    """The gate misread, or did not open."""
    WRONG_PERSON = "wrong_person"
    """The code belongs to somebody else."""
    FALSE_DOCUMENT = "false_document"
    SAFETY = "safety"
    """The place or the people in it would be in danger."""
    OTHER_ORDERED = "other_ordered"
    """A superior ordered it."""


class CorrectionTopic(StrEnum):
    """What an officer asks to have corrected. Values are in the journal; add, never rename."""

    DOSE_MISSING = "dose_missing"
    DOSE_WRONG = "dose_wrong"
    RECOVERY_MISSING = "recovery_missing"
    TEST_MISSING = "test_missing"
    DECLARATION_MISSING = "declaration_missing"
    ISOLATION_OVER = "isolation_over"
    NAME_WRONG = "name_wrong"
    BIRTH_DATE_WRONG = "birth_date_wrong"
    PERMIT_MISSING = "permit_missing"
    ROSTER_MISSING = "roster_missing"


REASONS_TO_ADMIT = (
    OverrideReason.DOCUMENT_CHECKED,
    OverrideReason.EMERGENCY,
    OverrideReason.ESSENTIAL_SERVICE,
    OverrideReason.ESCORTED,
    OverrideReason.DATA_ERROR,
    OverrideReason.GATE_ERROR,
    OverrideReason.OTHER_ORDERED,
)
REASONS_TO_REFUSE = (
    OverrideReason.WRONG_PERSON,
    OverrideReason.FALSE_DOCUMENT,
    OverrideReason.SAFETY,
    OverrideReason.DATA_ERROR,
    OverrideReason.GATE_ERROR,
    OverrideReason.OTHER_ORDERED,
)


def reasons_for(outcome: Outcome) -> tuple[OverrideReason, ...]:
    """Return the reasons an officer may choose from, none for REFER: that is the gate's word."""
    if outcome is Outcome.ADMIT:
        return REASONS_TO_ADMIT
    return REASONS_TO_REFUSE if outcome is Outcome.REFUSE else ()


def overridden(
    scan: Passage,
    sequence: int,
    outcome: Outcome,
    reason: OverrideReason,
    *,
    officer: Officer,
    now: Instant,
) -> Passage:
    """Return the entry of an officer's decision about an earlier entry.

    :param scan: the entry that stands under `sequence`.
    :raises ValueError: if the reason is not one for this outcome, or `scan` is no scan.
    """
    if reason not in reasons_for(outcome):
        msg = f"{reason} is no reason to {outcome}"
        raise ValueError(msg)
    return msgspec.structs.replace(
        _about(scan, sequence, officer, now),
        event=Event.OVERRIDE,
        outcome=outcome,
        reasons=(Reason.OVERRIDDEN,),
        note=reason.value,
    )


def correction(
    scan: Passage, sequence: int, topic: CorrectionTopic, *, officer: Officer, now: Instant
) -> Passage:
    """Return the entry that asks for the record of an earlier entry's person to be corrected.

    Outcome and reasons stay those of the scan: they say what the wrong record led to.

    :param scan: the entry that stands under `sequence`.
    :raises ValueError: if `scan` is no scan or names nobody.
    """
    if scan.person is None:
        raise ValueError("the entry names nobody whose record could be corrected")
    return msgspec.structs.replace(
        _about(scan, sequence, officer, now), event=Event.CORRECTION, note=topic.value
    )


def recount(
    site: Site, lane: str, inside: int, workers: int, *, officer: Officer, now: Instant
) -> Passage:
    """Return the entry by which an officer states how many are inside.

    :param lane: where the officer signed in.
    :param workers: how many of them are on the site's roster.
    :raises ValueError: if these are no counts, or more workers than people.
    """
    note = count_note(inside, workers)
    if counted(note) is None:
        msg = f"{workers} workers of {inside} people is no count"
        raise ValueError(msg)
    return msgspec.structs.replace(
        entry_without_code(site, lane, source="desk", event=Event.COUNT, note=note, now=now),
        officer=officer.number,
    )


def _about(scan: Passage, sequence: int, officer: Officer, now: Instant) -> Passage:
    """Return the scan's entry as one of now, by this officer, about the scan."""
    if scan.event is not Event.SCAN:
        raise ValueError("an officer acts on a scan, not on another officer's act")
    # Alerts and doubts are the scan's: told once, counted once.
    return msgspec.structs.replace(
        scan,
        wall_ns=now.wall_ns,
        monotonic_ns=now.monotonic_ns,
        boot_id=now.boot_id,
        clock_trust=now.trust,
        about=sequence,
        officer=officer.number,
        alerts=(),
        doubts=(),
    )
