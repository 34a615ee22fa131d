"""Framing: the same bytes give the same lines however they are cut, and nothing hostile stays."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.errors import FramingError
from scanner.serial.framing import LINE_LIMIT_BYTES, Line, LineEnd, LineFramer, LineSettings

GAP_NS = 1_000_000_000
MARKS = [b"\r", b"\n", b"\r\n", b"\x02", b"\x03", b"\0", b"]Q1", b"A", b"\xff", "ễ".encode()]
SCANNER_END = {
    LineEnd.ANY: b"\r\n",
    LineEnd.CR: b"\r",
    LineEnd.LF: b"\n",
    LineEnd.CRLF: b"\r\n",
    LineEnd.TAB: b"\t",
}

streams = st.lists(
    st.one_of(
        st.sampled_from(MARKS),
        st.binary(max_size=12),
        st.integers(LINE_LIMIT_BYTES - 9, LINE_LIMIT_BYTES + 9).map(lambda n: b"x" * n),
    ),
    max_size=24,
).map(b"".join)
framings = st.builds(LineSettings, end=st.sampled_from(LineEnd), aim_identifiers=st.booleans())
plain_texts = st.text(
    st.characters(blacklist_characters="\t\r\n\x02\x03", blacklist_categories=["Cs"]), min_size=1
).filter(lambda text: not text.startswith("]"))


def lines_of(pieces: list[bytes], framing: LineSettings) -> list[Line]:
    framer = LineFramer(framing)
    lines = [line for piece in pieces for line in framer.feed(piece, 7)]
    return lines + framer.idle(7 + 60 * GAP_NS)


@settings(deadline=None)
@given(framings, streams, st.data())
def test_any_chunking_gives_the_same_lines(
    framing: LineSettings, stream: bytes, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    pieces = [
        stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    ]
    assert lines_of(pieces, framing) == lines_of([stream], framing)


@pytest.mark.parametrize("end", LineEnd)
@settings(deadline=None)
@given(stream=st.lists(st.sampled_from(MARKS), max_size=12).map(b"".join))
def test_one_byte_at_a_time_gives_the_same_lines(end: LineEnd, stream: bytes) -> None:
    pieces = [stream[n : n + 1] for n in range(len(stream))]
    framing = LineSettings(end=end)
    assert lines_of(pieces, framing) == lines_of([stream], framing)


@settings(deadline=None)
@given(framings, streams)
def test_what_is_kept_and_what_is_handed_on_is_bounded(
    framing: LineSettings, stream: bytes
) -> None:
    framer = LineFramer(framing)
    for line in framer.feed(stream, 1):
        assert 0 < len(line.text) <= MAX_TEXT_LENGTH + 1
    assert len(framer._kept) < LINE_LIMIT_BYTES


@settings(deadline=None)
@given(st.sampled_from(sorted(SCANNER_END)), st.lists(plain_texts, max_size=8))
def test_every_text_comes_through(end: LineEnd, texts: list[str]) -> None:
    stream = b"".join(text.encode() + SCANNER_END[end] for text in texts)
    assert [line.text for line in lines_of([stream], LineSettings(end=end))] == texts


@settings(deadline=None)
@given(st.lists(plain_texts, max_size=5), st.binary(max_size=9).filter(lambda b: b"\x02" not in b))
def test_envelopes_resynchronise_at_every_stx(texts: list[str], noise: bytes) -> None:
    stream = b"".join(noise + b"\x02half" * 2 + b"\x02" + t.encode() + b"\x03\r\n" for t in texts)
    framer = LineFramer(LineSettings(end=LineEnd.ETX))
    assert [line.text for line in framer.feed(stream, 0)] == texts
    assert framer.abandoned == 2 * len(texts)


@settings(deadline=None)
@given(st.sampled_from("yạ😷"), st.text("s", max_size=5), st.sampled_from(["", "]Q1"]))
def test_a_long_line_is_one_oversized_line_in_any_encoding(
    character: str, before: str, aim: str
) -> None:
    framer = LineFramer()
    text = before + character * 64_000
    lines = framer.feed(aim.encode() + text.encode() + b"\rnext\r", 2)
    assert [line.text for line in lines] == [text[: MAX_TEXT_LENGTH + 1], "next"]
    assert framer.oversized == 1


def test_a_long_line_of_foreign_bytes_is_oversized_too() -> None:
    (line,) = LineFramer().feed(b"\xff" * 4_000_000, 0)
    assert line.text == "ÿ" * (MAX_TEXT_LENGTH + 1)


def test_the_longest_text_is_whole_and_one_more_is_oversized() -> None:
    for text in ("7" * MAX_TEXT_LENGTH, "ễ" * MAX_TEXT_LENGTH):
        framer = LineFramer()
        (line,) = framer.feed(b"]Q1" + text.encode() + b"\r", 0)
        assert line.text == text
        assert framer.oversized == 0
        (line,) = framer.feed(b"]Q1" + text.encode() + b"7\r", 0)
        assert len(line.text) == MAX_TEXT_LENGTH + 1
        assert framer.oversized == 1


@pytest.mark.parametrize(
    ("sent", "text", "symbology"),
    [
        (b"]Q1ABC", "ABC", Symbology.QR_CODE),
        (b"]z0ABC", "ABC", Symbology.AZTEC),
        (b"]d2ABC", "ABC", Symbology.DATA_MATRIX),
        (b"]L0ABC", "ABC", Symbology.PDF417),
        (b"]C1ABC", "ABC", Symbology.CODE_128),
        (b"]E0893", "]E0893", Symbology.UNSTATED),
        (b"]Q", "]Q", Symbology.UNSTATED),
        (b"ABC", "ABC", Symbology.UNSTATED),
    ],
)
def test_aim_identifiers(sent: bytes, text: str, symbology: Symbology) -> None:
    assert LineFramer().feed(sent + b"\r", 3) == [Line(text, symbology, 3)]
    (untouched,) = LineFramer(LineSettings(aim_identifiers=False)).feed(sent + b"\r", 3)
    assert untouched == Line(sent.decode(), Symbology.UNSTATED, 3)


@pytest.mark.parametrize(
    ("sent", "text"),
    [(b"A\0B", "A\0B"), (b"\xc3\x28", "Ã("), (b"\xed\xa0\x80", "í\xa0\x80"), ("Đỗ".encode(), "Đỗ")],
)
def test_hostile_bytes_become_text_that_the_law_can_refuse(sent: bytes, text: str) -> None:
    (line,) = LineFramer().feed(sent + b"\r", 0)
    assert line.text == text
    line.text.encode()


def test_silence_ends_a_line_only_under_gap() -> None:
    framer = LineFramer(LineSettings(end=LineEnd.GAP, gap_s=1))
    assert framer.feed(b"A\rB", 5) == []
    assert framer.idle(5 + GAP_NS - 1) == []
    assert framer.idle(5 + GAP_NS) == [Line("A\rB", Symbology.UNSTATED, 5)]
    assert framer.idle(5 + 2 * GAP_NS) == []


def test_half_a_code_is_not_the_beginning_of_the_next() -> None:
    framer = LineFramer(LineSettings(abandon_s=1))
    framer.feed(b"0790", 0)
    assert framer.pending
    assert framer.idle(GAP_NS) == []
    assert [line.text for line in framer.feed(b"42\r", 2 * GAP_NS)] == ["42"]
    assert framer.abandoned == 1


def test_silence_ends_the_skipping_of_an_endless_line() -> None:
    framer = LineFramer(LineSettings(abandon_s=1))
    assert len(framer.feed(b"x" * 2 * LINE_LIMIT_BYTES, 0)) == 1
    framer.idle(GAP_NS)
    assert [line.text for line in framer.feed(b"42\r", 2 * GAP_NS)] == ["42"]
    assert (framer.oversized, framer.abandoned) == (1, 0)


@pytest.mark.parametrize("silence_s", [0.0, -1.0, 61.0, float("nan")])
def test_a_silence_out_of_range_is_refused(silence_s: float) -> None:
    with pytest.raises(FramingError) as refusal:
        LineSettings(gap_s=silence_s)
    assert refusal.value.hint


@pytest.mark.parametrize("end", SCANNER_END)
@given(before=st.sampled_from([b"", b"half"]), rest=st.sampled_from([b"", b"of it"]))
def test_a_line_of_which_a_part_was_lost_never_comes_through(
    end: LineEnd, before: bytes, rest: bytes
) -> None:
    framer = LineFramer(LineSettings(end=end))
    assert framer.feed(b"whole" + SCANNER_END[end] + before, 1)[0].text == "whole"
    framer.lose()
    assert framer.feed(rest + SCANNER_END[end], 2) == []
    assert [line.text for line in framer.feed(b"next" + SCANNER_END[end], 3)] == ["next"]


def test_after_a_loss_silence_is_an_end_too() -> None:
    framer = LineFramer()
    framer.feed(b"half", 1)
    framer.lose()
    assert framer.idle(1 + 60 * GAP_NS) == []
    assert [line.text for line in framer.feed(b"next\r", 2)] == ["next"]
