"""What a technician's answers mean, and whether they are what a signal should have looked like."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from admission.certlogic_words import Language
from admission.signal import LAMPS, Output, Signal
from appliance.cli.bridge_words import LAMP_LETTERS, MANY, WORDS, index_of
from appliance.cli.bridge_words import LAMPS as LAMP_WORDS

COUNTED: Final = 5
"""More beeps than this are too many to count; whoever counts more has heard many."""
MANY_BEEPS: Final = 1_000


class Result(StrEnum):
    """How one thing that was tried went."""

    SEEN = "seen"
    OTHERWISE = "otherwise"
    SKIPPED = "skipped"


class Finding(msgspec.Struct, frozen=True):
    """One line of the table at the end: what was tried, what should be, and what was seen."""

    what: str
    expected: str
    seen: str
    result: Result


def lamps_of(signal: Signal, fitted: frozenset[Output]) -> frozenset[Output]:
    """Return the lamps that have to be seen."""
    return frozenset(pulse.output for pulse in signal.pulses) & LAMPS & fitted


def beeps_of(signal: Signal, fitted: frozenset[Output]) -> int:
    """Return how many beeps have to be heard; `MANY_BEEPS` where nobody can count them."""
    if Output.BUZZER not in fitted:
        return 0
    beeps = sum(p.count for p in signal.pulses if p.output is Output.BUZZER)
    return MANY_BEEPS if beeps > COUNTED else beeps


def read_lamps(answer: str, language: Language) -> frozenset[Output] | None:
    """Return which lamps an answer names; None if it is none.

    >>> sorted(lamp.name for lamp in read_lamps("r, a", "en"))
    ['AMBER', 'RED']
    >>> read_lamps("0", "en"), read_lamps("blue", "en")
    (frozenset(), None)
    """
    letters = [letter for letter in answer.lower() if not letter.isspace() and letter not in ",+"]
    known = LAMP_LETTERS[language]
    if letters == ["0"]:
        return frozenset()
    if not letters or not set(letters) <= set(known):
        return None
    return frozenset(known[letter] for letter in letters)


def read_beeps(answer: str, language: Language) -> int | None:
    """Return how many beeps an answer tells of; None if it is none.

    >>> read_beeps("2", "en"), read_beeps("m", "en"), read_beeps("12", "en"), read_beeps("x", "en")
    (2, 1000, 1000, None)
    """
    word = answer.strip().lower()
    if word in MANY[language]:
        return MANY_BEEPS
    if not word.isascii() or not word.isdecimal() or len(word) > 3:
        return None
    return int(word) if int(word) <= COUNTED else MANY_BEEPS


def lamps_in_words(lamps: frozenset[Output], language: Language) -> str:
    """Return the names of lamps."""
    index = index_of(language)
    named = [LAMP_WORDS[lamp][index] for lamp in sorted(lamps)]
    return " + ".join(named) or WORDS["nothing"][index]


def beeps_in_words(beeps: int, language: Language) -> str:
    """Return a number of beeps in words."""
    index = index_of(language)
    if beeps == MANY_BEEPS:
        return WORDS["many"][index]
    if beeps == 0:
        return WORDS["nothing"][index]
    return f"{beeps} {WORDS['beep' if beeps == 1 else 'beeps'][index]}"
