"""zxing-cpp reads exact symbols, whatever their segments; anything else is not handed on."""

from __future__ import annotations

import numpy as np
import pytest
import segno

from scanner.camera.symbol.reading import read_matrix
from scanner.camera.symbol.structure import Level
from tests.scanner.camera.symbol.symbols import symbol


def _matrix(code: segno.QRCode) -> np.ndarray:
    return np.array([list(row) for row in code.matrix], np.bool_)


@pytest.mark.parametrize("text", ["0123456789", "HC1:6BF+70790T9", "cửa khẩu", "点検"])
def test_text_of_every_mode_comes_back(text: str) -> None:
    barcode = read_matrix(_matrix(segno.make(text, micro=False, eci=not text.isascii())))
    assert barcode is not None
    assert barcode.text == text


@pytest.mark.parametrize("version", [1, 2, 7, 20, 40])
@pytest.mark.parametrize("level", Level)
def test_every_size_is_read(version: int, level: Level) -> None:
    barcode = read_matrix(symbol("size", version, level))
    assert barcode is not None
    assert barcode.text == "size"


def test_the_parts_of_a_structured_append_stay_parts() -> None:
    parts = segno.make_sequence("in several parts " * 8, version=3)
    barcodes = [read_matrix(_matrix(part)) for part in parts]
    assert len(barcodes) > 1
    assert "".join(barcode.text for barcode in barcodes if barcode) == "in several parts " * 8


def test_a_symbol_that_is_not_exact_is_not_read() -> None:
    matrix = symbol("exact", 2, Level.H, 0)
    matrix[12, 12] ^= True
    assert read_matrix(matrix) is None


def test_a_symbol_that_says_nothing_is_not_read() -> None:
    random = np.random.default_rng(0)
    assert read_matrix(np.zeros((21, 21), np.bool_)) is None
    assert read_matrix(np.ones((25, 25), np.bool_)) is None
    assert read_matrix(random.uniform(size=(29, 29)) < 0.5) is None
    assert read_matrix(np.ones((20, 20), np.bool_)) is None
    assert read_matrix(np.ones((21, 25), np.bool_)) is None
    assert read_matrix(np.zeros((0, 0), np.bool_)) is None
