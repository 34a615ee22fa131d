"""A part of a longer code is known as one, however it is held up and however damaged it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.camera.appended import part_of
from scanner.camera.attention import AttentionPolicy
from scanner.camera.port import Gray
from scanner.camera.reader import FrameReader
from scanner.camera.rungs import FULL, read_rung
from scanner.camera.symbol.structure import Level
from scanner.errors import DecoderError
from scanner.parts import Part, Parts, Whole
from tests.scanner.camera.pictures import canvas, code, gray_frame, place

EAGER = AttentionPolicy(forced_look_ns=0, idle_decode_ns=0)
MESSAGE = "HC1:6BFOXN%TSMAHN-H3YS1IK47ES6IXJR4E47X5*T917VF+UOGIS1RYZV:X9:IMJZTCV4*XUA2"


def picture_of(symbol: segno.QRCode, module_px: int = 4) -> Gray:
    matrix = np.array([list(row) for row in symbol.matrix], np.uint8)
    picture = np.pad(np.where(matrix, 0, 255).astype(np.uint8), 4, constant_values=255)
    return np.kron(picture, np.ones((module_px, module_px), np.uint8))


def parts_of(message: str, count: int, error: str = "m") -> list[Gray]:
    return [
        picture_of(each) for each in segno.make_sequence(message, symbol_count=count, error=error)
    ]


def put_together(pictures: list[Gray]) -> Whole | None:
    parts, whole = Parts(), None
    for index, picture in enumerate(pictures):
        (sighting,) = read_rung(FULL, picture)
        assert sighting.part is not None
        assert (sighting.part.index, sighting.part.count) == (index, len(pictures))
        assert whole is None
        whole = parts.add(sighting.text, sighting.payload, sighting.part, 0)
    return whole


ascii_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=40, max_size=300)


@settings(max_examples=25, deadline=None)
@given(ascii_texts, st.integers(2, 8), st.sampled_from("lmqh"))
def test_a_sequence_by_another_encoder_is_put_together(text: str, count: int, error: str) -> None:
    """segno computes headers and parity, and cuts the text anywhere."""
    assert put_together(parts_of(text, count, error)) == Whole(text, text.encode())


def test_a_sequence_beyond_ascii_is_put_together() -> None:
    text = "079123456789|123456789|Nguyễn Thị Ánh Nguyệt|01011990|Nữ|Phường Bến Nghé, Quận 1"
    whole = put_together(parts_of(text, 3))
    assert whole is not None
    assert whole.text == text


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=300), st.sampled_from("LMQH"))
def test_a_code_of_its_own_is_no_part(text: str, error: str) -> None:
    picture = picture_of(segno.make(text.encode(), micro=False, error=error.lower()))
    (sighting,) = read_rung(FULL, picture)
    assert sighting.part is None


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_part_may_be_turned_and_mirrored(turns: int, *, mirrored: bool) -> None:
    picture = np.rot90(parts_of(MESSAGE, 3)[1], turns)
    if mirrored:
        picture = picture[:, ::-1]
    (sighting,) = read_rung(FULL, np.ascontiguousarray(picture))
    assert sighting.part is not None
    assert (sighting.part.index, sighting.part.count) == (1, 3)


def test_a_part_whose_header_is_painted_over_is_still_a_part() -> None:
    """The header lies at the bottom right; error correction reads it where it cannot be seen."""
    picture = parts_of(MESSAGE, 3, error="h")[2]
    size = picture.shape[0] - 16
    picture[size - 8 : size + 0, size - 4 : size + 0] = 255
    picture[size - 16 : size - 8, size - 8 : size] = 0
    (sighting,) = read_rung(FULL, picture)
    assert sighting.part == Part(2, 3, str(parity(MESSAGE.encode())))


def parity(payload: bytes) -> int:
    folded = 0
    for each in payload:
        folded ^= each
    return folded


def test_modules_that_say_nothing_are_an_error() -> None:
    (barcode,) = zxingcpp.read_barcodes(code("a code"))
    with pytest.raises(DecoderError):
        part_of(barcode, 2, Level.M, 0)
    with pytest.raises(DecoderError):
        part_of(barcode, 1, Level.L, 7)


def test_parts_in_one_frame_are_one_reading_with_the_whole_text() -> None:
    picture = canvas(1280, 720)
    for index, each in enumerate(parts_of(MESSAGE, 3)):
        picture = place(picture, each, 40 + 400 * index, 200)
    reader = FrameReader("door", lambda: 0, attention=EAGER)
    for stamp in range(3):
        (reading,) = reader.read(gray_frame(picture, captured_ns=stamp), stamp)
        assert (reading.text, reading.payload) == (MESSAGE, MESSAGE.encode())
    assert reader.parts.completed == 1


def test_a_part_alone_is_never_handed_on() -> None:
    reader = FrameReader("door", lambda: 0, attention=EAGER)
    part = place(canvas(), parts_of(MESSAGE, 2)[0], 100, 100)
    for stamp in range(5):
        assert reader.read(gray_frame(part, captured_ns=stamp), stamp) == []


def test_parts_in_successive_frames_are_one_reading() -> None:
    reader = FrameReader("door", lambda: 0, attention=EAGER)
    frames = [place(canvas(), each, 100, 100) for each in parts_of(MESSAGE, 2)]
    assert reader.read(gray_frame(frames[1], captured_ns=1), 1) == []
    (reading,) = reader.read(gray_frame(cv2.add(frames[0], 5), captured_ns=2), 2)
    assert reading.text == MESSAGE
