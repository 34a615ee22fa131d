"""Protects the order of the clauses: blocks outlive stale knowledge, and ADMIT never does."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from admission.credential import UNRECOGNISED, Credential, CredentialKind
from admission.decide import decide
from admission.identity import Identifier, IdentifierKind
from admission.instant import ClockTrust, Instant
from admission.local_time import MAX_CLOCK_BEHIND_NS
from admission.rulebook import Rulebook
from admission.site import Place
from admission.standing import (
    CredentialStatus,
    Lookup,
    PersonFacts,
    Product,
    Release,
    Standing,
)
from admission.verdict import Card, Outcome, Reason, Verdict
from tests.worlds import VIETNAM, ManualClock, a_site

HOUR = 3_600 * 10**9
CODE = Credential(CredentialKind.TYPED_CODE, (Identifier(IdentifierKind.TYPED_CODE, "5" * 11),))
NOW = ManualClock().now()
UNDATED = ManualClock(trust=ClockTrust.UNKNOWN).now()
FRESH = Release(7, NOW.wall_ns - HOUR, NOW.wall_ns + HOUR)
OLD = Release(7, NOW.wall_ns - 505 * HOUR, NOW.wall_ns + HOUR)
EXPIRED = Release(7, NOW.wall_ns - HOUR, NOW.wall_ns)
AHEAD = Release(7, NOW.wall_ns + MAX_CLOCK_BEHIND_NS + 1, NOW.wall_ns + 48 * HOUR)

GREEN = PersonFacts(doses=2, product=Product.PFIZER, last_dose=date(2021, 6, 1))
REVOKED = PersonFacts(doses=2, status=CredentialStatus.REVOKED)
ISOLATED = PersonFacts(doses=2, isolation_until=date(2021, 9, 20))


def answer(
    rulebook: Rulebook,
    standing: Standing,
    *,
    credential: Credential = CODE,
    now: Instant = NOW,
    place: Place = Place.SUPERMARKET,
    directive: int = 15,
) -> tuple[Outcome, Reason]:
    verdict = decide(credential, standing, rulebook, a_site(place, directive), now)
    (reason,) = verdict.reasons
    return verdict.outcome, reason


def found(facts: PersonFacts | None, release: Release | None = FRESH) -> Standing:
    return Standing(Lookup.FOUND, None, facts, release)


def test_a_verdict_is_born_refer() -> None:
    assert Verdict().outcome is Outcome.REFER


def test_a_green_card_opens_a_supermarket(rulebook: Rulebook) -> None:
    assert answer(rulebook, found(GREEN)) == (Outcome.ADMIT, Reason.CARD_OPENS)


@pytest.mark.parametrize("lookup", list(Lookup))
def test_an_unrecognised_code_is_refused_whatever_was_looked_up(
    rulebook: Rulebook, lookup: Lookup
) -> None:
    standing = Standing(lookup, None, GREEN, FRESH)
    for now in (NOW, UNDATED):
        got = answer(rulebook, standing, credential=UNRECOGNISED, now=now)
        assert got == (Outcome.REFUSE, Reason.UNRECOGNISED)


def test_a_sound_code_that_names_nobody_counts_as_not_on_record(rulebook: Rulebook) -> None:
    masked, nobody = Credential(CredentialKind.PERSONAL_QR), Standing(Lookup.NOTHING_TO_LOOK_UP)
    assert answer(rulebook, nobody, credential=masked) == (Outcome.REFUSE, Reason.NO_RECORD)
    at_station = answer(rulebook, nobody, credential=masked, place=Place.CONTROL_STATION)
    assert at_station == (Outcome.REFER, Reason.NO_RECORD)


@pytest.mark.parametrize("release", [FRESH, OLD, EXPIRED, AHEAD, None])
@pytest.mark.parametrize("now", [NOW, UNDATED])
def test_a_revocation_stands_however_old_the_knowledge_is_and_whatever_the_clock_says(
    rulebook: Rulebook, release: Release | None, now: Instant
) -> None:
    assert answer(rulebook, found(REVOKED, release), now=now) == (Outcome.REFUSE, Reason.REVOKED)


@pytest.mark.parametrize("release", [FRESH, OLD, EXPIRED, None])
def test_an_isolation_stands_until_its_own_last_day(
    rulebook: Rulebook, release: Release | None
) -> None:
    assert answer(rulebook, found(ISOLATED, release)) == (Outcome.REFUSE, Reason.SEE_OFFICER)


@pytest.mark.parametrize(("release", "now"), [(FRESH, UNDATED), (AHEAD, NOW)])
def test_an_isolation_cannot_be_judged_without_a_date(
    rulebook: Rulebook, release: Release, now: Instant
) -> None:
    got = answer(rulebook, found(ISOLATED, release), now=now)
    assert got == (Outcome.REFER, Reason.CLOCK_UNTRUSTED)


def test_an_isolation_ends_with_its_last_day_in_the_sites_own_time_zone(
    rulebook: Rulebook,
) -> None:
    midnight = int(datetime(2021, 9, 21, tzinfo=VIETNAM).timestamp()) * 10**9
    for offset, outcome in ((-1, Outcome.REFUSE), (0, Outcome.ADMIT)):
        now = Instant(midnight + offset, 0, "boot-1", ClockTrust.RTC)
        release = Release(7, now.wall_ns - HOUR, now.wall_ns + HOUR)
        facts = PersonFacts(
            doses=2,
            product=Product.PFIZER,
            last_dose=date(2021, 6, 1),
            isolation_until=date(2021, 9, 20),
        )
        assert answer(rulebook, found(facts, release), now=now)[0] is outcome


@pytest.mark.parametrize(
    ("standing", "now", "reason"),
    [
        (Standing(Lookup.NO_REPLICA), NOW, Reason.NO_REPLICA),
        (Standing(Lookup.NO_REPLICA), UNDATED, Reason.NO_REPLICA),
        (Standing(Lookup.UNREADABLE, None, None, FRESH), NOW, Reason.CANNOT_DECIDE),
        (Standing(Lookup.UNREADABLE, None, GREEN, FRESH), NOW, Reason.CANNOT_DECIDE),
        (found(GREEN, OLD), NOW, Reason.STALE_REPLICA),
        (found(GREEN, EXPIRED), NOW, Reason.STALE_REPLICA),
        (found(GREEN, AHEAD), NOW, Reason.CLOCK_UNTRUSTED),
        (found(GREEN), UNDATED, Reason.CLOCK_UNTRUSTED),
        (Standing(Lookup.NOT_FOUND, None, None, OLD), NOW, Reason.STALE_REPLICA),
        (Standing(Lookup.NOT_FOUND, None, None, FRESH), UNDATED, Reason.CLOCK_UNTRUSTED),
        (found(GREEN, None), NOW, Reason.CANNOT_DECIDE),
        (found(None), NOW, Reason.CANNOT_DECIDE),
    ],
)
def test_doubt_refers_at_every_place(
    rulebook: Rulebook, standing: Standing, now: Instant, reason: Reason
) -> None:
    for place in Place:
        assert answer(rulebook, standing, now=now, place=place) == (Outcome.REFER, reason)


def test_knowledge_is_fresh_up_to_the_rulebooks_limit(rulebook: Rulebook) -> None:
    at_limit = Release(7, NOW.wall_ns - 504 * HOUR, NOW.wall_ns + 1)
    assert answer(rulebook, found(GREEN, at_limit)) == (Outcome.ADMIT, Reason.CARD_OPENS)
    past = Release(7, NOW.wall_ns - 504 * HOUR - 1, NOW.wall_ns + 1)
    assert answer(rulebook, found(GREEN, past)) == (Outcome.REFER, Reason.STALE_REPLICA)


def test_clocks_may_differ_a_little(rulebook: Rulebook) -> None:
    ahead = Release(7, NOW.wall_ns + MAX_CLOCK_BEHIND_NS, NOW.wall_ns + 48 * HOUR)
    assert answer(rulebook, found(GREEN, ahead)) == (Outcome.ADMIT, Reason.CARD_OPENS)


@pytest.mark.parametrize("wall_ns", [-(10**30), 10**30, 253_402_300_800 * 10**9])
def test_a_clock_outside_the_calendar_is_not_trusted(rulebook: Rulebook, wall_ns: int) -> None:
    now = Instant(wall_ns, 0, "boot-1", ClockTrust.SYNCHRONISED)
    assert answer(rulebook, found(GREEN), now=now) == (Outcome.REFER, Reason.CLOCK_UNTRUSTED)


@pytest.mark.parametrize("directive", [0, 10, 17, -1])
def test_a_directive_that_the_rulebook_does_not_know_refers(
    rulebook: Rulebook, directive: int
) -> None:
    for facts in (GREEN, PersonFacts()):
        got = answer(rulebook, found(facts), directive=directive)
        assert got == (Outcome.REFER, Reason.NO_RULE)


def test_a_yellow_card_is_never_worse_than_none(rulebook: Rulebook) -> None:
    yellow, none = PersonFacts(doses=1), PersonFacts()
    for place in Place:
        site = a_site(place, 16)
        with_card = decide(CODE, found(yellow), rulebook, site, NOW)
        without = decide(CODE, found(none), rulebook, site, NOW)
        assert with_card.card is Card.YELLOW
        assert with_card.outcome in (Outcome.ADMIT, without.outcome)


def test_a_rule_that_fails_at_the_gate_refers(rulebook: Rulebook) -> None:
    broken = PersonFacts(doses=1.5, product=Product.PFIZER)  # type: ignore[arg-type]
    facts = PersonFacts(
        doses="two",  # type: ignore[arg-type]
        product=Product.PFIZER,
        last_dose=date(2021, 6, 1),
    )
    assert answer(rulebook, found(facts)) == (Outcome.REFER, Reason.FAULT)
    assert answer(rulebook, found(broken))[0] is not Outcome.ADMIT
