"""Protects against the combination nobody thought of: any facts, place, directive and moment."""

from __future__ import annotations

from datetime import date

import msgspec
from hypothesis import given
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
DAY_NS = 86_400 * 10**9

near = st.integers(NOW_NS - 3 * DAY_NS, NOW_NS + 3 * DAY_NS)
dates = st.none() | st.dates(date(2020, 9, 1), date(2021, 12, 31)) | st.dates()
all_facts = st.builds(
    PersonFacts,
    status=st.sampled_from(CredentialStatus),
    doses=st.integers(-1, 7),
    product=st.sampled_from(Product),
    last_dose=dates,
    recovered=dates,
    born=dates,
    vulnerable=st.booleans(),
    isolation_until=dates,
    district=st.integers(0, 255),
)
releases = st.builds(Release, st.integers(0, 9), near | st.integers(), near | st.integers())
standings = st.builds(
    Standing,
    st.sampled_from(Lookup),
    st.none(),
    st.none() | all_facts,
    st.none() | releases,
)
instants = st.builds(
    Instant, near | st.integers(), st.integers(0), st.just("boot-1"), st.sampled_from(ClockTrust)
)
credentials = st.builds(
    Credential,
    st.sampled_from(CredentialKind),
    st.sampled_from([(), (Identifier(IdentifierKind.QID, "1"),)]),
)
sites = st.builds(a_site, st.sampled_from(Place), st.sampled_from([15, 16, 16, 0, 99]))
green_facts = PersonFacts(doses=2, product=Product.PFIZER, last_dose=date(2021, 6, 1))


@given(st.tuples(credentials, standings, sites, instants), st.booleans())
def test_any_combination_ends_in_a_verdict_and_admit_is_argued_for(
    rulebook: Rulebook, scan: tuple[Credential, Standing, Site, Instant], on_record: bool
) -> None:
    credential, standing, site, now = scan
    if on_record:  # half of the examples come close to being admitted
        facts = standing.facts or green_facts
        facts = msgspec.structs.replace(facts, doses=2, product=Product.PFIZER)
        standing = Standing(Lookup.FOUND, None, facts, standing.release)
    verdict = decide(credential, standing, rulebook, site, now)
    assert isinstance(verdict, Verdict)
    assert len(verdict.reasons) == 1
    if verdict.outcome is not Outcome.ADMIT:
        assert verdict.condition is None
        return
    facts, release = standing.facts, standing.release
    assert credential.kind is not CredentialKind.UNRECOGNISED
    assert standing.lookup is Lookup.FOUND
    assert facts is not None
    assert facts.status is CredentialStatus.ACTIVE
    assert release is not None
    assert now.wall_ns - release.vouched_ns <= 24 * 3_600 * 10**9
    assert now.wall_ns < release.expires_ns
    assert now.trust is not ClockTrust.UNKNOWN
    today = now.at(VIETNAM).date()
    assert facts.isolation_until is None or facts.isolation_until < today
    assert (site.directive, verdict.card, site.place) in rulebook.access


@given(all_facts, st.sampled_from(Place), st.sampled_from([15, 16]))
def test_what_is_decided_twice_is_decided_alike(
    rulebook: Rulebook, facts: PersonFacts, place: Place, directive: int
) -> None:
    now = ManualClock().now()
    release = Release(1, now.wall_ns, now.wall_ns + DAY_NS)
    standing = Standing(Lookup.FOUND, None, facts, release)
    credential = Credential(CredentialKind.PERSONAL_QR)
    site = a_site(place, directive)
    first = decide(credential, standing, rulebook, site, now)
    assert decide(credential, standing, rulebook, site, now) == first
