"""A synthetic population: the same people for the same seed, none of whom exists.

Document numbers have the shape of the citizen card's twelve digits (Decree 137/2015, article 13),
but begin with a province code that was never assigned: 000, 097 to 099, 900 to 999. QIDs begin with
90, which the national platform's time-based numbers do not reach. No number can be a real person's.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from admission.credentials import typed_code
from admission.identity import Identifier, IdentifierKind
from admission.standing import CredentialStatus, PersonFacts, Product, TestResult
from hub import names
from hub.store.port import KnownIdentifier, Person

PROVINCES = (0, 97, 98, 99, *range(900, 1000))
_PER_PROVINCE = 1_000_000
MAX_PEOPLE = len(PROVINCES) * _PER_PROVINCE
DISTRICTS = 12

# Multipliers prime to what they are taken modulo: index → number is one to one and looks shuffled.
_SERIAL_STEP = 618_033
_QID_SPACE, _QID_STEP = 10**16, 6_180_339_887_498_949
_CODE_SPACE, _CODE_STEP = 9 * 10**9, 5_562_305_899
_CODE_FIRST = 10**9

_PRODUCTS = (Product.ASTRAZENECA, Product.ASTRAZENECA, Product.PFIZER, Product.MODERNA)
_EPOCH = date(1970, 1, 1)
_VIETNAM_H = 7
Digest = Callable[[str, date], int]
_ENTROPY = struct.Struct("<8I")


class Cohort(StrEnum):
    """Why somebody's card has its colour, by the rules of the shipped rulebooks."""

    GREEN = "green"
    YELLOW = "yellow"
    NONE = "none"
    ISOLATED = "isolated"
    """Facts as of a green card, but in isolation."""
    REVOKED = "revoked"
    """Facts as of a green card, but every credential is withdrawn."""


_COHORTS = (
    *(Cohort.GREEN,) * 73,
    *(Cohort.YELLOW,) * 13,
    *(Cohort.NONE,) * 12,
    Cohort.ISOLATED,
    Cohort.REVOKED,
)
"""In proportion: 73 % green, 13 % yellow, 12 % none, 1 % and 1 %."""


class Resident(msgspec.Struct, frozen=True):
    """What a credential says of its holder. The hub's store does not keep it."""

    name: str
    born: date
    female: bool
    address: str
    card_issued: date
    document: str
    qid: str
    code: int
    """The ten digits of the typed code, without the check digit."""


