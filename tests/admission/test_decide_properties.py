"""Protects against the combination nobody thought of: any facts, place, directive and moment."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from admission.credential import Credential, CredentialKind
from admission.decide import decide
from admission.identity import Identifier, IdentifierKind
from admission.instant import ClockTrust, Instant
from admission.rulebook import Rulebook
from admission.site import Place, Site
from admission.standing import (
    CredentialStatus,
    Lookup,
    PersonFacts,
    Product,
    Release,
    Standing,
)
from admission.verdict import Outcome, Verdict
from tests.worlds import VIETNAM, ManualClock, a_site

NOW_NS = ManualClock().now().wall_ns
TODAY = date(2021, 9, 20)
HOUR_NS = 3_600 * 10**9

T = TypeVar("T")


def mostly(good: T, *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what leads to ADMIT seven times in eight: each deviation is met alone and in company."""
    return st.integers(0, 7).flatmap(lambda n: st.one_of(*others) if n == 0 else st.just(good))


walls = st.integers() | st.sampled_from([-505, -504, -1, 0, 1]).map(lambda h: NOW_NS + h * HOUR_NS)
days = st.one_of(
    st.none(),
    st.sampled_from([-200, -14, -13, -1, 0, 1, 5]).map(lambda n: TODAY + timedelta(days=n)),
    st.dates(),
)
facts = st.builds(
    PersonFacts,
    status=mostly(CredentialStatus.ACTIVE, st.sampled_from(CredentialStatus)),
    doses=mostly(2, st.integers(-1, 7)),
    product=mostly(Product.PFIZER, st.sampled_from(Product)),
    last_dose=mostly(date(2021, 6, 1), days),
    recovered=days,
    born=days,
    vulnerable=st.booleans(),
    isolation_until=mostly(None, days),
    district=st.integers(0, 255),
)
releases = st.builds(
    Release, st.integers(0, 9), mostly(NOW_NS - HOUR_NS, walls), mostly(NOW_NS + HOUR_NS, walls)
)
standings = st.builds(
    Standing,
    mostly(Lookup.FOUND, st.sampled_from(Lookup)),
    st.none(),
    st.integers(0, 7).flatmap(lambda n: facts if n else st.none()),
    st.integers(0, 7).flatmap(lambda n: releases if n else st.none()),
)
instants = st.builds(
    Instant,
    mostly(NOW_NS, walls),
    st.integers(0),
    st.just("boot-1"),
    mostly(ClockTrust.RTC, st.sampled_from(ClockTrust)),
)
credentials = st.builds(
    Credential,
    mostly(CredentialKind.PERSONAL_QR, st.sampled_from(CredentialKind)),
    st.sampled_from([(), (Identifier(IdentifierKind.QID, "1"),)]),
)
sites = st.builds(a_site, st.sampled_from(Place), mostly(15, st.sampled_from([16, 0, 99])))


@settings(max_examples=500)
@given(st.tuples(credentials, standings, sites, instants))
def test_any_combination_ends_in_a_verdict_and_admit_is_argued_for(
    rulebook: Rulebook, scan: tuple[Credential, Standing, Site, Instant]
) -> None:
    credential, standing, site, now = scan
    verdict = decide(credential, standing, rulebook, site, now)
    assert isinstance(verdict, Verdict)
    assert len(verdict.reasons) == len(set(verdict.reasons)) >= 1
    if verdict.outcome is not Outcome.ADMIT:
        assert verdict.condition is None
        return
    known, release = standing.facts, standing.release
    assert credential.kind is not CredentialKind.UNRECOGNISED
    assert standing.lookup is Lookup.FOUND
    assert known is not None
    assert known.status is CredentialStatus.ACTIVE
    assert release is not None
    assert now.wall_ns - release.vouched_ns <= 504 * HOUR_NS
    assert now.wall_ns < release.expires_ns
    assert now.trust is not ClockTrust.UNKNOWN
    today = now.at(VIETNAM).date()
    assert known.isolation_until is None or known.isolation_until < today
    assert (site.directive, verdict.card, site.place) in rulebook.access
