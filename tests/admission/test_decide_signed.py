"""Protects the decision over what signed credentials prove and grant: certificates, passes, badges.

Worked out by hand from the policy; 08:00 in Vietnam on Monday, 20 September 2021.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
import pytest

from admission.clauses import HOUR_NS
from admission.credential import (
    Certificate,
    Credential,
    CredentialKind,
    Evidence,
    PassKind,
    Proof,
    Signature,
)
from admission.decide import decide
from admission.errors import RulebookError
from admission.identity import PersonKey
from admission.rulebook import Needs, Rulebook
from admission.rulebook_loading import load_rulebook
from admission.site import Place, StalePolicy
from admission.standing import (
    Lookup,
    Officer,
    PersonFacts,
    Standing,
    TestResult,
)
from admission.verdict import Card, Outcome, Reason
from tests.admission.situations import (
    ACTIVE,
    FACTORY,
    FRESH,
    GREEN,
    MORNING,
    NIGHT,
    NOW,
    OLD,
    REVOKED,
    STATION,
    A,
    F,
    X,
    answer,
    found,
    listed,
    signed,
    site,
)
from tests.worlds import ROOT


def proven(signature: Signature, expires_h: int = 1, kind: Any = CredentialKind.DCC) -> Credential:
    proof = Proof(signature, "VN", NOW.wall_ns - HOUR_NS, NOW.wall_ns + expires_h * HOUR_NS)
    return Credential(kind, proof=proof, certificate=Certificate(Evidence.VACCINATION, GREEN, None))


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (proven(Signature.VALID), (A, Reason.CARD_OPENS)),
        (proven(Signature.VALID, expires_h=0), (X, Reason.EXPIRED)),
        (proven(Signature.VALID, 0, CredentialKind.ROTATING_CODE), (X, Reason.CODE_EXPIRED)),
        (proven(Signature.INVALID), (X, Reason.SIGNATURE_INVALID)),
        (proven(Signature.WRONG_USE), (X, Reason.WRONG_KEY_USE)),
        (proven(Signature.UNKNOWN_ISSUER), (F, Reason.ISSUER_UNKNOWN)),
        (msgspec.structs.replace(proven(Signature.VALID), proof=None), (X, Reason.NO_RECORD)),
    ],
)
def test_a_certificate_counts_where_a_trusted_signature_proves_it(
    rulebook: Rulebook, credential: Credential, expected: tuple[Outcome, Reason]
) -> None:
    nobody = Standing(Lookup.NOTHING_TO_LOOK_UP, release=FRESH)
    assert answer(rulebook, nobody, site(), credential) == expected


def test_a_certificate_does_not_take_away_what_is_on_record(rulebook: Rulebook) -> None:
    vulnerable = found(PersonFacts(vulnerable=True))
    verdict = decide(proven(Signature.VALID), vulnerable, rulebook, FACTORY, NOW)
    assert (verdict.outcome, verdict.card) == (A, Card.YELLOW)


NOBODY_KNOWN = Standing(Lookup.NOTHING_TO_LOOK_UP, release=FRESH)


def test_a_visitors_pass_stands_in_where_the_rulebook_lets_it(rulebook: Rulebook) -> None:
    lets_in = msgspec.structs.replace(
        rulebook, passes=frozenset({(None, PassKind.VISITOR, Place.FACTORY)})
    )
    visitor = signed(PassKind.VISITOR, sites=("site-1",), hours=(MORNING,))
    rostered = msgspec.structs.replace(NOBODY_KNOWN, rostered=True)
    assert answer(lets_in, rostered, FACTORY, visitor) == (A, Reason.PASS_OPENS)
    assert answer(rulebook, rostered, FACTORY, visitor) == (X, Reason.NO_RECORD)
    elsewhere = signed(PassKind.VISITOR, sites=("site-2",))
    assert answer(lets_in, rostered, FACTORY, elsewhere) == (X, Reason.PASS_ELSEWHERE)
    at_night = signed(PassKind.VISITOR, hours=(NIGHT,))
    assert answer(lets_in, rostered, FACTORY, at_night) == (X, Reason.PASS_HOURS)


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ({}, (A, Reason.CARD_OPENS)),
        ({"districts": (760,)}, (A, Reason.CARD_OPENS)),
        ({"districts": (761,)}, (X, Reason.PERMIT_ELSEWHERE)),
        ({"hours": (NIGHT,)}, (X, Reason.PERMIT_HOURS)),
    ],
)
def test_a_printed_permit_is_a_permit(
    rulebook: Rulebook, rights: dict[str, Any], expected: tuple[Outcome, Reason]
) -> None:
    shown = signed(PassKind.PERMIT, subject=PersonKey(1), **rights)
    assert answer(rulebook, found(), STATION, shown) == expected


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        ({}, (A, Reason.PASS_OPENS)),
        ({"places": (Place.FACTORY,), "hours": (MORNING,)}, (A, Reason.PASS_OPENS)),
        ({"places": (Place.HOSPITAL,)}, (X, Reason.PERMIT_ELSEWHERE)),
        ({"sites": ("site-2",)}, (X, Reason.PERMIT_ELSEWHERE)),
        ({"hours": (NIGHT,)}, (X, Reason.PERMIT_HOURS)),
    ],
)
def test_a_permit_that_stands_in_for_a_card_counts_where_and_when_it_says(
    rulebook: Rulebook, rights: dict[str, Any], expected: tuple[Outcome, Reason]
) -> None:
    lets_in = msgspec.structs.replace(
        rulebook, passes=frozenset({(None, PassKind.PERMIT, Place.FACTORY)})
    )
    assert answer(lets_in, NOBODY_KNOWN, FACTORY, signed(PassKind.PERMIT, **rights)) == expected


@pytest.mark.parametrize(
    ("officer", "reason"),
    [
        (Officer(ACTIVE, 7), Reason.OFFICER_IDENTIFIED),
        (Officer(ACTIVE, 7, date(2021, 9, 20), 760), Reason.OFFICER_IDENTIFIED),
        (Officer(ACTIVE, 7, date(2021, 9, 19)), Reason.NO_RECORD),
        (Officer(ACTIVE, 7, None, 761), Reason.NO_RECORD),
        (Officer(REVOKED, 7), Reason.NO_RECORD),
        (None, Reason.NO_RECORD),
    ],
)
def test_a_badge_opens_the_desk_and_never_the_gate(
    rulebook: Rulebook, officer: Officer | None, reason: Reason
) -> None:
    badge = signed(PassKind.OFFICER, subject=PersonKey(1))
    assert answer(rulebook, found(officer=officer), site(), badge) == (F, reason)


def test_a_site_may_keep_to_its_own_list_while_knowledge_is_old(rulebook: Rulebook) -> None:
    patient = msgspec.structs.replace(FACTORY, stale=StalePolicy.ROSTER_ONLY)
    worker = msgspec.structs.replace(listed(), release=OLD)
    assert answer(rulebook, worker, patient) == (A, Reason.CARD_OPENS)
    assert answer(rulebook, worker, FACTORY) == (F, Reason.STALE_REPLICA)
    guest = found(release=OLD, rostered=True)
    assert answer(rulebook, guest, patient) == (F, Reason.STALE_REPLICA)


def test_a_site_may_ask_for_more_than_its_rulebook_never_for_less(rulebook: Rulebook) -> None:
    strict = msgspec.structs.replace(
        rulebook, requirements={(15, Place.CLINIC): Needs(test_max_age_h=72)}
    )
    assert strict.needs(site(Place.CLINIC)).test_max_age_h == 72
    assert strict.needs(site(Place.CLINIC, test_max_age_h=24)).test_max_age_h == 24
    assert strict.needs(site(Place.CLINIC, test_max_age_h=96)).test_max_age_h == 72
    assert strict.needs(site(Place.CLINIC, 16)).test_max_age_h is None


def with_country_rules(logic: Any, **certificates: Any) -> Rulebook:
    rule = {
        "Identifier": "VR-VN-0001",
        "Type": "Acceptance",
        "Country": "VN",
        "Version": "1.0.0",
        "SchemaVersion": "1.0.0",
        "Engine": "CERTLOGIC",
        "EngineVersion": "0.7.5",
        "CertificateType": "Vaccination",
        "Description": [{"lang": "en", "desc": "two doses"}],
        "ValidFrom": "2021-07-01T00:00:00Z",
        "ValidTo": "2021-12-31T00:00:00Z",
        "AffectedFields": ["v.0.dn"],
        "Logic": logic,
    }
    content = json.loads((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())
    content["certificates"] = {"rules": [rule]} | certificates
    return load_rulebook(json.dumps(content).encode())


DN = {"var": "payload.v.0.dn"}
SHOWN = {"ver": "1.3.0", "v": [{"dn": 2}]}


@pytest.mark.parametrize(
    ("logic", "expected"),
    [
        ({"===": [DN, 2]}, (A, Reason.CARD_OPENS)),
        ({"===": [DN, 3]}, (X, Reason.CERTIFICATE_NOT_ACCEPTED)),
        ({">": [{"var": "payload.v.0.sd"}, 1]}, (F, Reason.CERTIFICATE_NOT_ACCEPTED)),
    ],
)
def test_a_countrys_rules_are_used_as_they_are(
    logic: Any, expected: tuple[Outcome, Reason]
) -> None:
    book = with_country_rules(logic)
    shown = msgspec.structs.replace(
        proven(Signature.VALID), certificate=Certificate(Evidence.VACCINATION, GREEN, SHOWN)
    )
    nobody = Standing(Lookup.NOTHING_TO_LOOK_UP, release=FRESH)
    assert answer(book, nobody, site(), shown) == expected
    # Who is on record needs no certificate, and a refused one adds nothing.
    assert answer(book, found(), site(), shown) == (A, Reason.CARD_OPENS)
    if expected[0] is not A:
        assert answer(book, found(PersonFacts()), site(), shown) == (X, Reason.NO_CARD)


def test_an_accepted_certificate_may_give_a_card_by_itself() -> None:
    book = with_country_rules({"===": [DN, 2]}, gives="green")
    bare = Certificate(Evidence.VACCINATION, PersonFacts(), SHOWN)
    shown = msgspec.structs.replace(proven(Signature.VALID), certificate=bare)
    nobody = Standing(Lookup.NOTHING_TO_LOOK_UP, release=FRESH)
    assert answer(book, nobody, site(), shown) == (A, Reason.CARD_OPENS)


@pytest.mark.parametrize("kind", [CredentialKind.SMART_HEALTH_CARD, CredentialKind.VDS_NC])
def test_a_certificate_that_no_rule_has_judged_gives_no_card(kind: CredentialKind) -> None:
    book = with_country_rules({"===": [DN, 2]}, gives="green")
    nobody = Standing(Lookup.NOTHING_TO_LOOK_UP, release=FRESH)
    ill = PersonFacts(tested_h=NOW.wall_ns // HOUR_NS, test_result=TestResult.POSITIVE)
    for evidence, facts in ((Evidence.TEST, ill), (Evidence.VACCINATION, PersonFacts(doses=1))):
        bare = Certificate(evidence, facts)
        shown = msgspec.structs.replace(proven(Signature.VALID, kind=kind), certificate=bare)
        assert answer(book, nobody, site(), shown) != (A, Reason.CARD_OPENS)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (20, 20, (A, Reason.CARD_OPENS)),
        (21, 30, (X, Reason.CERTIFICATE_NOT_ACCEPTED)),
        (1, 19, (X, Reason.CERTIFICATE_NOT_ACCEPTED)),
    ],
)
def test_a_recovery_counts_on_the_days_that_it_names(
    rulebook: Rulebook, first: int, last: int, expected: tuple[Outcome, Reason]
) -> None:
    ill = PersonFacts(recovered=date(2021, 9, 10))
    days = date(2021, 9, first), date(2021, 9, last)
    shown = msgspec.structs.replace(
        proven(Signature.VALID), certificate=Certificate(Evidence.RECOVERY, ill, None, *days)
    )
    nobody = Standing(Lookup.NOTHING_TO_LOOK_UP, release=FRESH)
    assert answer(rulebook, nobody, site(), shown) == expected


def test_a_card_for_certificates_needs_rules_for_them() -> None:
    content = json.loads((ROOT / "configs/rulebooks/hcmc-2021-09.json").read_bytes())
    content["certificates"] = {"gives": "yellow"}
    with pytest.raises(RulebookError, match=r"\$\.certificates\.gives"):
        load_rulebook(json.dumps(content).encode())


def test_a_bad_country_rule_is_refused_when_the_rulebook_is_loaded() -> None:
    with pytest.raises(RulebookError, match="VR-VN-0001") as caught:
        with_country_rules({"no-such-operator": [1]})
    assert "$.certificates" in str(caught.value)
    assert "validation-rule.schema.json" in caught.value.hint


def test_a_badge_counts_while_knowledge_is_old_for_then_it_is_wanted_most(
    rulebook: Rulebook,
) -> None:
    badge = signed(PassKind.OFFICER, subject=PersonKey(1))
    old = found(officer=Officer(ACTIVE, 7), release=OLD)
    assert answer(rulebook, old, site(), badge) == (F, Reason.OFFICER_IDENTIFIED)
    assert answer(rulebook, found(release=OLD), site(), badge) == (F, Reason.STALE_REPLICA)
