"""Situations at a gate for tests of the decision: 08:00 in Vietnam on 20 September 2021."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from admission.clauses import HOUR_NS
from admission.credential import (
    Credential,
    CredentialKind,
    Pass,
    PassKind,
    Proof,
    Signature,
)
from admission.decide import decide
from admission.hours import Hours
from admission.identity import Identifier, IdentifierKind, PersonKey
from admission.presence import Presence
from admission.rulebook import Rulebook
from admission.site import Demands, Place, Site
from admission.standing import (
    CredentialStatus,
    Lookup,
    Permit,
    PersonFacts,
    Product,
    Release,
    RosterEntry,
    Standing,
)
from admission.verdict import Outcome, Reason
from tests.worlds import ManualClock, a_site

NOW = ManualClock().now()
NOW_H = NOW.wall_ns // HOUR_NS
FRESH = Release(7, NOW.wall_ns - HOUR_NS, NOW.wall_ns + HOUR_NS)
OLD = Release(7, NOW.wall_ns - 505 * HOUR_NS, NOW.wall_ns + HOUR_NS)
GREEN = PersonFacts(
    doses=2, product=Product.PFIZER, last_dose=date(2021, 6, 1), born=date(1990, 1, 1)
)
CODE = Credential(CredentialKind.PERSONAL_QR, (Identifier(IdentifierKind.QID, "1"),))
TYPED = Credential(
    CredentialKind.TYPED_CODE, (Identifier(IdentifierKind.TYPED_CODE, "57213004864"),)
)
ACTIVE, REVOKED = CredentialStatus.ACTIVE, CredentialStatus.REVOKED
A, F, X = Outcome.ADMIT, Outcome.REFER, Outcome.REFUSE


def site(place: Place = Place.SUPERMARKET, directive: int = 15, **demands: Any) -> Site:
    return msgspec.structs.replace(
        a_site(place, directive), district_code=760, demands=Demands(**demands)
    )


def found(facts: PersonFacts = GREEN, **more: Any) -> Standing:
    return Standing(Lookup.FOUND, PersonKey(1), facts, more.pop("release", FRESH), **more)


def with_facts(**facts: Any) -> Standing:
    return found(msgspec.structs.replace(GREEN, **facts))


def signed(kind: PassKind, **more: Any) -> Credential:
    return Credential(
        CredentialKind.CHOT_PASS,
        proof=Proof(Signature.VALID, "district", NOW.wall_ns - HOUR_NS, NOW.wall_ns + HOUR_NS),
        granted=Pass(kind, b"12345678", **more),
    )


def answer(
    rulebook: Rulebook,
    standing: Standing,
    at: Site,
    credential: Credential = CODE,
    here: Presence | None = None,
) -> tuple[Outcome, Reason]:
    verdict = decide(credential, standing, rulebook, at, NOW, here or Presence())
    return verdict.outcome, verdict.reason


STATION = site(Place.CONTROL_STATION, 16)
FACTORY = site(Place.FACTORY)
MORNING, NIGHT = Hours(7 * 60, 16 * 60), Hours(22 * 60, 6 * 60)


def permit(**fields: Any) -> Standing:
    valid = {"status": ACTIVE, "from_h": NOW_H - 1, "until_h": NOW_H + 71} | fields
    return found(permits=(Permit(**valid),))


def listed(**fields: Any) -> Standing:
    return found(roster=RosterEntry(**({"status": ACTIVE} | fields)), rostered=True)
