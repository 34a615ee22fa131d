"""Seeded mutations: of bytes, of text, and of the values inside JSON, CBOR and msgpack."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

DIGITS = "9" * 100_000
"""More than Python turns into an integer in linear time."""
DEEP = 3_000
"""Levels of nesting: more than any recursion of an interpreter or a library allows."""
_EDGES = (
    1 - (1 << 36),
    -62_135_596_801,
    253_402_300_800,
    -(1 << 63),
    -(1 << 31),
    -1,
    0,
    1,
    23,
    24,
    255,
    256,
    65_535,
    (1 << 31) - 1,
    1 << 32,
)
_NUMBERS = (*_EDGES, (1 << 53) + 1, (1 << 63) - 1, (1 << 64) - 1)
_FLOATS = (0.0, -0.0, 0.5, 1e-320, 1.7e308, -1e22, 1.6e9, float("inf"), float("nan"))
_TEXTS = (
    "",
    " ",
    "\x00",
    "a\u0301" * 30,
    "\u0301" * 600,
    "\ud800",
    "\U0001f9ff",
    "\u202e\u200b",
    "ﷺ" * 40,
    "A" * 5_000,
    "9" * 5_000,
    "-1",
    "1e999",
    "NaN",
    "0000-00-00",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2021-02-29",
    "2021-09-20T24:00:00Z",
    "٢٠٢١-٠٩-٢٠",
    "$ref",
    "../../etc/passwd",
)
_CHUNKS = (
    b"\x00",
    b"\xff" * 9,
    b"\x7f\xff\xff\xff",
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xbb\x00\x00\x00\x01\x00\x00\x00\x00",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xdd\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc9\xff\xff\xff\xff\x01",
    b"\x9f" * 40,
    b"\x81" * DEEP,
    b"\x91" * DEEP,
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"\xd8\x1c" * 60,
    b"\xc2\x5b\x00\x00\x00\x00\x00\x00\xff\xff",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80" * 200,
    b'"\\ud800"',
    b"1e400",
    b"-0",
    b"NaN",
    b"9" * 6_000,
)


class Mutator:
    """All chance of a campaign: the same seed makes the same inputs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one_in(self, count: int) -> bool:
        return self.random.randrange(count) == 0

    def data(self, data: bytes, most: int = 4) -> bytes:
        """Return the bytes with one to `most` changes."""
        changed = bytearray(data)
        for _ in range(self.random.randint(1, most)):
            self._change(changed)
        return bytes(changed)

    def _change(self, data: bytearray) -> None:
        at = self.random.randint(0, len(data))
        end = min(len(data), at + self.random.choice((1, 1, 2, 4, 8, 64)))
        match self.random.randrange(8):
            case 0 | 1 if at < len(data):
                data[at] ^= 1 << self.random.randrange(8)
            case 2:
                data[at:end] = self.random.randbytes(end - at)
            case 3:
                del data[at:end]
            case 4:
                data[at:at] = self.random.choice(_CHUNKS)
            case 5:
                data[at:end] = self.random.choice(_CHUNKS)
            case 6:
                data[at:at] = data[at:end] * self.random.choice((1, 2, 40))
            case _:
                del data[at if self.one_in(3) else len(data) - 3 :]

    def text(self, text: str, most: int = 4) -> str:
        """Return the text with one to `most` changes."""
        for _ in range(self.random.randint(1, most)):
            at = self.random.randint(0, len(text))
            end = min(len(text), at + self.random.choice((0, 1, 1, 2, 9)))
            text = text[:at] + self._piece(text[at:end]) + text[end:]
        return text

    def _piece(self, old: str) -> str:
        match self.random.randrange(7):
            case 0:
                return ""
            case 1:
                return chr(self.random.randrange(0x80))
            case 2:
                return chr(self.random.randrange(0x11_0000))
            case 3:
                return self.random.choice(_TEXTS)
            case 4:
                return old * self.random.choice((2, 3, 900))
            case 5:
                return old.swapcase()
            case _:
                return self.random.choice("|/:;,.-+<>{}[]\"'\\*=%#") + old

    def fields(self, text: str, separator: str) -> str:
        """Return the text with fields changed, swapped, doubled or left out."""
        parts = text.split(separator)
        at, other = self.random.randrange(len(parts)), self.random.randrange(len(parts))
        match self.random.randrange(5):
            case 0:
                parts[at], parts[other] = parts[other], parts[at]
            case 1:
                parts.insert(at, parts[other])
            case 2:
                del parts[at]
            case _:
                parts[at] = self.text(parts[at])
        return separator.join(parts)

    def tree(self, value: Any, most: int = 3) -> Any:
        """Return a copy of a value of lists and maps, one to `most` of its nodes changed."""
        value = copy.deepcopy(value)
        for _ in range(self.random.randint(1, most)):
            value = self._changed(value)
        return value

    def _changed(self, root: Any) -> Any:
        places: list[tuple[Any, Any]] = []
        pending = [root] if isinstance(root, dict | list) else []
        while pending and len(places) < 2_000:
            node = pending.pop()
            keys = list(node) if isinstance(node, dict) else range(len(node))
            places += [(node, key) for key in keys]
            pending += [node[key] for key in keys if isinstance(node[key], list | dict)]
        if not places or self.one_in(60):
            return self.leaf(root)
        holder, key = self.random.choice(places)
        self._at(holder, key)
        return root

    def _at(self, holder: Any, key: Any) -> None:
        match self.random.randrange(7):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[self.key(key)] = holder.pop(key)
            case 1:
                holder.extend(copy.deepcopy(holder[: self.random.choice((1, 40))]))
            case 2:
                holder[key] = [holder[key]] * self.random.choice((1, 2, 40))
            case 3:
                holder[key] = {self.key("a"): holder[key]}
            case _:
                holder[key] = self.leaf(holder[key])

    def key(self, old: Any) -> Any:
        if isinstance(old, int):
            return old + self.random.choice((-1, 1, 1 << 32))
        return self.text(old, 1) if isinstance(old, str) else old

    def leaf(self, old: Any) -> Any:
        """Return another leaf, mostly one of the same type."""
        if self.one_in(3) or not isinstance(old, str | bytes | int | float):
            return self.random.choice(_LEAVES)(self)
        if isinstance(old, bytes):
            return self.data(old, 2)
        if isinstance(old, str):
            return self.text(old, 2)
        if self.one_in(2):
            return self.random.choice(_NUMBERS)
        return old + self.random.choice((-1, 1, -1000, 1000))


def nested(levels: int) -> Any:
    """Return lists in one another."""
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


_LEAVES: tuple[Callable[[Mutator], Any], ...] = (
    lambda m: m.random.choice(_NUMBERS),
    lambda m: m.random.choice(_FLOATS),
    lambda m: m.random.choice(_TEXTS),
    lambda m: m.random.randbytes(m.random.choice((0, 1, 8, 32, 700))),
    lambda _: None,
    lambda m: m.one_in(2),
    lambda _: [],
    lambda _: {},
    lambda m: nested(m.random.choice((3, 15, 17, 33, 90))),
    lambda m: [0] * m.random.choice((17, 300, 3_000)),
    lambda m: {f"k{n}": n for n in range(m.random.choice((17, 300)))},
)
