"""What a scanner typed is what is read, and nothing that a device sends upsets or fills a gate."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.input_events import EVENT
from scanner.wedge.keys import WedgeKeys
from scanner.wedge.layouts import LayoutName
from scanner.wedge.typist import AltNumbers, Typist

SHIFT, CTRL, ALT, ALTGR, META, CAPS = 42, 29, 56, 100, 125, 58
LOST = object()


def key(code: int, value: int = 1) -> bytes:
    return EVENT.pack(1, 2, 1, code, value) + EVENT.pack(1, 2, 0, 0, 0)


def keys(*codes: int) -> bytes:
    """Press keys in turn; a negative code releases."""
    return b"".join(key(abs(code), int(code > 0)) for code in codes)


def text_of(data: bytes, layout: LayoutName = LayoutName.US) -> str:
    return b"".join(filter(None, WedgeKeys(layout).feed(data))).decode()


def in_pieces(data: st.DataObject, stream: bytes) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@settings(deadline=None)
@given(st.sampled_from(LayoutName), st.booleans(), st.data())
def test_every_typable_text_comes_back_however_its_events_are_cut(
    layout: LayoutName, caps_lock: bool, data: st.DataObject
) -> None:
    typist = Typist(layout, caps_lock=caps_lock)
    text = data.draw(st.text(st.sampled_from(sorted(typist.typable)), max_size=40))
    decoder = WedgeKeys(layout)
    typed = [
        part
        for piece in in_pieces(data, typist.typed(text))
        for part in decoder.feed(piece)
        if part is not None
    ]
    assert b"".join(typed).decode() == text


@settings(deadline=None)
@given(
    st.sampled_from(LayoutName),
    st.sampled_from([AltNumbers.BYTES, AltNumbers.ALWAYS]),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=20),
)
def test_by_number_any_text_of_unicode_comes_back(
    layout: LayoutName, alt_numbers: AltNumbers, text: str
) -> None:
    assert text_of(Typist(layout, alt_numbers).typed(text), layout) == text


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=0x100, blacklist_categories=["Cs"]), max_size=20))
def test_numbers_above_255_are_characters(text: str) -> None:
    assert text_of(Typist(LayoutName.US, AltNumbers.CHARACTERS).typed(f"{text}|A")) == f"{text}|A"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((SHIFT, 30, -30, 31, -31, -SHIFT, 32), "ASd"),
        ((54, 30, -54, 30), "Aa"),
        ((SHIFT, 54, -SHIFT, 30, -54, 30), "Aa"),  # one of two Shifts is let go
        ((CAPS, -CAPS, 30, 2, SHIFT, 30, -SHIFT, CAPS, 30), "A1aa"),
        ((CTRL, 27, -27, -CTRL, 27), "\x1d]"),
        ((CTRL, SHIFT, 7, -SHIFT, -CTRL), "\x1e"),
        ((CTRL, 50, -CTRL), "\r"),
        ((ALT, 79, 82, 77, -ALT), "j"),  # 106
        ((ALT, 82, 79, 82, 77, -ALT), "j"),
        ((ALTGR, 79, 82, 77, -ALTGR), "j"),  # no AltGr on a US keyboard
        ((ALT, 78, 79, 18, 30, 79, -ALT), "\u1ea1"),  # + 1 E A 1, hexadecimal
        ((69, 79, 83, 82, 69), "1.0"),  # the number pad, whatever NumLock says
        ((42, 15, -42, 28, 96), "\t\r\r"),
    ],
)
def test_what_is_held_says_what_a_key_types(codes: tuple[int, ...], expected: str) -> None:
    assert text_of(keys(*codes)) == expected


def test_ctrl_and_alt_are_altgr_where_there_is_one() -> None:
    assert text_of(keys(CTRL, ALT, 16, -16, -ALT, -CTRL, 16), LayoutName.DE) == "@q"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((26, 18), "ê"),
        ((26, 57), "^"),
        ((26, 19), "^r"),
        ((26, 26, 57), "^^"),
        ((26, 28), "^\r"),
        ((26, SHIFT, 18, -SHIFT), "Ê"),
    ],
)
def test_an_accent_waits_for_the_next_key(codes: tuple[int, ...], expected: str) -> None:
    assert text_of(keys(*codes), LayoutName.FR) == expected


@pytest.mark.parametrize(
    "codes",
    [
        (59,),  # F1
        (0x2FF,),
        (META, 30, -META),
        (ALT, 30, -ALT),
        (CTRL, 2, -CTRL),
        (ALT, 78, -ALT),  # + without a number
        (ALT, 78, 32, 73, 82, 82, -ALT),  # D900: half a pair
        (ALT, *[73] * 7, -ALT),
        (ALT, *[73] * 5000, -ALT),
    ],
)
def test_a_key_that_types_nothing_leaves_a_mark(codes: tuple[int, ...]) -> None:
    assert text_of(keys(30, *codes, 48)) == "a\ufffdb"


def test_releases_and_repeats_are_no_presses() -> None:
    assert text_of(key(30) + key(30, 2) * 50 + key(30, 0) + key(31, 0)) == "a"


def test_lost_events_are_said_once_and_what_is_held_is_forgotten() -> None:
    dropped = EVENT.pack(0, 0, 0, 3, 0)
    stream = key(SHIFT) + key(30) + dropped + EVENT.pack(0, 0, 1, 48, 1) + key(49) + key(46)
    decoder = WedgeKeys()
    # The rest of the packet after a loss is void, up to its report.
    assert list(decoder.feed(stream)) == [b"A", None, b"c"]


def test_silence_ends_what_was_begun() -> None:
    french, american = WedgeKeys(LayoutName.FR), WedgeKeys()
    assert list(french.feed(keys(26))) == []
    assert (french.rest(), french.rest()) == (b"^", b"")
    assert list(american.feed(keys(ALT, 79))) == []
    assert american.rest() == "\ufffd".encode()
    assert list(american.feed(keys(30))) == [b"a"], "a key that stays down must not deafen the gate"


@settings(deadline=None)
@given(st.sampled_from(LayoutName), st.binary(max_size=400))
def test_no_bytes_upset_it(layout: LayoutName, data: bytes) -> None:
    b"".join(filter(None, WedgeKeys(layout).feed(data))).decode("utf-8", "replace")


@settings(deadline=None)
@given(
    st.sampled_from(LayoutName),
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 4, 0x11, 0xFFFF]),
            st.one_of(st.integers(0, 130), st.integers(0, 0xFFFF)),
            st.one_of(st.integers(-1, 3), st.integers(-(2**31), 2**31 - 1)),
        ),
        max_size=60,
    ),
)
def test_no_events_upset_it_or_make_it_grow(
    layout: LayoutName, events: list[tuple[int, int, int]]
) -> None:
    decoder = WedgeKeys(layout)
    for event in events:
        assert sum(len(part or b"") for part in decoder.feed(EVENT.pack(0, 0, *event))) <= 8
    assert len(decoder._held) <= 9
    assert len(decoder._number or "") <= 9
