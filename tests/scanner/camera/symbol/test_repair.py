"""A damaged symbol is repaired exactly or not at all."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.symbol import repair as repair_module
from scanner.camera.symbol.blocks import codewords_of, layout
from scanner.camera.symbol.reading import read_matrix
from scanner.camera.symbol.reed_solomon import attempts
from scanner.camera.symbol.repair import draw, repair
from scanner.camera.symbol.structure import Level, data_order, format_order, size_of
from tests.scanner.camera.symbol.symbols import (
    Values,
    certain,
    codewords_in,
    symbol,
    with_noise,
)

SLOW = [pytest.mark.slow, pytest.mark.timeout(1800)]
CASES = [(1, Level.L), (1, Level.H), (2, Level.M), (5, Level.Q), (7, Level.L), (10, Level.M)]


@pytest.mark.parametrize(("version", "level"), CASES)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_clean_symbol_is_itself(
    version: int, level: Level, *, mirrored: bool, inverted: bool
) -> None:
    matrix = symbol("itself", version, level, 3)
    values = certain(matrix) * (-1 if inverted else 1)
    repaired = repair(values.T if mirrored else values)
    assert repaired is not None
    assert (repaired.matrix == matrix).all()
    assert (repaired.version, repaired.level, repaired.mask) == (version, level, 3)
    assert (repaired.mirrored, repaired.inverted, repaired.corrected) == (mirrored, inverted, 0)


@settings(max_examples=60)
@given(
    case=st.sampled_from(CASES),
    mask=st.integers(0, 7),
    attempt=st.integers(0, 99),
    seed=st.integers(0, 2**32),
)
def test_errors_and_erasures_within_the_bound_are_repaired(
    case: tuple[int, Level], mask: int, attempt: int, seed: int
) -> None:
    version, level = case
    matrix = symbol("bound", version, level, mask)
    values = certain(matrix) * np.float32(0.9)
    random = np.random.default_rng(seed)
    plan = layout(version, level)
    order = data_order(version)[: codewords_of(version) * 8].reshape(-1, 8)
    flat = values.ravel()
    spent = 0
    for block in plan.blocks:
        within = attempts(len(block), plan.correction, plan.protection)
        erasures, errors = within[attempt % len(within)]
        places = random.permutation(block)
        flat[order[places[:erasures]]] = 0
        for place in places[erasures : erasures + errors]:
            flat[random.permutation(order[place])[: random.integers(1, 9)]] *= -1
        spent = max(spent, erasures + errors)
    repaired = repair(flat.reshape(matrix.shape))
    assert repaired is not None
    assert (repaired.matrix == matrix).all()
    assert 0 < repaired.corrected <= spent / plan.correction


@pytest.mark.parametrize(
    ("level", "deviation", "gain"),
    [(Level.L, 0.45, 2), (Level.M, 0.5, 5), (Level.Q, 0.52, 5), (Level.H, 0.57, 5)],
)
def test_it_reads_noise_that_no_decoder_of_hard_bits_reads(
    level: Level, deviation: float, gain: int
) -> None:
    random = np.random.default_rng(int(level))
    matrix = symbol("softly, softly, catchee monkey", 5, level)
    soft, hard = 0, 0
    for _ in range(20):
        values = with_noise(matrix, deviation, random)
        repaired = repair(values)
        assert repaired is None or (repaired.matrix == matrix).all()
        soft += repaired is not None
        hard += _reads_hard(values)
    assert soft >= hard + gain


def test_trials_read_what_erasures_alone_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1972)
    matrix = symbol("trial and error", 2, Level.M)
    pictures = [with_noise(matrix, 0.55, random) for _ in range(20)]
    with_trials = [repair(values) is not None for values in pictures]
    monkeypatch.setattr(repair_module, "repair_block_by_trial", lambda *_: None)
    without = [repair(values) is not None for values in pictures]
    assert sum(with_trials) >= sum(without) + 5


@pytest.mark.parametrize(
    ("level", "modules"), [(Level.L, 6), (Level.M, 12), (Level.Q, 17), (Level.H, 20)]
)
def test_a_stripe_of_glare_is_told_from_data(level: Level, modules: int) -> None:
    matrix = symbol("a stripe of glare, seen as clearly as all else", 10, level)
    values = certain(matrix)
    values[:, 20 : 20 + modules] = -1
    repaired = repair(values)
    assert repaired is not None
    assert (repaired.matrix == matrix).all()
    assert not _reads_hard(values)


@pytest.mark.parametrize("size", [0, 1, 20, 21, 25, 177, 178, 181])
def test_nothing_seen_is_nothing_read(size: int) -> None:
    assert repair(np.zeros((size, size), np.float32)) is None
    assert repair(np.ones((size, size), np.float32)) is None
    assert repair(np.full((size, size), np.nan, np.float32)) is None


def test_a_matrix_that_is_not_square_is_no_symbol() -> None:
    assert repair(np.zeros((21, 25), np.float32)) is None
    assert repair(np.zeros((21, 0), np.float32)) is None


def test_values_that_are_no_numbers_count_as_erased() -> None:
    matrix = symbol("not a number", 5, Level.M, 1)
    values = certain(matrix)
    values[20:24, 20:24] = np.nan
    values[9, 9] = np.inf
    repaired = repair(values)
    assert repaired is not None
    assert (repaired.matrix == matrix).all()


def test_of_formats_that_agree_alike_each_is_tried() -> None:
    matrix = symbol("ambiguous", 4, Level.Q, 2)
    other = symbol("ambiguous", 4, Level.L, 6)
    values = certain(matrix)
    first, _ = format_order(4)
    values.ravel()[first] = certain(other).ravel()[first]
    values.ravel()[format_order(4)[1]] *= 0.95
    repaired = repair(values)
    assert repaired is not None
    assert (repaired.matrix == matrix).all()


@pytest.mark.parametrize(
    ("version", "weaker", "digits"), [(1, Level.L, 17), (2, Level.M, 34), (6, Level.M, 139)]
)
def test_a_weaker_level_in_the_format_information_is_not_believed(
    version: int, weaker: Level, digits: int
) -> None:
    # Too full for a terminator: at a weaker level, correction codewords would follow as text.
    matrix = symbol("8" * digits, version, Level.H, 4)
    misled = draw(version, weaker, 4, codewords_in(matrix, version, 4))
    assert not (misled == matrix).all()
    repaired = repair(certain(misled))
    assert repaired is not None
    assert repaired.level is Level.H
    assert (repaired.matrix == matrix).all()


@pytest.mark.parametrize(
    ("version", "level", "share"),
    [(2, Level.H, 0.25), (5, Level.Q, 0.2), (10, Level.L, 0.1), (10, Level.M, 0.2)],
)
def test_damage_that_looks_clear_is_found_by_what_lies_around_it(
    version: int, level: Level, share: float
) -> None:
    random = np.random.default_rng(version)
    matrix = symbol("a crease", version, level)
    side = round(share**0.5 * len(matrix))
    values = certain(matrix)
    values[-side:, -side:] = random.choice([-1, 1], (side, side))
    assert not _reads_hard(values)
    repaired = repair(values)
    assert repaired is not None
    assert (repaired.matrix == matrix).all()


def test_the_callers_values_stay_as_they_are() -> None:
    values = certain(symbol("mine", 3, Level.M, 0)) * -1
    before = values.copy()
    repair(values)
    assert (values == before).all()


@pytest.mark.parametrize("trials", [240, pytest.param(20_000, marks=SLOW)])
def test_noise_is_never_read(trials: int) -> None:
    random = np.random.default_rng(18004)
    for trial in range(trials):
        version = 1 + trial % 10
        size = size_of(version)
        values = random.uniform(-1, 1, (size, size)).astype(np.float32)
        if trial % 2:  # noise that says it is a symbol everywhere but in its data
            frame = certain(symbol("N", version, Level(trial // 2 % 4), trial // 8 % 8))
            data = data_order(version)
            frame.ravel()[data] = values.ravel()[data]
            values = frame
        assert repair(values) is None


@pytest.mark.parametrize("trials", [120, pytest.param(10_000, marks=SLOW)])
def test_a_symbol_with_noise_in_it_reads_as_itself_or_not_at_all(trials: int) -> None:
    random = np.random.default_rng(22)
    read = 0
    for trial in range(trials):
        version, level = 1 + trial % 10, Level(trial // 10 % 4)
        matrix = symbol("TRUE", version, level, trial % 8)
        values = certain(matrix)
        height, width = random.integers(2, matrix.shape[0], 2)
        top, left = (random.integers(0, matrix.shape[0] - side + 1) for side in (height, width))
        hole = random.normal(0, random.uniform(0.2, 2), (height, width)).clip(-1, 1)
        values[top : top + height, left : left + width] = hole
        repaired = repair(values)
        assert repaired is None or (repaired.matrix == matrix).all()
        read += repaired is not None
    assert read > trials // 10


@pytest.mark.parametrize("trials", [120, pytest.param(10_000, marks=SLOW)])
def test_a_mixture_of_two_symbols_reads_as_one_of_them_or_not_at_all(trials: int) -> None:
    random = np.random.default_rng(2)
    for trial in range(trials):
        version, level = 1 + trial % 10, Level(trial // 10 % 4)
        masks = (trial % 8, trial % 8 if trial % 3 else random.integers(8))
        texts = ("ONE 1", "TWO 2")
        one, two = (
            symbol(text, version, level, int(mask)) for text, mask in zip(texts, masks, strict=True)
        )
        repaired = repair(_mixed(certain(one), certain(two), trial % 4, random))
        if repaired is not None:
            assert (repaired.matrix == one).all() or (repaired.matrix == two).all()
            barcode = read_matrix(repaired.matrix)
            assert barcode is not None
            assert barcode.text in texts


def _mixed(one: Values, two: Values, way: int, random: np.random.Generator) -> Values:
    share = random.uniform(0, 1)
    if way == 0:  # one seen through the other
        return (one * share + two * (1 - share)).astype(np.float32)
    if way == 1:  # side by side
        return np.where(np.arange(len(one)) < share * len(one), one, two)
    chosen = random.uniform(0, 1, one.shape) < share
    values = np.where(chosen, one, two)
    if way == 2:
        values *= random.uniform(0, 1, one.shape)
    return values.astype(np.float32)


def _reads_hard(values: Values) -> bool:
    """Whether zxing-cpp reads it where every module is simply dark or light."""
    picture = np.pad(np.where(values > 0, 0, 255).astype(np.uint8), 4, constant_values=255)
    barcode = zxingcpp.read_barcode(
        np.kron(picture, np.ones((4, 4), np.uint8)),
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        is_pure=True,
    )
    return barcode is not None and barcode.valid
