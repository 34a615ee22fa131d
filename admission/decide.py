"""The decision: each function is a clause of the policy, its figures and places in the rulebook.

The order is the argument:

1. A code that names nobody is answered first: no knowledge could improve on that.
2. What only ever makes the answer stricter counts however old the knowledge is: a revocation for
   good, an isolation until its own last day. A gate that has lost the hub must not forget a block.
3. Everything else, above all ADMIT, needs knowledge that is whole, dated and fresh. Without that
   the answer is REFER: an officer looks, nobody is let in and nobody is turned away.
4. Then who is not on record, then the card and what it opens here under the directive in force.

A verdict is born REFER. One line of this module returns ADMIT.
"""

from __future__ import annotations

from datetime import date

from admission.credential import Credential, CredentialKind
from admission.errors import RuleError
from admission.instant import Instant
from admission.rulebook import Rulebook
from admission.site import Site
from admission.standing import CredentialStatus, Lookup, Release, Standing
from admission.verdict import Card, Outcome, Reason, Verdict

MAX_CLOCK_BEHIND_NS = 600 * 1_000_000_000
"""How far this clock may stand behind the hub's `issued` before it is the clock that is wrong."""


def decide(
    credential: Credential, standing: Standing, rulebook: Rulebook, site: Site, now: Instant
) -> Verdict:
    """Return who may pass: pure, and total over all standings, sites and instants."""
    today = _today(now, standing.release, site)
    return (
        _names_nobody(credential, standing, rulebook, site)
        or _blocked(standing, today)
        or _in_doubt(standing, rulebook, now, today)
        or _not_on_record(standing, rulebook, site)
        or _by_card(standing, rulebook, site, today)
    )


def _names_nobody(
    credential: Credential, standing: Standing, rulebook: Rulebook, site: Site
) -> Verdict | None:
    """Answer a code that is not one of ours, or is one with every number masked."""
    if credential.kind is CredentialKind.UNRECOGNISED:
        return _verdict(Outcome.REFUSE, Reason.UNRECOGNISED)
    if standing.lookup is Lookup.NOTHING_TO_LOOK_UP:
        return _verdict(rulebook.no_record[site.place], Reason.NO_RECORD)
    return None


def _blocked(standing: Standing, today: date | None) -> Verdict | None:
    """Answer what blocks, whatever the card and whatever the age of the knowledge."""
    facts = standing.facts
    if facts is None:
        return None
    if facts.status is not CredentialStatus.ACTIVE:
        return _verdict(Outcome.REFUSE, Reason.REVOKED)
    # Isolation lasts until the end of its last day: only a gate that knows the date can tell.
    if today is not None and facts.isolation_until is not None and today <= facts.isolation_until:
        return _verdict(Outcome.REFUSE, Reason.SEE_OFFICER)
    return None


def _in_doubt(
    standing: Standing, rulebook: Rulebook, now: Instant, today: date | None
) -> Verdict | None:
    """Answer where the knowledge is missing, damaged, undated, old or contradicts itself: REFER."""
    if standing.lookup is Lookup.NO_REPLICA:
        return _verdict(Outcome.REFER, Reason.NO_REPLICA)
    release = standing.release
    if standing.lookup is Lookup.UNREADABLE or release is None:
        return _verdict(Outcome.REFER, Reason.CANNOT_DECIDE)
    # How old the knowledge is can only be said by a clock that somebody vouches for.
    if today is None:
        return _verdict(Outcome.REFER, Reason.CLOCK_UNTRUSTED)
    if _is_stale(release, rulebook, now):
        return _verdict(Outcome.REFER, Reason.STALE_REPLICA)
    # Whose card would it be? An officer compares the person with the document.
    if standing.mismatch:
        return _verdict(Outcome.REFER, Reason.IDENTITY_MISMATCH)
    return None


def _not_on_record(standing: Standing, rulebook: Rulebook, site: Site) -> Verdict | None:
    """Answer a sound code of nobody on record. Data go missing: at a station an officer looks."""
    if standing.lookup is Lookup.NOT_FOUND:
        return _verdict(rulebook.no_record[site.place], Reason.NO_RECORD)
    return None


def _by_card(standing: Standing, rulebook: Rulebook, site: Site, today: date | None) -> Verdict:
    """Answer by the card of the gate's date and what it opens at this kind of place."""
    if standing.lookup is not Lookup.FOUND or standing.facts is None or today is None:
        return _verdict(Outcome.REFER, Reason.CANNOT_DECIDE)
    if site.directive not in rulebook.directives:
        return _verdict(Outcome.REFER, Reason.NO_RULE)
    try:
        card = rulebook.card_of(standing.facts, today)
    except RuleError:
        return _verdict(Outcome.REFER, Reason.FAULT)
    opening = rulebook.opening(site.directive, card, site.place)
    if opening is not None:
        return Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,), card, opening.condition)
    # A card that does not open this place is worth no less here than none: same answer, by place.
    reason = Reason.NO_CARD if card is Card.NONE else Reason.CARD_DOES_NOT_OPEN
    return _verdict(rulebook.no_card[site.place], reason, card)


def _today(now: Instant, release: Release | None, site: Site) -> date | None:
    """Return the gate's date, or None where it cannot be trusted.

    Knowledge from the future means that this clock is wrong, whatever it says of itself: by it old
    knowledge would look fresh, and an isolation that is over would still last.
    """
    if not now.dated:
        return None
    if release is not None and release.vouched_ns - now.wall_ns > MAX_CLOCK_BEHIND_NS:
        return None
    try:
        return now.date_in(site.timezone)
    except (OverflowError, ValueError):
        return None  # outside the calendar: no clock that can be trusted shows that


def _is_stale(release: Release, rulebook: Rulebook, now: Instant) -> bool:
    """Too old for the rulebook, or its head has expired: one of the two is enough."""
    too_old = now.wall_ns - release.vouched_ns > rulebook.replica_max_age_ns
    return too_old or now.wall_ns >= release.expires_ns


def _verdict(outcome: Outcome, reason: Reason, card: Card = Card.NONE) -> Verdict:
    return Verdict(outcome, (reason,), card)
