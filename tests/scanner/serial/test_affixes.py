"""Prefixes, suffixes and replies: taken off whole, once, and never out of a text's middle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.errors import FramingError
from scanner.serial.framing import (
    Line,
    LineEnd,
    LineFramer,
    LineSettings,
)

REPLY = re.compile(rb"\x02\x00\x00\x01[\x00-\xff]{3}")
GOOD_WRITE = bytes.fromhex("02000001003331")
SECOND_NS = 1_000_000_000

texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: not text.startswith(("]", "~")) and not text.endswith("%")
)
pieces = st.lists(st.binary(max_size=9), max_size=20).map(b"".join)


def cut(stream: bytes, data: st.DataObject) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@settings(deadline=None)
@given(st.lists(texts, max_size=5), st.sampled_from(["", "]Q1"]), st.data())
def test_what_stands_around_a_text_is_taken_off_however_it_is_cut(
    sent: list[str], aim: str, data: st.DataObject
) -> None:
    framer = LineFramer(LineSettings(prefix=b"~x", suffix=b"%"), REPLY)
    stream = b"".join(
        GOOD_WRITE * 2 + b"~x" + aim.encode() + text.encode() + b"%\r\n" for text in sent
    )
    lines = [line for piece in cut(stream, data) for line in framer.feed(piece, 1)]
    assert [line.text for line in lines] == sent
    assert {line.symbology for line in lines} <= {Symbology.QR_CODE if aim else Symbology.UNSTATED}


@settings(deadline=None)
@given(pieces, st.sampled_from(LineEnd), st.data())
def test_any_chunking_of_any_bytes_gives_the_same_lines(
    stream: bytes, end: LineEnd, data: st.DataObject
) -> None:
    framing = LineSettings(end=end, prefix=b"\x07", suffix=b"\x04\x05")
    whole, cutting = LineFramer(framing, REPLY), LineFramer(framing, REPLY)
    expected = whole.feed(stream, 1) + whole.idle(60 * SECOND_NS)
    got = [line for piece in cut(stream, data) for line in cutting.feed(piece, 1)]
    assert got + cutting.idle(60 * SECOND_NS) == expected


@pytest.mark.parametrize("sent", ["ABC", "~AB~C", "ABC%%", "%ABC"])
def test_a_line_without_them_is_handed_on_and_only_one_of_each_is_taken(sent: str) -> None:
    framer = LineFramer(LineSettings(prefix=b"~", suffix=b"%"))
    (line,) = framer.feed(sent.encode() + b"\r", 1)
    assert line.text == sent.removeprefix("~").removesuffix("%")


def test_they_do_not_make_the_longest_text_oversized() -> None:
    framing = LineSettings(prefix=b"p" * 16, suffix=b"s" * 16)
    framer = LineFramer(framing, REPLY)
    text = "😷" * MAX_TEXT_LENGTH
    sent = GOOD_WRITE + framing.prefix + b"]Q1" + text.encode() + framing.suffix + b"\r"
    assert framer.feed(sent, 1) == [Line(text, Symbology.QR_CODE, 1)]
    assert framer.oversized == 0


@settings(deadline=None)
@given(st.lists(st.integers(1, 3_000), max_size=12))
def test_endless_replies_are_nothing_however_they_are_cut(sizes: list[int]) -> None:
    framer = LineFramer(replies=REPLY)
    stream = GOOD_WRITE * 9_000 + b"42\r"
    at = 0
    lines = []
    for size in sizes:
        lines += framer.feed(stream[at : at + size], 1)
        assert len(framer._kept) < len(GOOD_WRITE)
        at += size
    lines += framer.feed(stream[at:], 1)
    assert [line.text for line in lines] == ["42"]
    assert framer.oversized == 0


def test_a_reply_that_no_text_follows_is_no_abandoned_text() -> None:
    framer = LineFramer(LineSettings(abandon_s=1), REPLY)
    framer.feed(GOOD_WRITE, 0)
    framer.idle(SECOND_NS)
    assert (framer.abandoned, framer.pending) == (0, False)
    framer.feed(GOOD_WRITE + b"half", 0)
    framer.idle(SECOND_NS)
    assert framer.abandoned == 1


@pytest.mark.parametrize(
    ("end", "affix"),
    [
        (LineEnd.ANY, b"\r"),
        (LineEnd.CR, b"a\rb"),
        (LineEnd.LF, b"\n"),
        (LineEnd.CRLF, b"\r\n"),
        (LineEnd.ETX, b"\x02"),
        (LineEnd.GAP, b"x" * 17),
    ],
)
@pytest.mark.parametrize("name", ["prefix", "suffix"])
def test_an_affix_that_could_never_be_seen_is_refused(
    end: LineEnd, affix: bytes, name: str
) -> None:
    with pytest.raises(FramingError, match=name) as refusal:
        LineSettings(end=end, **{name: affix})  # type: ignore[arg-type]
    assert refusal.value.hint
