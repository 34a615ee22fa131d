"""The citizen's twelve digits, and what does not fit between them and the rest of a code.

Decree 137/2015/NĐ-CP, article 13, and Circular 07/2016/TT-BCA: three digits for the province or
country of birth, one for century and sex (20th century 0 male, 1 female; 21st 2 and 3; up to 24th
8 and 9), two for the year of birth, six at random. There is no check digit.

The cross-checks only warn. The sample in Decision 1405 contradicts itself (a number of 1993 beside
a birth date in 1987), people's data are corrected while their number stays, and the code is
unsigned: what fits proves nothing either.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from admission.credential import Doubt

DIGITS = 12

PROVINCES = frozenset(
    {
        *(1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35),
        *(36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70),
        *(72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96),
    }
)
"""The 63 provinces of Circular 07/2016, 001 Hà Nội to 096 Cà Mau. Those of 2025 keep some of these
codes and have no new ones."""

COUNTRIES = range(101, 900)
"""Where people born abroad may come from. The Circular numbers countries from 101 on; its table
was not to be had, so every code from there to 899 counts as assigned."""


class Sex(StrEnum):
    """What a code or a number says of its holder."""

    MALE = "male"
    FEMALE = "female"


class CitizenNumber(msgspec.Struct, frozen=True, gc=False):
    """What the twelve digits say. `place` is the code of a province or country."""

    place: int
    sex: Sex
    birth_year: int

    @property
    def place_assigned(self) -> bool:
        """Whether a province or country has this code."""
        return self.place in PROVINCES or self.place in COUNTRIES


def read(number: str) -> CitizenNumber | None:
    """Return what the number says, or None where it has not twelve ASCII digits. Never raises.

    >>> read("079203000017")
    CitizenNumber(place=79, sex=<Sex.MALE: 'male'>, birth_year=2003)
    """
    if len(number) != DIGITS or not (number.isascii() and number.isdigit()):
        return None
    century, female = divmod(int(number[3]), 2)
    return CitizenNumber(
        place=int(number[:3]),
        sex=Sex.FEMALE if female else Sex.MALE,
        birth_year=1900 + 100 * century + int(number[4:6]),
    )


def doubts(
    number: str, *, born: date | None = None, sex: Sex | None = None, issued: date | None = None
) -> tuple[Doubt, ...]:
    """Return what does not fit. None stands for what the code does not say. Never raises.

    A number that is no citizen number raises no doubt of its own; `issued` is compared with the
    birth date where there is one, else with the number's birth year.

    >>> doubts("001093029317", born=date(1987, 1, 18), sex=Sex.MALE)
    (<Doubt.BIRTH_YEAR_DIFFERS: 'birth_year_differs'>,)
    """
    said = read(number)
    if said is None and issued is None:
        return ()
    found: list[Doubt] = []
    if said is not None:
        if not said.place_assigned:
            found.append(Doubt.PROVINCE_UNKNOWN)
        if born is not None and born.year != said.birth_year:
            found.append(Doubt.BIRTH_YEAR_DIFFERS)
        if sex is not None and sex is not said.sex:
            found.append(Doubt.SEX_DIFFERS)
    if issued is not None and _before_birth(issued, born, said):
        found.append(Doubt.ISSUED_BEFORE_BIRTH)
    return tuple(found)


def _before_birth(issued: date, born: date | None, said: CitizenNumber | None) -> bool:
    if born is not None:
        return issued < born
    return said is not None and issued.year < said.birth_year
