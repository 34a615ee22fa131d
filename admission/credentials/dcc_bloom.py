"""Slices of the EU's revocation lists: Bloom filters and lists of shortened hashes.

Both are written by dgca-revocation-distribution-service and read by the EU's verifier apps, whose
code, not their prose, is the format (big-endian):

| BLOOMFILTER | | VARHASHLIST | |
|---|---|---|---|
| i16 | version, 1 | i16 | version, 1 |
| u8 | k, hashes per element | f32 | probability |
| u8 | hash function, 0 = SHA-256 | i32 | number of elements |
| f32 | probability of a false hit | u8 | size of each, at least 4 |
| i32 | capacity n | … | the first bytes of each hash |
| i32 | elements held | | |
| i32 | words, then so many of 32 bits | | |
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Collection
from typing import Protocol

import msgspec

from admission.errors import MalformedError

VERSION = 1
MAX_SLICE_BYTES = 16 << 20
"""A Bloom filter of two million hashes at the EU's probability."""
PROBABILITY = 1e-12
"""Of a false hit, as the EU's service builds its filters."""
MIN_PREFIX_BYTES = 4
MAX_SORTED_AT_ONCE = 32_768
"""Hashes of a list that one sort takes: some milliseconds."""
HASH_BYTES = 16

_WORD_BITS = 32
_BLOOM_HEADER = struct.Struct(">hBBfiii")
_PREFIX_HEADER = struct.Struct(">hfiB")
_SHA_256 = 0


class Slice(Protocol):
    """One slice, whatever its kind."""

    def holds(self, element: bytes) -> bool:
        """Return whether a hash of 16 bytes is in it, or falsely seems to be. Never raises."""


class BloomFilter(msgspec.Struct, frozen=True, gc=False):
    """A Bloom filter; `words` are its bits, the highest bit of the first byte is bit 0."""

    hashes: int
    probability: float
    capacity: int
    count: int
    words: bytes | memoryview

    def holds(self, element: bytes) -> bool:
        """Return whether `element` was added, or falsely seems to be. Never raises."""
        words, bits = self.words, len(self.words) * 8
        return all(
            words[index >> 3] & (0x80 >> (index & 7))
            for index in (_index(element, number, bits) for number in range(self.hashes))
        )


class PrefixList(msgspec.Struct, frozen=True, gc=False):
    """A list of the first `size` bytes of hashes, in ascending order."""

    size: int
    prefixes: bytes

    def holds(self, element: bytes) -> bool:
        """Return whether the first bytes of `element` are in it. Never raises.

        The service writes each through Java's signed BigInteger: the leading FF of FF 80 to FF FF
        is lost and a 00 takes its place. An element that begins so is looked for in both forms;
        the EU's own apps miss one in 512.
        """
        prefix = element[: self.size]
        return self._has(prefix) or (
            prefix[:1] == b"\xff" and prefix[1:2] >= b"\x80" and self._has(_through_java(prefix))
        )

    def _has(self, prefix: bytes) -> bool:
        size, prefixes = self.size, self.prefixes
        low, high = 0, len(prefixes) // size
        while low < high:
            middle = (low + high) // 2
            if prefixes[middle * size : middle * size + size] < prefix:
                low = middle + 1
            else:
                high = middle
        return prefixes[low * size : low * size + size] == prefix


def read_bloom_filter(data: bytes) -> BloomFilter:
    """Return the filter of a BLOOMFILTER slice.

    :raises MalformedError: if it is none, of another version, or longer than `MAX_SLICE_BYTES`.
    """
    try:
        version, hashes, function, probability, capacity, count, words = _BLOOM_HEADER.unpack_from(
            data
        )
    except struct.error as error:
        raise MalformedError("too short for a Bloom filter") from error
    body = memoryview(data)[_BLOOM_HEADER.size :]  # megabytes: no copy
    if version != VERSION or function != _SHA_256:
        raise MalformedError("a Bloom filter of an unknown version")
    if not (hashes and words > 0 and len(body) == words * 4 and len(data) <= MAX_SLICE_BYTES):
        raise MalformedError("a Bloom filter whose length is not what it says")
    return BloomFilter(hashes, probability, capacity, count, body)


