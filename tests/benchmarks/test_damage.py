"""`chot bench damage`: symbols are as full as they can be, damage is where and as much as is said,
and the search finds what a reader survives."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.cli import bench
from benchmarks.damage import Reader, largest, measure, read_hard, read_repaired, searches
from benchmarks.damage_kinds import (
    FINDER_MODULES,
    KINDS,
    Kind,
    Sample,
    capacity,
    certain,
    sample,
)
from scanner.camera.symbol.reliability import Values
from scanner.camera.symbol.structure import Level

VERSIONS = (1, 5, 10)
AREAS = [key for key in KINDS if key.startswith(("stripe", "spot", "corner"))]


def samples(version: int = 5, level: Level = Level.M, count: int = 3) -> list[Sample]:
    return [sample(version, level, np.random.default_rng(seed)) for seed in range(count)]


def damage_to(whole: Sample, kind: Kind, steps: int) -> Values:
    """How much each module's value has changed."""
    changed: Values = np.abs(kind.damaged(whole, steps * kind.step) - certain(whole.matrix))
    return changed


@pytest.mark.parametrize("version", [1, 5, 9, 10])
@pytest.mark.parametrize("level", Level)
def test_symbols_are_full_and_read_as_what_is_in_them(version: int, level: Level) -> None:
    whole = samples(version, level, 1)[0]
    assert len(whole.text) == capacity(version, level)
    assert read_hard(certain(whole.matrix)) == whole.text
    assert read_repaired(certain(whole.matrix)) == whole.text


@pytest.mark.parametrize("key", KINDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_most_damage_leaves_the_finders_alone(version: int, key: str) -> None:
    kind = KINDS[key]
    for whole in samples(version):
        changed = damage_to(whole, kind, kind.steps(version)) > 0
        assert changed.any()
        near, far = slice(FINDER_MODULES), slice(-FINDER_MODULES, None)
        for corner in ((near, near), (near, far), (far, near)):
            assert not changed[corner].any()


@pytest.mark.parametrize("key", KINDS)
def test_no_damage_is_none_and_the_same_chance_gives_the_same(key: str) -> None:
    kind = KINDS[key]
    one, same = samples(count=1)[0], samples(count=1)[0]
    assert not damage_to(one, kind, 0).any()
    assert (damage_to(one, kind, 3) == damage_to(same, kind, 3)).all()


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_damage_is_as_much_as_is_said(share: float) -> None:
    for whole in samples(10):
        size = len(whole.matrix)
        certainly = certain(whole.matrix)
        unseen = KINDS["stripe_unseen"].damaged(whole, share) == 0
        assert unseen.all(axis=0).sum() == unseen.any(axis=0).sum() == round(share * size)
        light = KINDS["spot_light"].damaged(whole, share)
        assert (light[light != certainly] == -1).all()
        # Of the modules in the spot about half were dark; of random ones about half are wrong.
        for key in ("spot_light", "spot_random", "corner_random"):
            wrong = KINDS[key].damaged(whole, share) != certainly
            assert 0.35 * share < wrong.mean() < 0.65 * share
        flipped = KINDS["flips"].damaged(whole, share) == -certainly
        outside = size**2 - 3 * FINDER_MODULES**2
        assert flipped.sum() == round(share * outside)
        noisy = np.abs(KINDS["noise"].damaged(whole, share) - certainly)
        assert 0.7 * share < (noisy[noisy > 0] ** 2).mean() ** 0.5 < 1.3 * share


@pytest.mark.parametrize("threshold", [-1, 0, 1, 7, 29, 30])
def test_bisection_finds_the_threshold(threshold: int) -> None:
    asked: list[int] = []

    def survives(step: int) -> bool:
        asked.append(step)
        return step <= threshold

    assert largest(survives, 30) == (threshold if threshold >= 0 else None)
    assert len(asked) <= 5
    assert set(asked) <= set(range(31))


@pytest.mark.parametrize(("weak", "survived"), [(0, 0.2), (1, 0.2), (2, 0.06)])
def test_the_search_goes_by_nine_symbols_of_ten(weak: int, survived: float) -> None:
    """A reader of a known threshold: 20 % flipped, but only 6 % of the `weak` ones of ten."""
    several = samples(count=10)
    bears = {whole.text: 0.06 if number < weak else 0.2 for number, whole in enumerate(several)}

    def read(values: Values) -> bytes | None:
        for whole in several:
            flipped = (values != certain(whole.matrix)).sum() / len(whole.order)
            if flipped < 0.31:  # no other symbol is so alike
                return whole.text if flipped < bears[whole.text] + 0.002 else None
        return None

    reader = Reader(read)
    kind = KINDS["flips"]
    assert reader.survived(several, kind, kind.steps(5)) == survived
    assert reader.wrong == 0


def test_wrong_reads_are_counted_and_survive_nothing() -> None:
    done: list[int] = []
    figures = measure(
        1,
        2,
        levels=[Level.L],
        hard=lambda values: None,
        repaired=lambda values: b"something else",
        progress=done.append,
    )
    assert done == list(range(1, searches([Level.L]) + 1))
    assert figures.zxing_wrong == 0
    assert figures.chot_wrong > 0
    for found in figures.damages.values():
        assert (found.levels["L"].zxing, found.levels["L"].chot) == (None, None)


def test_soft_values_survive_what_hard_ones_do_not() -> None:
    several = samples(count=4)
    kind = KINDS["stripe_unseen"]
    hard, repaired = (
        Reader(read).survived(several, kind, kind.steps(5)) for read in (read_hard, read_repaired)
    )
    assert hard is not None
    assert repaired is not None
    assert repaired > hard > 0


def test_figures_as_json() -> None:
    result = CliRunner().invoke(bench, ["damage", "--version", "1", "--symbols", "1", "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert set(figures) == {
        "machine", "version", "symbols", "read_percent", "seed", "damages",
        "zxing_wrong", "chot_wrong",
    }  # fmt: skip
    assert (figures["version"], figures["symbols"], figures["read_percent"]) == (1, 1, 90)
    assert list(figures["damages"]) == list(KINDS)
    for key, found in figures["damages"].items():
        assert found["step"] == KINDS[key].step
        assert list(found["levels"]) == ["L", "M", "Q", "H"]
        for survived in found["levels"].values():
            assert set(survived) == {"zxing", "chot"}
            assert all(0 <= amount <= found["most"] for amount in survived.values())


def test_figures_for_people_are_markdown() -> None:
    result = CliRunner().invoke(bench, ["damage", "--version", "1", "--symbols", "1"])
    assert result.exit_code == 0, result.output
    rows = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(KINDS)
    assert {row.count("|") for row in rows} == {6}
