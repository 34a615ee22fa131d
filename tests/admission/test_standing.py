"""Nobody gets past a block by adding somebody else's number to a code."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from admission.credential import Credential, CredentialKind
from admission.decide import decide
from admission.rulebook_loading import load_rulebook
from admission.standing import (
    CredentialStatus,
    Lookup,
    PersonFacts,
    Product,
    Release,
    Standing,
    combined,
)
from admission.verdict import Outcome, Reason
from tests.worlds import ROOT, ManualClock, a_site

GREEN = PersonFacts(doses=2, product=Product.PFIZER, last_dose=date(2021, 8, 1))
ILL = PersonFacts(isolation_until=date(2021, 9, 30))
REVOKED = PersonFacts(
    status=CredentialStatus.REVOKED, doses=2, product=Product.PFIZER, last_dose=date(2021, 8, 1)
)
RULEBOOK = load_rulebook((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())
CODE = Credential(CredentialKind.PERSONAL_QR)

days = st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))
records = st.builds(
    PersonFacts,
    status=st.sampled_from(CredentialStatus),
    doses=st.integers(0, 3),
    isolation_until=days,
    last_dose=days,
)


def verdict_on(*found: PersonFacts) -> tuple[Outcome, Reason]:
    clock = ManualClock()
    facts, clash = combined(found)
    release = Release(1, clock.wall_ns, clock.wall_ns + 10**15)
    standing = Standing(Lookup.FOUND, None, facts, release, clash)
    verdict = decide(CODE, standing, RULEBOOK, a_site(), clock.now())
    return verdict.outcome, verdict.reason


def test_one_person_under_two_numbers_is_one_record() -> None:
    assert combined([GREEN, GREEN]) == (GREEN, False)
    assert verdict_on(GREEN, GREEN) == (Outcome.ADMIT, Reason.CARD_OPENS)


def test_a_revoked_number_blocks_whatever_stands_beside_it() -> None:
    assert verdict_on(GREEN, REVOKED) == (Outcome.REFUSE, Reason.REVOKED)
    assert verdict_on(REVOKED, GREEN) == (Outcome.REFUSE, Reason.REVOKED)


def test_the_document_of_somebody_isolated_blocks_behind_a_green_number() -> None:
    assert verdict_on(GREEN, ILL) == (Outcome.REFUSE, Reason.SEE_OFFICER)


def test_numbers_of_two_people_go_to_the_officer() -> None:
    other = PersonFacts(doses=2, product=Product.MODERNA, last_dose=date(2021, 7, 1))
    assert verdict_on(GREEN, other) == (Outcome.REFER, Reason.IDENTITY_MISMATCH)


@given(st.lists(records, min_size=1, max_size=4))
def test_together_is_never_milder_than_alone(found: list[PersonFacts]) -> None:
    facts, clash = combined(found)
    assert facts.status == max(record.status for record in found)
    for record in found:
        if record.isolation_until is not None:
            assert facts.isolation_until is not None
            assert facts.isolation_until >= record.isolation_until
    if not clash:
        assert facts.doses == found[-1].doses
