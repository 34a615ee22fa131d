"""Protects each clause of the policy at its edges: the last hour that counts, and the next one.

Figures and answers were worked out by hand from the policy; 08:00 in Vietnam on Monday, 20
September 2021.
"""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from admission.clauses import CLAUSES, HOUR_NS, PLACES
from admission.credential import (
    Credential,
    CredentialKind,
)
from admission.decide import decide
from admission.identity import PersonKey
from admission.presence import Presence
from admission.rulebook import Rulebook
from admission.site import Demands, Direction, Place, Site, StalePolicy
from admission.standing import (
    Lookup,
    Permit,
    PersonFacts,
    Release,
    RosterEntry,
    Standing,
    TestResult,
    WatchEntry,
)
from admission.verdict import Alert, Outcome, Reason, Verdict
from tests.admission.situations import (
    ACTIVE,
    CODE,
    FACTORY,
    FRESH,
    GREEN,
    MORNING,
    NIGHT,
    NOW,
    NOW_H,
    OLD,
    REVOKED,
    STATION,
    TYPED,
    A,
    F,
    X,
    answer,
    found,
    listed,
    permit,
    site,
    with_facts,
)

CASES: dict[str, tuple[Standing, Site, Outcome, Reason]] = {
    # Health declaration: the site's limit is 24 hours.
    "declared 24 hours ago": (
        with_facts(declared_h=NOW_H - 24), site(declaration_max_age_h=24), A, Reason.CARD_OPENS),
    "declared 25 hours ago": (
        with_facts(declared_h=NOW_H - 25), site(declaration_max_age_h=24),
        F, Reason.DECLARATION_NEEDED),
    "never declared": (found(), site(declaration_max_age_h=24), F, Reason.DECLARATION_NEEDED),
    "declared in the future": (
        with_facts(declared_h=NOW_H + 2), site(declaration_max_age_h=24),
        F, Reason.DECLARATION_NEEDED),
    "never declared, and nobody asks": (found(), site(), A, Reason.CARD_OPENS),
    "symptoms": (with_facts(symptoms=True), site(), F, Reason.SEE_OFFICER),
    "exposure": (with_facts(exposure=True), site(), F, Reason.SEE_OFFICER),
    # Negative test: 72 hours.
    "tested 72 hours ago": (
        with_facts(tested_h=NOW_H - 72, test_result=TestResult.NEGATIVE),
        site(test_max_age_h=72), A, Reason.CARD_OPENS),
    "tested 73 hours ago": (
        with_facts(tested_h=NOW_H - 73, test_result=TestResult.NEGATIVE),
        site(test_max_age_h=72), F, Reason.TEST_NEEDED),
    "never tested": (found(), site(test_max_age_h=72), F, Reason.TEST_NEEDED),
    "tested positive": (
        with_facts(tested_h=NOW_H - 1, test_result=TestResult.POSITIVE),
        site(test_max_age_h=72), F, Reason.SEE_OFFICER),
    # Movement permit: control stations under Directive 16.
    "no permit": (found(), STATION, X, Reason.PERMIT_NEEDED),
    "no permit under 15": (found(), site(Place.CONTROL_STATION), A, Reason.CARD_OPENS),
    "permit": (permit(), STATION, A, Reason.CARD_OPENS),
    "permit in its last hour": (permit(until_h=NOW_H + 1), STATION, A, Reason.CARD_OPENS),
    "permit just over": (permit(until_h=NOW_H), STATION, X, Reason.PERMIT_EXPIRED),
    "permit from tomorrow": (permit(from_h=NOW_H + 24), STATION, X, Reason.PERMIT_EXPIRED),
    "permit revoked": (permit(status=REVOKED), STATION, X, Reason.PERMIT_REVOKED),
    "permit for this district": (permit(district=760), STATION, A, Reason.CARD_OPENS),
    "permit for another district": (permit(district=761), STATION, X, Reason.PERMIT_ELSEWHERE),
    "permit for stations": (permit(places=1), STATION, A, Reason.CARD_OPENS),
    "permit for factories": (
        permit(places=1 << PLACES.index(Place.FACTORY)), STATION, X, Reason.PERMIT_ELSEWHERE),
    "permit for these hours": (permit(hours=MORNING), STATION, A, Reason.CARD_OPENS),
    "permit for the night": (permit(hours=NIGHT), STATION, X, Reason.PERMIT_HOURS),
    "two permits, one sound": (
        found(permits=(Permit(REVOKED, 0, 1), Permit(ACTIVE, NOW_H - 1, NOW_H + 1))),
        STATION, A, Reason.CARD_OPENS),
    "permits unreadable": (
        found(unreadable=("permits",)), STATION, F, Reason.CANNOT_DECIDE),
    # Employer's roster.
    "site without a list": (found(), FACTORY, A, Reason.CARD_OPENS),
    "listed": (listed(), FACTORY, A, Reason.CARD_OPENS),
    "not listed": (found(rostered=True), FACTORY, X, Reason.NOT_ON_ROSTER),
    "struck off": (listed(status=REVOKED), FACTORY, X, Reason.NOT_ON_ROSTER),
    "listed until today": (listed(last_day=date(2021, 9, 20)), FACTORY, A, Reason.CARD_OPENS),
    "listed until yesterday": (
        listed(last_day=date(2021, 9, 19)), FACTORY, X, Reason.NOT_ON_ROSTER),
    "listed from tomorrow": (
        listed(first_day=date(2021, 9, 21)), FACTORY, X, Reason.NOT_ON_ROSTER),
    "in the shift": (listed(shift=MORNING), FACTORY, A, Reason.CARD_OPENS),
    "outside the shift": (listed(shift=NIGHT), FACTORY, X, Reason.OUTSIDE_SHIFT),
    "list demanded, none here": (
        found(), site(Place.SUPERMARKET, roster=True), F, Reason.CANNOT_DECIDE),
    "list unreadable": (
        found(rostered=True, unreadable=("roster",)), FACTORY, F, Reason.CANNOT_DECIDE),
    # Blocks and doubts.
    "watched": (found(watch=WatchEntry(ACTIVE)), site(), F, Reason.SEE_OFFICER),
    "watched until today": (
        found(watch=WatchEntry(ACTIVE, date(2021, 9, 20))), site(), F, Reason.SEE_OFFICER),
    "watched until yesterday": (
        found(watch=WatchEntry(ACTIVE, date(2021, 9, 19))), site(), A, Reason.CARD_OPENS),
    "withdrawn": (found(withdrawn=True), site(), X, Reason.REVOKED),
    "identity differs": (found(differs=True), site(), F, Reason.IDENTITY_MISMATCH),
    # Time windows.
    "open": (found(), site(hours=(MORNING,)), A, Reason.CARD_OPENS),
    "closed": (found(), site(hours=(NIGHT,)), X, Reason.OUTSIDE_HOURS),
    # Essential needs.
    "no card, essential needs": (
        found(PersonFacts()), site(essential=True), A, Reason.ESSENTIAL_NEED),
    "nobody on record, essential needs": (
        Standing(Lookup.NOT_FOUND, PersonKey(1), None, FRESH), site(essential=True),
        A, Reason.ESSENTIAL_NEED),
    "nobody on record": (
        Standing(Lookup.NOT_FOUND, PersonKey(1), None, FRESH), site(), X, Reason.NO_RECORD),
    "no card, none": (found(PersonFacts()), site(), X, Reason.NO_CARD),
    # The strictest finding answers, whatever came first.
    "declaration and permit": (
        found(), msgspec.structs.replace(STATION, demands=Demands(declaration_max_age_h=24)),
        X, Reason.PERMIT_NEEDED),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_clause_at_its_edge(rulebook: Rulebook, case: str) -> None:
    standing, at, outcome, reason = CASES[case]
    assert answer(rulebook, standing, at) == (outcome, reason)


def test_all_findings_are_named_the_strictest_first(rulebook: Rulebook) -> None:
    at = site(Place.FACTORY, declaration_max_age_h=24, capacity=10)
    standing = found(PersonFacts(), rostered=True)
    verdict = decide(CODE, standing, rulebook, at, NOW, Presence(inside=12))
    assert verdict.outcome is X
    assert verdict.reasons == (
        Reason.NOT_ON_ROSTER,
        Reason.ZONE_FULL,
        Reason.NO_CARD,
        Reason.DECLARATION_NEEDED,
    )


@pytest.mark.parametrize(("inside", "to_leave"), [(9, None), (10, 1), (13, 4)])
def test_a_full_zone_says_how_many_must_leave(
    rulebook: Rulebook, inside: int, to_leave: int | None
) -> None:
    verdict = decide(CODE, found(), rulebook, site(capacity=10), NOW, Presence(inside=inside))
    assert verdict.to_leave == to_leave
    assert verdict.outcome is (A if to_leave is None else X)


@pytest.mark.parametrize(("workers", "outcome"), [(199, A), (200, X)])
def test_the_approved_headcount_is_not_passed(
    rulebook: Rulebook, workers: int, outcome: Outcome
) -> None:
    at = site(Place.FACTORY, headcount=200)
    assert answer(rulebook, listed(), at, here=Presence(workers_inside=workers))[0] is outcome


@pytest.mark.parametrize(("ago_s", "outcome"), [(None, A), (299, F), (300, A)])
def test_anti_passback_lasts_for_the_sites_window(
    rulebook: Rulebook, ago_s: int | None, outcome: Outcome
) -> None:
    here = Presence(passed_ago_ns=None if ago_s is None else ago_s * 10**9)
    assert answer(rulebook, found(), site(anti_passback_s=300), here=here)[0] is outcome


def test_isolation_alerts_silently_and_the_screen_says_nothing_of_it(rulebook: Rulebook) -> None:
    verdict = decide(CODE, with_facts(isolation_until=date(2021, 9, 20)), rulebook, site(), NOW)
    assert verdict == Verdict(X, (Reason.SEE_OFFICER,), alerts=(Alert.ISOLATION,))


@pytest.mark.parametrize("facts", [PersonFacts(), GREEN])
def test_the_way_out_is_open_whatever_is_known(rulebook: Rulebook, facts: PersonFacts) -> None:
    leaving = Presence(Direction.OUT)
    for standing in (found(facts), found(facts, release=OLD), Standing(Lookup.NO_REPLICA)):
        assert answer(rulebook, standing, site(), here=leaving) == (A, Reason.CHECKED_OUT)
    ill = found(msgspec.structs.replace(facts, isolation_until=date(2021, 9, 21)))
    verdict = decide(CODE, ill, rulebook, site(), NOW, leaving)
    assert (verdict.outcome, verdict.alerts) == (A, (Alert.ISOLATION,))
    unknown = Credential(CredentialKind.UNRECOGNISED)
    assert answer(rulebook, Standing(Lookup.NOTHING_TO_LOOK_UP), site(), unknown, leaving)[0] is X


def test_typed_numbers_wait_while_a_lane_is_held_off_and_codes_do_not(rulebook: Rulebook) -> None:
    held = Presence(held_off=True)
    verdict = decide(TYPED, found(), rulebook, site(), NOW, held)
    assert verdict == Verdict(X, (Reason.TOO_MANY_ATTEMPTS,))
    assert answer(rulebook, found(), site(), here=held)[0] is A


def test_a_code_that_counts_once_is_caught_the_second_time(rulebook: Rulebook) -> None:
    verdict = decide(CODE, found(), rulebook, site(), NOW, Presence(used=True))
    assert verdict == Verdict(X, (Reason.CODE_USED,), alerts=(Alert.REPLAY,))


def test_a_block_does_not_hide_who_an_officer_has_to_see(rulebook: Rulebook) -> None:
    ill = with_facts(isolation_until=date(2021, 9, 20), status=REVOKED)
    both = msgspec.structs.replace(ill, watch=WatchEntry(ACTIVE))
    verdict = decide(CODE, both, rulebook, site(), NOW)
    assert verdict == Verdict(X, (Reason.REVOKED,), alerts=(Alert.ISOLATION, Alert.WATCHED))


def test_data_that_differ_excuse_from_nothing(rulebook: Rulebook) -> None:
    verdict = decide(CODE, found(differs=True), rulebook, STATION, NOW)
    assert verdict.outcome is X
    assert verdict.reasons == (Reason.PERMIT_NEEDED, Reason.IDENTITY_MISMATCH)


@pytest.mark.parametrize("place", [Place.FACTORY, Place.SUPERMARKET])
def test_who_was_struck_off_is_not_judged_by_old_knowledge(
    rulebook: Rulebook, place: Place
) -> None:
    keeps_to_list = msgspec.structs.replace(site(place), stale=StalePolicy.ROSTER_ONLY)
    listed_then = msgspec.structs.replace(listed(), release=OLD)
    struck_off = msgspec.structs.replace(listed(status=REVOKED), release=OLD)
    assert answer(rulebook, listed_then, keeps_to_list)[0] is A
    assert answer(rulebook, struck_off, keeps_to_list) == (F, Reason.STALE_REPLICA)


def test_every_clause_stands_in_the_list_once() -> None:
    assert len(set(CLAUSES)) == len(CLAUSES) == 10


def test_a_night_shift_belongs_to_the_day_on_which_it_began(rulebook: Rulebook) -> None:
    night = listed(shift=NIGHT, last_day=date(2021, 9, 20))
    at_two = msgspec.structs.replace(NOW, wall_ns=NOW.wall_ns + 18 * HOUR_NS)  # Tuesday, 02:00
    fresh = msgspec.structs.replace(
        night, release=Release(7, at_two.wall_ns - 1, at_two.wall_ns + HOUR_NS)
    )
    assert decide(CODE, fresh, rulebook, FACTORY, at_two).outcome is A
    over = msgspec.structs.replace(
        fresh, roster=RosterEntry(ACTIVE, None, date(2021, 9, 19), NIGHT)
    )
    assert decide(CODE, over, rulebook, FACTORY, at_two).reason is Reason.NOT_ON_ROSTER