def read_prefix_list(data: bytes) -> PrefixList:
    """Return the list of a VARHASHLIST slice.

    :raises MalformedError: if it is none, of another version, longer than `MAX_SLICE_BYTES`, or
        its hashes are so short that it would refuse people who were never meant.
    """
    try:
        version, _probability, _count, size = _PREFIX_HEADER.unpack_from(data)
    except struct.error as error:
        raise MalformedError("too short for a list of hashes") from error
    body = data[_PREFIX_HEADER.size :]
    if version != VERSION:
        raise MalformedError("a list of hashes of an unknown version")
    if not MIN_PREFIX_BYTES <= size <= HASH_BYTES:
        raise MalformedError("a list of hashes that are too short or too long")
    if len(body) % size or len(data) > MAX_SLICE_BYTES:
        raise MalformedError("a list of hashes whose length is not what it says")
    return PrefixList(size, _ordered(body, size))


def write_bloom_filter(
    elements: Collection[bytes], *, probability: float = PROBABILITY, capacity: int = 0
) -> bytes:
    """Return a BLOOMFILTER slice that holds `elements`, bit for bit as the EU's service builds it.

    :param capacity: elements it is dimensioned for; as many as there are if that is more.
    :raises ValueError: if the probability is not between 0 and 1, or it would be too large.
    """
    if not 0 < probability <= 1:
        raise ValueError("a probability lies between 0 and 1")
    capacity = max(capacity, len(elements), 1)
    (probability,) = struct.unpack(">f", struct.pack(">f", probability))
    size = math.ceil(-capacity * math.log(probability) / math.log(2) ** 2 / 8)
    # The service adds the remainder of the division, where rounding up was meant.
    words = max(size // 4 + size % 4, 1)
    bits = words * _WORD_BITS
    hashes = max(round(bits / capacity * math.log(2)), 1)
    if words * 4 > MAX_SLICE_BYTES - _BLOOM_HEADER.size or hashes > 0x7F:
        raise ValueError("this makes no filter that anybody reads")
    body = bytearray(words * 4)
    for element in elements:
        for number in range(hashes):
            index = _index(element, number, bits)
            body[index >> 3] |= 0x80 >> (index & 7)
    header = _BLOOM_HEADER.pack(
        VERSION, hashes, _SHA_256, probability, capacity, len(elements), words
    )
    return header + bytes(body)


def _ordered(prefixes: bytes, size: int, at: int = 0) -> bytes:
    """Return prefixes of `size` bytes in ascending order; all have the same first `at` bytes.

    Many are parted by their next byte first. One sort of millions would hold the interpreter, and
    with it the gate's lanes, for seconds, and take thirty times the memory.
    """
    if at == size:
        return prefixes
    if len(prefixes) <= MAX_SORTED_AT_ONCE * size:
        return b"".join(sorted(prefixes[i : i + size] for i in range(0, len(prefixes), size)))
    parts = [bytearray() for _ in range(256)]
    for i in range(0, len(prefixes), size):
        parts[prefixes[i + at]] += prefixes[i : i + size]
    return b"".join(_ordered(bytes(part), size, at + 1) for part in parts)


def _index(element: bytes, number: int, bits: int) -> int:
    digest = hashlib.sha256(element + bytes((number,))).digest()
    return int.from_bytes(digest, "big", signed=True) % bits


def _through_java(prefix: bytes) -> bytes:
    number = int.from_bytes(prefix, "big", signed=True)
    shortest = number.to_bytes((number + 1).bit_length() // 8 + 1, "big", signed=True)
    return shortest.rjust(len(prefix), b"\x00")
