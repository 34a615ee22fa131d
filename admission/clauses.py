"""The clauses of the policy that a place asks for, one function each, in the policy's order.

Each looks at one case and returns what it finds, or None. `decide` asks all of them: the
strictest finding answers. None of them can admit anybody.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

import msgspec

from admission.credential import Credential, Pass, PassKind
from admission.hours import within
from admission.instant import Instant
from admission.presence import Presence
from admission.rulebook import Needs, Rulebook
from admission.site import Place, Site
from admission.standing import (
    CredentialStatus,
    Permit,
    PersonFacts,
    RosterEntry,
    Standing,
    TestResult,
)
from admission.verdict import Card, Outcome, Reason

HOUR_NS = 3_600_000_000_000
PLACES = tuple(Place)
"""Place kinds by their bit in `Permit.places`."""


class Question(msgspec.Struct, frozen=True):
    """May this person pass here and now? Everything that the answer depends on.

    `local` is the gate's own time and `today` its date, None where nobody vouches for it.
    """

    credential: Credential
    standing: Standing
    rulebook: Rulebook
    site: Site
    now: Instant
    here: Presence
    today: date | None
    local: datetime | None


class Case(Question, frozen=True, kw_only=True):
    """A question that no block and no doubt has answered: one for the clauses.

    `facts` are those on record together with what a proven certificate adds, `card` the card that
    they give today, `needs` what the place asks for; the date is certain.
    """

    facts: PersonFacts
    card: Card
    needs: Needs
    today: date
    local: datetime


class Finding(NamedTuple):
    """What stands against letting this person in."""

    outcome: Outcome
    reason: Reason
    to_leave: int | None = None


def identity(case: Case) -> Finding | None:
    """Identity: declared data that are not those on record, or are of several people."""
    # Whose card would it be? An officer compares the person with the document.
    if case.standing.mismatch or case.standing.differs:
        return Finding(Outcome.REFER, Reason.IDENTITY_MISMATCH)
    return None


def declaration(case: Case) -> Finding | None:
    """Health declaration: missing or older than the limit, or with symptoms or exposure ticked."""
    facts, limit_h = case.facts, case.needs.declaration_max_age_h
    if facts.symptoms or facts.exposure:
        return Finding(Outcome.REFER, Reason.SEE_OFFICER)
    if limit_h is not None and not _is_recent(facts.declared_h, limit_h, case.now):
        return Finding(Outcome.REFER, Reason.DECLARATION_NEEDED)
    return None


def test(case: Case) -> Finding | None:
    """Negative test: where the site requires one, missing or older than its limit."""
    facts, limit_h = case.facts, case.needs.test_max_age_h
    if limit_h is None:
        return None
    if facts.test_result is TestResult.POSITIVE:
        return Finding(Outcome.REFER, Reason.SEE_OFFICER)
    if facts.test_result is TestResult.NONE or not _is_recent(facts.tested_h, limit_h, case.now):
        return Finding(Outcome.REFER, Reason.TEST_NEEDED)
    return None


def permit(case: Case) -> Finding | None:
    """Movement permit: where one is required or stands in, for this place, district and hour."""
    granted, stands_for_card = case.credential.granted, stands_in(case)
    if not case.needs.permit and not stands_for_card:
        return None
    if granted is not None and granted.kind is PassKind.PERMIT:
        reason = fault_of_pass(granted, case.site, case.local)
        return None if reason is None else Finding(Outcome.REFUSE, _AS_PERMIT[reason])
    if stands_for_card:  # another kind of pass, whose own clause looks at it
        return None
    if "permits" in case.standing.unreadable:
        return Finding(Outcome.REFER, Reason.CANNOT_DECIDE)
    faults = [_fault_of_permit(one, case) for one in case.standing.permits]
    if not faults:
        return Finding(Outcome.REFUSE, Reason.PERMIT_NEEDED)
    if all(faults):  # one sound permit is enough; of several faults the nearest to sound
        return Finding(Outcome.REFUSE, max(filter(None, faults), key=_NEARNESS.index))
    return None


def visitor(case: Case) -> Finding | None:
    """Visitor's pass: for this place, district, site and hour."""
    granted = case.credential.granted
    if granted is None or granted.kind is not PassKind.VISITOR:
        return None
    reason = fault_of_pass(granted, case.site, case.local)
    return None if reason is None else Finding(Outcome.REFUSE, reason)


def roster(case: Case) -> Finding | None:
    """Employer's roster: on the site's approved list, within the shift, below the headcount."""
    asked = (case.needs.roster and case.standing.rostered) or case.site.demands.roster
    if not asked or stands_in(case):
        return None
    entry, finding = case.standing.roster, None
    if not case.standing.rostered or "roster" in case.standing.unreadable:
        finding = Finding(Outcome.REFER, Reason.CANNOT_DECIDE)
    elif entry is None or not is_listed(entry, case.local):
        finding = Finding(Outcome.REFUSE, Reason.NOT_ON_ROSTER)
    elif entry.shift is not None and not entry.shift.include(case.local):
        finding = Finding(Outcome.REFUSE, Reason.OUTSIDE_SHIFT)
    elif _is_reached(case.site.demands.headcount, case.here.workers_inside):
        finding = Finding(Outcome.REFUSE, Reason.HEADCOUNT_REACHED)
    return finding


