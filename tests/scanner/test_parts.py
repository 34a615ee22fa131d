"""Parts of codes: joined in any order, never taken for a whole, never mixed, never hoarded."""

from __future__ import annotations

from functools import reduce
from operator import xor

from hypothesis import given
from hypothesis import strategies as st

from admission.reading import MAX_PAYLOAD_BYTES, Reading, Symbology
from scanner.parts import CAPACITY, EXPIRY_NS, MAX_PARTS, Part, Parts, Whole, joining

HELD_NS = 2_000_000_000
Message = list[bytes]


def parity(message: Message) -> str:
    return str(reduce(xor, b"".join(message), 0))


def offer(parts: Parts, message: Message, index: int, at_ns: int = 0) -> Whole | None:
    part = Part(index, len(message), parity(message))
    return parts.add(message[index].decode("utf-8", "replace"), message[index], part, at_ns)


messages = st.lists(st.binary(min_size=1, max_size=20), min_size=2, max_size=MAX_PARTS)


@given(messages, st.data())
def test_all_parts_in_any_order_and_number_make_one_whole(
    message: Message, data: st.DataObject
) -> None:
    parts = Parts()
    order = data.draw(st.permutations(range(len(message))))
    again = data.draw(st.lists(st.sampled_from(order[:-1]), max_size=5))
    for index in (*order[:-1], *again):
        assert offer(parts, message, index) is None
    whole = offer(parts, message, order[-1])
    assert whole is not None
    assert whole.payload == b"".join(message)
    assert parts.statistics().completed == 1
    assert parts.statistics().refused == 0


@given(messages, messages, st.data())
def test_whatever_is_handed_on_is_one_of_the_messages(
    one: Message, other: Message, data: st.DataObject
) -> None:
    """Parts of two messages, mixed at will: nobody's part ever completes somebody else's code."""
    parts = Parts()
    steps = st.tuples(st.sampled_from([one, other]), st.integers(0, MAX_PARTS - 1))
    for message, index in data.draw(st.lists(steps, max_size=60)):
        if index < len(message) and (whole := offer(parts, message, index)) is not None:
            assert whole.payload in (b"".join(one), b"".join(other)) or parity(one) == parity(other)


def test_a_contradicting_part_begins_anew() -> None:
    first, second = [b"A1", b"A2"], [b"B2", b"B1"]
    assert parity(first) == parity(second)
    parts = Parts()
    assert offer(parts, first, 0) is None
    assert offer(parts, second, 0) is None
    assert parts.statistics().refused == 1
    assert parts.statistics().incomplete == 1
    whole = offer(parts, second, 1)
    assert whole is not None
    assert whole.payload == b"B2B1"


def test_parts_of_different_messages_fail_their_parity() -> None:
    parts = Parts()
    assert parts.add("A", b"A", Part(0, 2, "0"), 0) is None
    assert parts.add("B", b"B", Part(1, 2, "0"), 0) is None
    assert parts.statistics().refused == 1
    assert parts.statistics().completed == 0


def test_a_character_cut_in_two_is_whole_again() -> None:
    cut = ["Nguyễn".encode()[:6], "Nguyễn".encode()[6:]]
    parts = Parts()
    offer(parts, cut, 0)
    assert offer(parts, cut, 1) == Whole("Nguyễn", "Nguyễn".encode())


def test_an_unfinished_code_is_given_up_after_a_while() -> None:
    parts, message = Parts(), [b"1", b"2"]
    offer(parts, message, 0, at_ns=0)
    assert offer(parts, message, 1, at_ns=EXPIRY_NS + 1) is None
    assert parts.statistics().incomplete == 1
    assert offer(parts, message, 0, at_ns=EXPIRY_NS + 2) is not None


def test_stamps_that_begin_anew_leave_no_part_behind() -> None:
    parts, message = Parts(), [b"1", b"2"]
    offer(parts, message, 0, at_ns=10 * EXPIRY_NS)
    assert offer(parts, message, 1, at_ns=0) is None


def test_each_part_of_a_whole_in_view_counts_as_the_whole() -> None:
    parts, message = Parts(), [b"1", b"2"]
    offer(parts, message, 0)
    whole = offer(parts, message, 1)
    for at_ns in range(0, 5 * HELD_NS, HELD_NS // 2):
        assert offer(parts, message, 0, at_ns) == whole
    assert offer(parts, message, 0, 5 * HELD_NS + HELD_NS) is None
    assert parts.statistics().completed == 1


def test_a_flood_of_beginnings_is_bounded() -> None:
    parts = Parts()
    for count in range(10_000):
        parts.add("x", b"x", Part(0, 2 + count % 15, str(count % 256)), 0)
    assert len(parts._sets) == CAPACITY
    assert parts.statistics().incomplete == 10_000 - CAPACITY


def test_parts_that_cannot_be_are_refused() -> None:
    parts = Parts()
    long = "x" * (MAX_PAYLOAD_BYTES // MAX_PARTS + 1)
    for text, part in (
        ("x", Part(2, 2, "0")),
        ("x", Part(-1, 2, "0")),
        ("x", Part(0, 17, "0")),
        ("x", Part(0, 0, "0")),
        (long, Part(0, 2, "0")),
    ):
        assert parts.add(text, text.encode(), part, 0) is None
    for text in ("shc:/0/2/1", "shc:/3/2/1", "shc:/1/17/1", "shc:/1/999999999/1"):
        assert parts.add(text, text.encode(), None, 0) is None
    assert parts.statistics().refused == 9
    assert not parts._sets


def test_chunks_of_a_health_card_are_joined() -> None:
    parts = Parts()
    assert parts.add("shc:/2/2/5678", b"", None, 0) is None
    assert parts.add("shc:/2/2/5678", b"", None, 0) is None
    assert parts.add("shc:/1/2/1234", b"", None, 0) == Whole("shc:/12345678", b"shc:/12345678")


def test_a_health_card_that_was_appended_is_joined_too() -> None:
    card = [b"shc:/1234", b"5678"]
    parts = Parts()
    offer(parts, card, 0)
    assert offer(parts, card, 1) == Whole("shc:/12345678", b"shc:/12345678")


def test_a_chunk_cut_up_once_more_is_not_taken_for_a_card() -> None:
    chunk = [b"shc:/1/2/", b"5678"]
    parts = Parts()
    offer(parts, chunk, 0)
    assert offer(parts, chunk, 1) is None
    assert parts.statistics().refused == 1


def test_what_is_no_part_comes_back_as_it_is() -> None:
    parts = Parts()
    assert parts.add("HC1:6BF", b"HC1:6BF", None, 0) == Whole("HC1:6BF", b"HC1:6BF")
    assert parts.add("shc:/5676", b"shc:/5676", None, 0) == Whole("shc:/5676", b"shc:/5676")
    assert parts.add("alone", b"alone", Part(0, 1, "9"), 0) == Whole("alone", b"alone")
    assert parts.add("shc:/1/1/56", b"", None, 0) == Whole("shc:/56", b"shc:/56")


def test_lines_of_a_scanner_are_delivered_whole() -> None:
    delivered: list[Reading] = []
    take = joining(delivered.append)
    for at_ns, text in enumerate(("HC1:6BF", "shc:/1/2/12", "shc:/2/2/34")):
        take(Reading(text, Symbology.QR_CODE, "scanner", at_ns))
    assert [(r.text, r.captured_ns, r.source) for r in delivered] == [
        ("HC1:6BF", 0, "scanner"),
        ("shc:/1234", 2, "scanner"),
    ]