class Population:
    """`size` people with facts as of the date `on`. Each is a pure function of seed and index.

    :param digest: digests name and birth date (`identity.identity_digester`); without it, gates
        can't tell whether a code's declared name is the one on record.
    :raises ValueError: if there are more than `MAX_PEOPLE`, or none.
    """

    def __init__(self, seed: int, size: int, on: date, digest: Digest | None = None) -> None:
        if not 0 < size <= MAX_PEOPLE:
            msg = f"a synthetic population has 1 to {MAX_PEOPLE:,} people, not {size:,}"
            raise ValueError(msg)
        self.size = size
        self.on = on
        self._digest = digest
        self.midnight_h = (on.toordinal() - _EPOCH.toordinal()) * 24 - _VIETNAM_H
        self._today = on.toordinal()
        self._keyed = hashlib.blake2b(digest_size=32, key=hashlib.sha256(b"%d" % seed).digest())
        self._offset = self._entropy(-1)[0]

    def __iter__(self) -> Iterator[Person]:
        """Yield everybody by index."""
        return map(self.person, range(self.size))

    def cohort(self, index: int) -> Cohort:
        """Return the cohort of one index."""
        return _cohort(self._entropy(index)[0])

    def draw(self, index: int) -> int:
        """Return a number for one index that no fact of the person depends on."""
        return self._entropy(index)[3] // 2

    def person(self, index: int) -> Person:
        """Return one person's record. Indices from `size` on are people who are not on record."""
        entropy = self._entropy(index)
        cohort = _cohort(entropy[0])
        status = CredentialStatus.REVOKED if cohort is Cohort.REVOKED else CredentialStatus.ACTIVE
        facts = self._facts(cohort, entropy)
        born = _birth_date(facts)
        document, qid, code = self._numbers(index, born, entropy)
        if self._digest is not None:
            name = names.full_name(entropy[6], female=_is_female(entropy))
            facts = msgspec.structs.replace(facts, identity=self._digest(name, born))
        return Person(
            index,
            (
                KnownIdentifier(Identifier(IdentifierKind.QID, qid), status),
                KnownIdentifier(Identifier(IdentifierKind.DOCUMENT, document), status),
                KnownIdentifier(
                    Identifier(IdentifierKind.TYPED_CODE, typed_code.render(code)), status
                ),
            ),
            facts,
        )

    def resident(self, index: int) -> Resident:
        """Return what the credentials of the same person say."""
        entropy = self._entropy(index)
        facts = self._facts(_cohort(entropy[0]), entropy)
        born = _birth_date(facts)
        document, qid, code = self._numbers(index, born, entropy)
        female = _is_female(entropy)
        return Resident(
            name=names.full_name(entropy[6], female=female),
            born=born,
            female=female,
            address=names.address(entropy[7], facts.district),
            card_issued=date.fromordinal(self._today - 30 - entropy[7] % 600),
            document=document,
            qid=qid,
            code=code,
        )

    def _entropy(self, index: int) -> tuple[int, ...]:
        state = self._keyed.copy()
        state.update(index.to_bytes(8, "little", signed=True))
        return _ENTROPY.unpack(state.digest())

    def _numbers(self, index: int, born: date, entropy: tuple[int, ...]) -> tuple[str, str, int]:
        block, place = divmod(index, _PER_PROVINCE)
        if block >= len(PROVINCES):
            raise ValueError("the synthetic document numbers are used up")
        serial = (place * _SERIAL_STEP + self._offset) % _PER_PROVINCE
        century = 2 * (born.year // 100 - 19) + _is_female(entropy)
        document = f"{PROVINCES[block]:03}{century}{born.year % 100:02}{serial:06}"
        qid = f"90{(index * _QID_STEP + self._offset) % _QID_SPACE:016}"
        return document, qid, _CODE_FIRST + (index * _CODE_STEP + self._offset) % _CODE_SPACE

    def _facts(self, cohort: Cohort, entropy: tuple[int, ...]) -> PersonFacts:
        """Return what is on record: four in five with a recent test, nine in ten a declaration."""
        draw = entropy[1] // 10
        tested_h = self.midnight_h - (1 + draw % 50 if draw % 5 else 80 + draw % 400)
        draw //= 50
        declared_h = self.midnight_h - (1 + draw % 15 if draw % 10 else 30 + draw % 200)
        ill = cohort is Cohort.ISOLATED
        return msgspec.structs.replace(
            self._card_facts(cohort, entropy),
            tested_h=tested_h,
            test_result=TestResult.POSITIVE if ill else TestResult.NEGATIVE,
            declared_h=declared_h,
            exposure=ill,
        )

    def _card_facts(self, cohort: Cohort, entropy: tuple[int, ...]) -> PersonFacts:
        _, kind, days, _, age, place, _, _ = entropy
        born = self._days_ago((18 + age % 43) * 365 + 30 + age // 43 % 300)
        district = 1 + place % DISTRICTS
        if cohort is Cohort.YELLOW:
            return self._yellow(kind % 10, days, age, born, district)
        if cohort is Cohort.NONE:
            return self._none(kind % 10, days, born, district)
        isolated = self._days_ago(-2 - place // DISTRICTS % 13)
        return PersonFacts(
            **self._recovered(days) if kind % 10 == 0 else self._vaccinated(days),
            born=born,
            isolation_until=isolated if cohort is Cohort.ISOLATED else None,
            district=district,
        )

    def _yellow(self, kind: int, days: int, age: int, born: date, district: int) -> PersonFacts:
        if kind < 4:
            return PersonFacts(
                doses=1,
                product=_PRODUCTS[days % 4],
                last_dose=self._days_ago(5 + days // 4 % 50),
                born=born,
                district=district,
            )
        elderly = kind < 7
        if elderly:
            born = self._days_ago((66 + age % 25) * 366 + age // 25 % 300)
        return PersonFacts(
            **self._vaccinated(days), born=born, vulnerable=not elderly, district=district
        )

    def _none(self, kind: int, days: int, born: date, district: int) -> PersonFacts:
        if kind < 6:
            return PersonFacts(born=born, district=district)
        if kind < 8:
            waiting = self._vaccinated(days) | {"last_dose": self._days_ago(1 + days % 6)}
            return PersonFacts(**waiting, born=born, district=district)
        long_ago = self._days_ago(200 + days % 200)
        return PersonFacts(recovered=long_ago, born=born, district=district)

    def _vaccinated(self, days: int) -> dict[str, Any]:
        return {
            "doses": 2 + (days % 7 == 0),
            "product": _PRODUCTS[days % 4],
            "last_dose": self._days_ago(21 + days // 7 % 130),
        }

    def _recovered(self, days: int) -> dict[str, Any]:
        return {"recovered": self._days_ago(20 + days % 130)}

    def _days_ago(self, days: int) -> date:
        return date.fromordinal(self._today - days)


def _cohort(entropy: int) -> Cohort:
    return _COHORTS[entropy % 100]


def _is_female(entropy: tuple[int, ...]) -> bool:
    return entropy[3] % 2 == 1


def _birth_date(facts: PersonFacts) -> date:
    if facts.born is None:
        raise ValueError("synthetic people have a birth date")
    return facts.born
