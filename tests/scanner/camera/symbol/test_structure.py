"""The arrays say where everything is in a symbol; segno, written by others, says so too."""

from __future__ import annotations

import numpy as np
import pytest
from segno import consts

from scanner.camera.symbol.blocks import codewords_of, layout
from scanner.camera.symbol.repair import draw
from scanner.camera.symbol.structure import (
    DATA,
    Level,
    alignment_centres,
    data_order,
    format_order,
    function_modules,
    mask_pattern,
    size_of,
    version_of,
    version_order,
)
from tests.scanner.camera.symbol.symbols import codewords_in, symbol

VERSIONS = range(1, 41)


def test_sizes_and_versions_belong_together() -> None:
    assert [version_of(size) for size in range(180) if version_of(size)] == list(VERSIONS)
    assert all(version_of(size_of(version)) == version for version in VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_alignment_patterns_are_where_table_e1_has_them(version: int) -> None:
    places = consts.ALIGNMENT_POS[version - 2] if version > 1 else ()
    corners = {(6, 6), (6, size_of(version) - 7), (size_of(version) - 7, 6)}
    assert set(alignment_centres(version)) == {(r, c) for r in places for c in places} - corners


@pytest.mark.parametrize("version", VERSIONS)
def test_every_module_has_one_purpose(version: int) -> None:
    functions = np.flatnonzero(function_modules(version) != DATA)
    orders = (format_order(version), version_order(version), data_order(version))
    purposes = np.concatenate([functions, *(order.ravel() for order in orders)])
    assert sorted(purposes) == list(range(size_of(version) ** 2))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("level", Level)
def test_blocks_are_those_of_table_9(version: int, level: Level) -> None:
    golden = consts.ECC[version][int(level)]
    plan = layout(version, level)
    sizes = [kind.num_total for kind in golden for _ in range(kind.num_blocks)]
    assert [len(places) for places in plan.blocks] == sizes
    assert plan.correction == golden[0].num_total - golden[0].num_data
    assert sorted(np.concatenate(plan.blocks)) == list(range(codewords_of(version)))


@pytest.mark.parametrize("version", VERSIONS)
def test_symbols_taken_apart_and_drawn_anew_are_the_same(version: int) -> None:
    for turn, level in enumerate(Level):
        mask = (version + 2 * turn + version // 8) % 8
        _draws_as_segno(version, level, mask)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_symbols_of_all_levels_and_masks_are_drawn_the_same(version: int) -> None:
    for level in Level:
        for mask in range(8):
            _draws_as_segno(version, level, mask)


def test_arrays_that_all_share_cannot_be_written() -> None:
    for array in (function_modules(7), data_order(7), mask_pattern(0, 7), version_order(7)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def _draws_as_segno(version: int, level: Level, mask: int) -> None:
    golden = symbol(f"{version} {level.name} {mask}", version, level, mask)
    drawn = draw(version, level, mask, codewords_in(golden, version, mask))
    assert (drawn == golden).all()
