"""Protects the policy: people × places × directives, worked out by hand from its text.

Nothing here is computed from the rulebook: the cards and the letters below were written down by
reading the policy's clauses on 20 September 2021. A = ADMIT, F = REFER, X = REFUSE. Everybody holds
a movement permit, which control stations ask for under Directive 16.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from admission.credential import Credential, CredentialKind
from admission.decide import decide
from admission.identity import Identifier, IdentifierKind
from admission.rulebook import Rulebook
from admission.site import Place
from admission.standing import (
    CredentialStatus,
    Lookup,
    Permit,
    PersonFacts,
    Product,
    Release,
    Standing,
)
from admission.verdict import Card, Outcome, Reason
from tests.worlds import ManualClock, a_site

OUTCOMES = {"A": Outcome.ADMIT, "F": Outcome.REFER, "X": Outcome.REFUSE}
G, Y, N = Card.GREEN, Card.YELLOW, Card.NONE

PLACES = ["control_station", "supermarket", "convenience_store", "food_outlet", "hospital",
          "clinic", "school", "office", "factory", "outdoor_public_place", "transport"]  # fmt: skip

ANSWERS = {
    # station, market, store, food, hospital, clinic, school, office, factory, outdoors, transport
    (15, G): "A A A A A A A A A A A",  # public places, school, work, travel, trips
    (15, Y): "A X X X F F A A A A A",  # outdoors, school, work, travel and trips in the country
    (15, N): "F X X X F F X X X X X",
    (16, G): "A A A A A A A A A A A",  # public places, school, work, trips in the country
    (16, Y): "F X X X F F A A A A X",  # outdoors, school, work: no travel, no trips
    (16, N): "F X X X F F X X X X X",
}

NOT_ON_RECORD = "F X X X F F X X X X X"

CONDITIONS = {(15, G): None, (15, Y): "5K", (16, G): None, (16, Y): "minimum"}


def person(
    doses: int = 0, product: Product = Product.NONE, last: str = "", **more: Any
) -> PersonFacts:
    for name in ("recovered", "born"):
        if name in more:
            more[name] = date.fromisoformat(more[name])
    last_dose = date.fromisoformat(last) if last else None
    return PersonFacts(doses=doses, product=product, last_dose=last_dose, **more)


PFIZER, MODERNA, ASTRA = Product.PFIZER, Product.MODERNA, Product.ASTRAZENECA

PEOPLE = {
    # Fully vaccinated: two doses and 14 days since the last.
    "two doses of Pfizer 14 days ago": (person(2, PFIZER, "2021-09-06", born="1990-01-01"), G),
    "two doses of Pfizer 13 days ago": (person(2, PFIZER, "2021-09-07", born="1990-01-01"), N),
    "two doses of Moderna 40 days ago": (person(2, MODERNA, "2021-08-11", born="1990-01-01"), G),
    "two doses of AstraZeneca long ago": (person(2, ASTRA, "2021-05-01", born="1990-01-01"), G),
    "three doses, the last 14 days ago": (person(3, PFIZER, "2021-09-06", born="1990-01-01"), G),
    "three doses, the last yesterday": (person(3, PFIZER, "2021-09-19", born="1990-01-01"), N),
    "two doses, dates not recorded": (person(2, PFIZER, born="1990-01-01"), N),
    "two doses, the last dated tomorrow": (person(2, PFIZER, "2021-09-21"), N),
    "two doses of a product without a row": (person(2, Product.SINOPHARM, "2021-06-01"), N),
    "two doses of a product not recorded": (person(2, Product.NONE, "2021-06-01"), N),
    # Exactly one dose.
    "one dose yesterday": (person(1, ASTRA, "2021-09-19", born="1990-01-01"), Y),
    "one dose long ago": (person(1, PFIZER, "2021-05-01", born="1990-01-01"), Y),
    "one dose of a product without a row": (person(1, Product.SINOPHARM, "2021-09-01"), Y),
    "one dose, 80 years old": (person(1, PFIZER, "2021-05-01", born="1941-01-01"), Y),
    # Recovered: within six calendar months.
    "recovered yesterday": (person(recovered="2021-09-19", born="1990-01-01"), G),
    "recovered 20 March": (person(recovered="2021-03-20", born="1990-01-01"), G),
    "recovered 19 March": (person(recovered="2021-03-19", born="1990-01-01"), N),
    "recovered, dated tomorrow": (person(recovered="2021-09-21", born="1990-01-01"), N),
    "recovered and one dose": (person(1, PFIZER, "2021-09-19", recovered="2021-06-01"), G),
    "recovered too long ago and one dose": (
        person(1, PFIZER, "2021-09-19", recovered="2021-01-01"),
        Y,
    ),
    "recovered and a second dose too fresh": (
        person(2, PFIZER, "2021-09-19", recovered="2021-06-01"),
        G,
    ),
    # Vulnerable: 65 or older, or underlying disease, or immunosuppressed.
    "65 today, two doses": (person(2, PFIZER, "2021-06-01", born="1956-09-20"), Y),
    "65 tomorrow, two doses": (person(2, PFIZER, "2021-06-01", born="1956-09-21"), G),
    "ill for years, two doses": (
        person(2, PFIZER, "2021-06-01", born="1990-01-01", vulnerable=True),
        Y,
    ),
    "70 and recovered": (person(recovered="2021-06-01", born="1951-01-01"), Y),
    "ill for years, recovered, age unknown": (person(recovered="2021-06-01", vulnerable=True), Y),
    "age unknown, two doses": (person(2, PFIZER, "2021-06-01"), G),
    "70, no dose": (person(born="1951-01-01"), N),
    # Everyone else.
    "nothing recorded": (person(), N),
    "born this year": (person(born="2021-02-01"), N),
}

QID = Credential(
    CredentialKind.PERSONAL_QR, (Identifier(IdentifierKind.QID, "162979388586171100"),)
)
NOW = ManualClock().now()  # 08:00 in Vietnam on 20 September 2021
FRESH = Release(7, NOW.wall_ns - 60 * 10**9, NOW.wall_ns + 3_600 * 10**9)
PERMIT = Permit(CredentialStatus.ACTIVE, NOW.wall_ns // (3_600 * 10**9) - 1, 1_000_000)


def test_the_table_names_every_place() -> None:
    assert [place.value for place in Place] == PLACES
    assert len(PEOPLE) >= 30


@pytest.mark.parametrize("name", PEOPLE)
def test_people_get_the_card_and_the_answer_that_the_policy_gives_them(
    rulebook: Rulebook, name: str
) -> None:
    facts, card = PEOPLE[name]
    standing = Standing(Lookup.FOUND, None, facts, FRESH, permits=(PERMIT,))
    for directive in (15, 16):
        letters = ANSWERS[directive, card].split()
        for place, letter in zip(PLACES, letters, strict=True):
            site = a_site(Place(place), directive)
            verdict = decide(QID, standing, rulebook, site, NOW)
            case = f"{name}, {place} under {directive}"
            assert (verdict.card, verdict.outcome) == (card, OUTCOMES[letter]), case
            if letter == "A":
                wanted = CONDITIONS[directive, card]
                assert verdict.reasons == (Reason.CARD_OPENS,), case
                said = verdict.condition.en if verdict.condition else ""
                assert (wanted in said) if wanted else not said, case
            else:
                shut = Reason.NO_CARD if card is N else Reason.CARD_DOES_NOT_OPEN
                assert verdict.reasons == (shut,), case
                assert verdict.condition is None, case


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("directive", [15, 16])
def test_blocks_and_unknown_people_whatever_the_card(
    rulebook: Rulebook, place: str, directive: int
) -> None:
    site = a_site(Place(place), directive)
    full = {"doses": 2, "product": PFIZER, "last": "2021-06-01", "born": "1990-01-01"}
    blocked = {
        Reason.SEE_OFFICER: person(**full, isolation_until=date(2021, 9, 20)),
        Reason.REVOKED: person(**full, status=CredentialStatus.REVOKED),
    }
    for reason, facts in blocked.items():
        verdict = decide(
            QID, Standing(Lookup.FOUND, None, facts, FRESH, permits=(PERMIT,)), rulebook, site, NOW
        )
        assert (verdict.outcome, verdict.reasons) == (Outcome.REFUSE, (reason,))
    released = person(**full, isolation_until=date(2021, 9, 19))
    verdict = decide(
        QID, Standing(Lookup.FOUND, None, released, FRESH, permits=(PERMIT,)), rulebook, site, NOW
    )
    assert verdict.outcome is Outcome.ADMIT
    unknown = decide(QID, Standing(Lookup.NOT_FOUND, None, None, FRESH), rulebook, site, NOW)
    letter = NOT_ON_RECORD.split()[PLACES.index(place)]
    assert (unknown.outcome, unknown.reasons) == (OUTCOMES[letter], (Reason.NO_RECORD,))