def occupancy(case: Case) -> Finding | None:
    """Occupancy: the zone is full; how many must leave first."""
    capacity, inside = case.site.demands.capacity, case.here.inside
    if capacity is None or inside < capacity:
        return None
    return Finding(Outcome.REFUSE, Reason.ZONE_FULL, inside - capacity + 1)


def anti_passback(case: Case) -> Finding | None:
    """Anti-passback: the same credential again in the same direction within the window."""
    return Finding(Outcome.REFER, Reason.ANTI_PASSBACK) if is_passed_back(case) else None


def opening_hours(case: Case) -> Finding | None:
    """Time windows: nobody enters while the site is closed."""
    if within(case.site.demands.hours, case.local):
        return None
    return Finding(Outcome.REFUSE, Reason.OUTSIDE_HOURS)


def card(case: Case) -> Finding | None:
    """Card: what it opens at this kind of place under the directive in force.

    A card that does not open this place is worth no less here than none: same answer, by place.
    A site may let people in without one, for essential needs.
    """
    rulebook, site = case.rulebook, case.site
    if stands_in(case):
        return None
    if site.directive not in rulebook.directives:
        return Finding(Outcome.REFER, Reason.NO_RULE)
    opening = rulebook.opening(site.directive, case.card, site.place)
    if site.demands.essential or opening is not None:
        return None
    reason = Reason.NO_CARD if case.card is Card.NONE else Reason.CARD_DOES_NOT_OPEN
    return Finding(rulebook.no_card[site.place], reason)


CLAUSES = (
    identity,
    declaration,
    test,
    permit,
    visitor,
    roster,
    occupancy,
    anti_passback,
    opening_hours,
    card,
)
"""All of them, in the order of the policy; the card, which they precede, comes last."""


def is_passed_back(asked: Question) -> bool:
    """Return whether this credential passes a second time within the window, and may not."""
    rule, ago_ns = asked.rulebook.anti_passback, asked.here.passed_ago_ns
    if ago_ns is None:
        return False
    credential, site = asked.credential, asked.site
    excepted = (
        credential.kind in rule.kinds
        or (credential.granted is not None and credential.granted.kind in rule.passes)
        or site.place in rule.places
    )
    own_s = site.demands.anti_passback_s
    window_ns = rule.window_ns if own_s is None else own_s * 1_000_000_000
    return not excepted and ago_ns < window_ns


def stands_in(asked: Question) -> bool:
    """Return whether the pass stands in for card, record and roster at this place."""
    granted, site = asked.credential.granted, asked.site
    return granted is not None and asked.rulebook.lets_pass(
        site.directive, granted.kind, site.place
    )


def fault_of_pass(granted: Pass, site: Site, local: datetime) -> Reason | None:
    """Return why a pass does not count at this site at this hour, None where it does.

    Its validity is the proof's, and is judged apart.
    """
    here = (
        (not granted.places or site.place in granted.places)
        and (not granted.districts or site.district_code in granted.districts)
        and (not granted.sites or site.id in granted.sites)
    )
    if not here:
        return Reason.PASS_ELSEWHERE
    return None if within(granted.hours, local) else Reason.PASS_HOURS


def is_listed(entry: RosterEntry, local: datetime) -> bool:
    """Return whether the entry counts now. A night shift belongs to the day on which it began."""
    shift = entry.shift
    day = shift.day_of(local) if shift is not None and shift.include(local) else local.date()
    return (
        entry.status is CredentialStatus.ACTIVE
        and (entry.first_day is None or entry.first_day <= day)
        and (entry.last_day is None or day <= entry.last_day)
    )


def _is_recent(at_h: int | None, limit_h: int, now: Instant) -> bool:
    """Not older than the limit. Hours on record are rounded down; one ahead is a clock's error."""
    if at_h is None:
        return False
    age_ns = now.wall_ns - at_h * HOUR_NS
    return -HOUR_NS <= age_ns <= limit_h * HOUR_NS


def _is_reached(limit: int | None, count: int) -> bool:
    return limit is not None and count >= limit


_NEARNESS = (
    Reason.PERMIT_REVOKED,
    Reason.PERMIT_EXPIRED,
    Reason.PERMIT_ELSEWHERE,
    Reason.PERMIT_HOURS,
)
"""A permit's faults, the nearest to a sound permit last: what its holder can do most about."""

_AS_PERMIT = {
    Reason.PASS_ELSEWHERE: Reason.PERMIT_ELSEWHERE,
    Reason.PASS_HOURS: Reason.PERMIT_HOURS,
}


def _fault_of_permit(one: Permit, case: Case) -> Reason | None:
    if one.status is not CredentialStatus.ACTIVE:
        return Reason.PERMIT_REVOKED
    if not one.from_h * HOUR_NS <= case.now.wall_ns < one.until_h * HOUR_NS:
        return Reason.PERMIT_EXPIRED
    site = case.site
    elsewhere = one.places and not one.places >> PLACES.index(site.place) & 1
    if elsewhere or (one.district and one.district != site.district_code):
        return Reason.PERMIT_ELSEWHERE
    if one.hours is not None and not one.hours.include(case.local):
        return Reason.PERMIT_HOURS
    return None
