"""Permits and a roster of the synthetic population: invented, and the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from admission.identity import Identifier
from admission.site import Place
from admission.standing import CredentialStatus, Permit, RosterEntry
from hub.cells import place_bit
from hub.forms import PERMIT_VALID_H, key_of
from hub.store.port import Person
from hub.store.registers import Row
from hub.synthetic import Cohort, Population

SITE = "demo-factory"
"""Whose roster it is."""
MAX_ASKED = 50_000
"""People who may have a permit: the first of the population."""
MAX_WORKERS = 300
_PLACES = place_bit(Place.CONTROL_STATION) | place_bit(Place.SUPERMARKET)


def permits(population: Population) -> Iterator[Row]:
    """Yield permits for six in ten of the first people, and for one in ten one that has expired.

    Everybody's stand for control stations and supermarkets; those of revoked cards are revoked.
    """
    for index in range(min(population.size, MAX_ASKED)):
        draw = population.draw(index) % 10
        if draw < 7:
            person = population.person(index)
            from_h = population.midnight_h + 6 - (24 if draw < 6 else 24 + 2 * PERMIT_VALID_H)
            permit = Permit(_status(population, index), from_h, from_h + PERMIT_VALID_H, _PLACES)
            yield Row(f"SYNTHETIC-{index:06}", _numbers(person), permit)


def workers(population: Population) -> Iterator[Row]:
    """Yield the rows of one site's approved list: every third of the first people, for a month."""
    first, last = population.on - timedelta(7), population.on + timedelta(30)
    for index in range(0, min(population.size, 3 * MAX_WORKERS), 3):
        numbers = _numbers(population.person(index))
        entry = RosterEntry(_status(population, index), first, last)
        yield Row(key_of(numbers[0]), numbers, entry)


def _status(population: Population, index: int) -> CredentialStatus:
    revoked = population.cohort(index) is Cohort.REVOKED
    return CredentialStatus.REVOKED if revoked else CredentialStatus.ACTIVE


def _numbers(person: Person) -> tuple[Identifier, ...]:
    return tuple(known.identifier for known in person.identifiers)
