"""Protects whoever cannot see colours, or cannot see, or cannot hear: each verdict has its rhythm.

The measure. What one eye (all lamps as one white lamp) or one ear gets of a signal in its first two
seconds, before a person acts, is a rhythm: how long the longest lit stretch lasts, how long the
longest dark one between two of them, how long it is from the first to the end of the last, and how
many there are. Two rhythms are told apart if one of the three lengths differs by a factor of two
(people tell durations apart from a tenth to a quarter on) or if they count differently up to four
(which people see without counting), and if for half a second and more in all one is on while the
other is off, even where one of them is perceived up to 150 ms late.
"""

from __future__ import annotations

from itertools import combinations, groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.quiet import Quiet, QuietHours, quietened
from admission.signal import (
    ADMIT,
    ALARM,
    LAMPS,
    OUT_OF_ORDER,
    REFER,
    REFUSE,
    Output,
    Pulse,
    Signal,
)
from tests.admission.test_quiet import ALWAYS, NOON

SIGNALS = (ADMIT, REFER, REFUSE, OUT_OF_ORDER, ALARM)
STEP_MS = 10
PERCEIVED_MS = 2_000
LATE_MS = 150
APART_MS = 500
FACTOR = 2.0
COUNTED_AT_A_GLANCE = 4
MAX_FLASHES_A_SECOND = 3

Levels = tuple[bool, ...]


def levels(signal: Signal, outputs: frozenset[Output], until_ms: int) -> Levels:
    """Return whether any of `outputs` is on, every `STEP_MS`."""

    def on(pulse: Pulse, at_ms: int) -> bool:
        inside = at_ms % (pulse.on_ms + pulse.off_ms or 1) < pulse.on_ms
        return at_ms < pulse.length_ms and inside

    return tuple(
        any(on(pulse, at_ms) for pulse in signal.pulses if pulse.output in outputs)
        for at_ms in range(0, until_ms, STEP_MS)
    )


def rhythm(seen: Levels) -> tuple[float, float, float, int]:
    """Return longest lit, longest dark between, whole length (ms), and the number of flashes."""
    runs = [(lit, len(list(run)) * STEP_MS) for lit, run in groupby(seen)]
    while runs and not runs[-1][0]:
        runs.pop()
    lit = [length for is_lit, length in runs if is_lit]
    dark = [length for is_lit, length in runs if not is_lit]
    return max(lit, default=0), max(dark, default=0), sum(length for _, length in runs), len(lit)


def apart_ms(one: Levels, other: Levels, late: int) -> int:
    """Return for how long exactly one is on, where `other` is perceived `late` steps late."""
    delayed = (False,) * late + other[: len(other) - late]
    return STEP_MS * sum(a is not b for a, b in zip(one, delayed, strict=True))


def told_apart(one: Levels, other: Levels) -> bool:
    """Return whether people tell these two apart, by the measure above."""
    *lengths, count = rhythm(one)
    *other_lengths, other_count = rhythm(other)
    pairs = zip(lengths, other_lengths, strict=True)
    differs = any(max(pair) >= FACTOR * min(pair) and max(pair) > 0 for pair in pairs) or (
        count != other_count and min(count, other_count) <= COUNTED_AT_A_GLANCE
    )
    lates = range(0, LATE_MS + 1, STEP_MS)
    moves = [(one, other, late // STEP_MS) for late in lates]
    moves += [(other, one, late // STEP_MS) for late in lates]
    return differs and min(apart_ms(*move) for move in moves) >= APART_MS


PAIRS = list(combinations(SIGNALS, 2))
NAMES = [f"{a.name.name}-{b.name.name}" for a, b in PAIRS]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=NAMES)
def test_lamps_are_told_apart_without_colour(one: Signal, other: Signal) -> None:
    seen = [levels(signal, LAMPS, PERCEIVED_MS) for signal in (one, other)]
    assert told_apart(*seen)


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=NAMES)
def test_sounds_are_told_apart_without_sight(one: Signal, other: Signal) -> None:
    heard = [levels(signal, frozenset({Output.BUZZER}), PERCEIVED_MS) for signal in (one, other)]
    assert all(any(each) for each in heard), "a verdict without a sound is none for the blind"
    assert told_apart(*heard)


def test_each_lamp_of_a_signal_alone_keeps_the_rhythm() -> None:
    # A burnt-out lamp takes the colour away, and nothing else.
    for signal in SIGNALS:
        fitted = {pulse.output for pulse in signal.pulses} & LAMPS
        assert {levels(signal, frozenset({lamp}), 10_000) for lamp in fitted} == {
            levels(signal, LAMPS, 10_000)
        }


def test_no_light_flashes_more_than_three_times_in_a_second() -> None:
    for signal in SIGNALS:
        seen = levels(signal, LAMPS, 10_000)
        begins = [i for i in range(len(seen)) if seen[i] and not (i and seen[i - 1])]
        second = 1_000 // STEP_MS
        for begin in begins:
            within = [other for other in begins if begin <= other < begin + second]
            assert len(within) <= MAX_FLASHES_A_SECOND, signal.name


def test_quiet_hours_keep_the_rhythms_apart() -> None:
    short = QuietHours(ALWAYS, Quiet.SHORT)
    for one, other in PAIRS:
        heard = [
            rhythm(levels(quietened(s, short, NOON), frozenset({Output.BUZZER}), PERCEIVED_MS))
            for s in (one, other)
        ]
        ratios = [max(p) >= FACTOR * min(p) and max(p) > 0 for p in zip(*heard, strict=True)]
        assert any(ratios[:3]) or heard[0][3] != heard[1][3], (one.name, other.name)


@given(st.sampled_from(SIGNALS), st.integers(0, LATE_MS // STEP_MS))
def test_the_measure_finds_nothing_between_a_signal_and_itself(signal: Signal, late: int) -> None:
    seen = levels(signal, LAMPS, PERCEIVED_MS)
    delayed = (False,) * late + seen[: len(seen) - late]
    assert not told_apart(seen, delayed)
