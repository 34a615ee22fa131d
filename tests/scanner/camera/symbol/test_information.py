"""Format and version information survive damage that leaves anything to decide by."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segno import consts

from scanner.camera.symbol.information import (
    format_bits,
    read_format,
    version_agreement,
    version_bits,
)
from scanner.camera.symbol.structure import Level, format_order, version_order
from tests.scanner.camera.symbol.symbols import certain, symbol

FORMATS = [(level, mask) for level in Level for mask in range(8)]


def test_bits_are_those_of_the_tables() -> None:
    assert [format_bits(*form) for form in FORMATS] == list(consts.FORMAT_INFO)
    assert [version_bits(version) for version in range(7, 41)] == list(consts.VERSION_INFO)


@pytest.mark.parametrize(("level", "mask"), FORMATS)
def test_three_wrong_bits_in_each_copy_are_outvoted(level: Level, mask: int) -> None:
    values = certain(symbol("3 wrong", 2, level, mask))
    first, second = format_order(2)
    for wrong in list(combinations(range(15), 3))[:: 1 + mask]:
        damaged = values.copy().ravel()
        damaged[first[list(wrong)]] *= -1
        damaged[second[list(wrong)]] *= -1
        best = read_format(damaged.reshape(values.shape), 2)[0]
        assert (best.level, best.mask) == (level, mask)


@given(
    form=st.sampled_from(FORMATS),
    copy=st.sampled_from([0, 1]),
    wrong=st.sets(st.integers(0, 14), max_size=3),
)
def test_one_copy_is_enough(form: tuple[Level, int], copy: int, wrong: set[int]) -> None:
    values = certain(symbol("copy", 1, *form)).ravel()
    order = format_order(1)
    values[order[1 - copy]] = 0
    values[order[copy][sorted(wrong)]] *= -1
    best = read_format(values.reshape(21, 21), 1)[0]
    assert (best.level, best.mask) == form
    assert best.agreement == pytest.approx(1 - 2 * len(wrong) / 15)


def test_what_was_seen_clearly_outweighs_what_was_not() -> None:
    values = certain(symbol("clear", 1, Level.Q, 5)).ravel()
    order = format_order(1)
    values[order[0]] = certain(symbol("clear", 1, Level.L, 2)).ravel()[order[0]] * 0.4
    best, second = read_format(values.reshape(21, 21), 1)[:2]
    assert (best.level, best.mask) == (Level.Q, 5)
    assert (second.level, second.mask) == (Level.L, 2)


@pytest.mark.parametrize("version", [7, 21, 32, 40])
def test_version_information_says_the_version(version: int) -> None:
    values = certain(symbol("v", version, Level.L, 0))
    clean = version_agreement(values, version)
    assert clean > 0
    places = version_order(version)
    damaged = values.copy().ravel()
    damaged[places[0, :3]] *= -1
    damaged[places[1, 5:8]] *= -1
    assert 0 < version_agreement(damaged.reshape(values.shape), version) < clean
    other = values.copy().ravel()
    wrong = 39 if version == 40 else version + 1
    bits = [version_bits(wrong) >> place & 1 for place in range(17, -1, -1)]
    other[places] = np.array(bits) * 2 - 1
    assert version_agreement(other.reshape(values.shape), version) < 0


def test_small_versions_have_no_version_information() -> None:
    assert version_agreement(certain(symbol("6", 6, Level.L, 0)), 6) == 0
