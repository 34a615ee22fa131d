"""Codes that come in parts: collected in any order, handed on as one code or not at all.

A part is a symbol of a structured append, which says so itself, or a chunk of a SMART Health Card
(`shc:/<index>/<count>/<digits>`), which says so in its text. Sans-IO: time is passed in.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import reduce
from operator import xor

import msgspec

from admission.reading import MAX_PAYLOAD_BYTES, MAX_TEXT_LENGTH, Reading
from admission.repeat import DEFAULT_REARM_NS

MAX_PARTS = 16
"""A structured append counts its symbols in 4 bits (ISO/IEC 18004, 8)."""
EXPIRY_NS = 10_000_000_000
"""A code that has not gained a part for so long is given up."""
CAPACITY = 8
"""Codes that are collected at once: the one that gained a part longest ago gives way."""
_CHUNK = re.compile(r"shc:/([0-9]{1,9})/([0-9]{1,9})/(.*)", re.DOTALL | re.ASCII)


class Part(msgspec.Struct, frozen=True, gc=False):
    """What a symbol says of its place in a sequence: the `index`-th, from 0, of `count`.

    `id` tells sequences apart; for a QR code it is the parity of the whole message (0 to 255), in
    decimal digits.
    """

    index: int
    count: int
    id: str


class Whole(msgspec.Struct, frozen=True, gc=False):
    """What may be handed on: the text of a code and the bytes that it was decoded from."""

    text: str
    payload: bytes


class PartsStatistics(msgspec.Struct, frozen=True, gc=False):
    """Counts since the start."""

    completed: int = 0
    incomplete: int = 0
    """Codes given up before all their parts were seen."""
    refused: int = 0
    """Parts that contradict another one, themselves, or the parity of the whole."""


class _Set:
    """The parts of one code that have been seen so far."""

    def __init__(self, now_ns: int) -> None:
        self.parts: dict[int, Whole] = {}
        self.whole: Whole | None = None
        self.changed_ns = now_ns


_Key = tuple[str, int, str]


class Parts:
    """Collects the parts of codes for one source. Not for use by two threads at once.

    Order and duplicates do not matter. A part that contradicts one that is there ends what was
    collected and begins anew with itself: the newest code is the one that is held up. Of a code
    that is complete, each further sighting of a part counts as one of the whole, as long as they
    follow one another within `held_ns`.

    :param held_ns: a part alone never stands for a whole that was out of view for longer.
    """

    def __init__(
        self,
        *,
        expiry_ns: int = EXPIRY_NS,
        held_ns: int = DEFAULT_REARM_NS,
        capacity: int = CAPACITY,
    ) -> None:
        self._expiry_ns = expiry_ns
        self._held_ns = held_ns
        self._capacity = capacity
        self._sets: OrderedDict[_Key, _Set] = OrderedDict()
        self._completed = self._incomplete = self._refused = 0

    def add(self, text: str, payload: bytes, part: Part | None, now_ns: int) -> Whole | None:
        """Take what was read; return what may be handed on, None while parts are missing.

        A code that is no part comes back as it is.

        :param part: what the symbol says of its place, None if it says nothing.
        :param now_ns: monotonic time of the sighting.
        """
        self._expire(now_ns)
        if part is not None and (part.index, part.count) != (0, 1):
            return self._collect(("append", part.count, part.id), part.index, text, payload, now_ns)
        if (chunk := _CHUNK.fullmatch(text)) is None:
            return Whole(text, payload)
        index, count, body = int(chunk[1]) - 1, int(chunk[2]), chunk[3]
        if count == 1 and index == 0:
            return _health_card(body)
        return self._collect(("shc", count, ""), index, body, body.encode(), now_ns)

    def statistics(self) -> PartsStatistics:
        """Return the counts so far."""
        return PartsStatistics(self._completed, self._incomplete, self._refused)

    def _collect(
        self, key: _Key, index: int, text: str, payload: bytes, now_ns: int
    ) -> Whole | None:
        kind, count, _ = key
        too_long = max(len(payload), len(text)) > MAX_PAYLOAD_BYTES // MAX_PARTS
        if not (2 <= count <= MAX_PARTS and 0 <= index < count) or too_long:
            self._refused += 1
            return None
        part = Whole(text, payload)
        collected = self._sets.get(key)
        if collected is not None and collected.parts.get(index, part) != part:
            self._refused += 1
            self._give_up(key)
            collected = None
        if collected is None:
            collected = self._sets[key] = _Set(now_ns)
            self._make_room()
        if index not in collected.parts or collected.whole is not None:
            collected.changed_ns = now_ns
            self._sets.move_to_end(key)
        collected.parts[index] = part
        if collected.whole is None and len(collected.parts) == count:
            self._complete(key, collected, kind)
        return collected.whole

    def _complete(self, key: _Key, collected: _Set, kind: str) -> None:
        parts = [collected.parts[index] for index in range(len(collected.parts))]
        whole = _joined(parts)
        if kind == "shc":
            whole = _health_card(whole.text)
        elif key[2] not in _parities(whole) or _CHUNK.fullmatch(whole.text):
            # The parity of the message is in every symbol: these are parts of different ones. Nor
            # is a chunk cut up once more a whole.
            self._refused += 1
            del self._sets[key]
            return
        collected.whole = whole
        self._completed += 1

    def _expire(self, now_ns: int) -> None:
        stale = [
            key
            for key, each in self._sets.items()
            if abs(now_ns - each.changed_ns) > (self._held_ns if each.whole else self._expiry_ns)
        ]
        for key in stale:
            self._give_up(key)

    def _make_room(self) -> None:
        if len(self._sets) > self._capacity:
            self._give_up(next(iter(self._sets)))

    def _give_up(self, key: _Key) -> None:
        if self._sets.pop(key).whole is None:
            self._incomplete += 1


def joining(deliver: Callable[[Reading], None]) -> Callable[[Reading], None]:
    """Return what takes a source's lines, one by one, and delivers codes that came in parts whole.

    For sources that know texts alone: scanners on cables.
    """
    parts = Parts()

    def take(reading: Reading) -> None:
        whole = parts.add(reading.text, reading.payload, None, reading.captured_ns)
        if whole is not None and whole.text != reading.text:
            reading = msgspec.structs.replace(reading, text=whole.text, payload=whole.payload)
        if whole is not None:
            deliver(reading)

    return take


def _joined(parts: list[Whole]) -> Whole:
    payload = b"".join(part.payload for part in parts)
    text = "".join(part.text for part in parts)
    # A character may be cut in two where one symbol ends: then only the whole is UTF-8.
    if not all(_is_utf8(part.payload) for part in parts) and _is_utf8(payload):
        text = payload.decode()
    return Whole(text[: MAX_TEXT_LENGTH + 1], payload)


def _parities(whole: Whole) -> set[str]:
    """Return what encoders make of a message's parity (8.3: all its data, byte by byte).

    Some take the text in another character set than they write it in.
    """
    messages = [whole.payload]
    for charset in ("iso-8859-1", "shift_jis", "utf-8"):
        with suppress(UnicodeEncodeError):
            messages.append(whole.text.encode(charset))
    return {str(reduce(xor, message, 0)) for message in messages}


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def _health_card(body: str) -> Whole:
    text = "shc:/" + body
    return Whole(text[: MAX_TEXT_LENGTH + 1], text.encode())
