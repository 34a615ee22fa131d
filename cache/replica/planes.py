"""Columns of numbers as byte planes, each a zstd frame: what snapshots are made of. Needs numpy.

A plane holds one byte of each number. zstd finds no repetition in such columns, but codes every
byte by how frequent it is; so numbers are first arranged that their bytes say much by their
frequency: the most frequent values of a group each have a byte of their own, and the others
follow in bins of 256, where one is about as frequent as the other.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import zstandard
from numpy.typing import NDArray

from cache.errors import SegmentError

Plane = NDArray[np.uint8]
Numbers = NDArray[np.uint64]

MAX_WINDOW_BYTES = 8 << 20
LENGTH_BYTES = 4
_BIN = 256
_OUTSIDE = 255
"""The symbol of a value that is not among the ordered ones: it stands elsewhere as it is."""
MAX_ORDERED = _BIN * _OUTSIDE
"""Values that the symbols below `_OUTSIDE` can tell apart, all in bins."""


class Alphabet:
    """Bytes for the places 0 to `size` - 1: the first `singles` places have one each.

    Every byte from `singles` to 254 is a bin of 256 places; the place in the bin is a byte in a
    second plane. As few bytes as can be are bins.
    """

    def __init__(self, size: int) -> None:
        bins = max(0, -(-(size - _OUTSIDE) // (_BIN - 1)))
        self.size = size
        self.singles = _OUTSIDE - bins

    def symbols(self, places: NDArray[np.int64], outside: NDArray[np.bool_]) -> tuple[Plane, Plane]:
        """Return the plane of symbols, and that of places in bins."""
        further = places - self.singles
        symbols = np.where(further < 0, places, self.singles + (further >> 8))
        symbols = np.where(outside, _OUTSIDE, symbols).astype(np.uint8)
        return symbols, (further[(further >= 0) & ~outside] & 0xFF).astype(np.uint8)

    def binned(self, symbols: Plane) -> int:
        """Return how many of the symbols are bins."""
        return int(np.count_nonzero((symbols >= self.singles) & (symbols != _OUTSIDE)))

    def places(self, symbols: Plane, rest: Plane) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the places, 0 where the value is outside, and where that is.

        :raises SegmentError: if a place is not below `size`.
        """
        places = symbols.astype(np.int64)
        outside = symbols == _OUTSIDE
        bins = (symbols >= self.singles) & ~outside
        places[bins] = self.singles + ((places[bins] - self.singles) << 8) + rest
        places[outside] = 0
        if np.any((places >= self.size) & ~outside):
            raise SegmentError("the snapshot holds a value that none of its tables has")
        return places, outside


def planes_of(numbers: NDArray[Any], count: int) -> list[Plane]:
    """Return the lowest `count` bytes of the numbers, the lowest first."""
    return [(numbers >> numbers.dtype.type(8 * byte)).astype(np.uint8) for byte in range(count)]


class PlaneWriter:
    """Planes on their way into a file: each as the bytes of its frame (u32), and the frame."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # Matches of fewer bytes are chance in such planes, and cost more than they save.
        few = zstandard.ZstdCompressionParameters.from_level(1, min_match=7)
        self._quick = zstandard.ZstdCompressor(compression_params=few)

    def add(self, plane: Plane | bytes) -> None:
        """Write a plane. One without a byte is not there at all.

        :raises OSError: if it cannot be written.
        """
        if len(plane):
            frame = self._quick.compress(np.ascontiguousarray(plane).data)
            self._file.write(len(frame).to_bytes(LENGTH_BYTES, "little"))
            self._file.write(frame)

    def add_numbers(self, numbers: NDArray[Any], count: int) -> None:
        """Write the lowest `count` bytes of the numbers, as planes. Raises as `add`."""
        for plane in planes_of(numbers, count):
            self.add(plane)


class PlaneReader:
    """Planes coming out of a file. How long each is must be known before it is expanded."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._expander = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)

    def take(self, size: int) -> bytes:
        """Return the next bytes of the file, as they are.

        :raises SegmentError: if it ends before.
        :raises OSError: if it cannot be read.
        """
        data = self._file.read(size)
        if len(data) != size:
            raise SegmentError("the snapshot ends early")
        return data

    def plane(self, size: int) -> Plane:
        """Return the next plane.

        :raises SegmentError: if it is damaged, or not of this size.
        :raises OSError: if it cannot be read.
        """
        if not size:
            return np.zeros(0, np.uint8)
        length = int.from_bytes(self.take(LENGTH_BYTES), "little")
        # What does not become shorter is stored with a few bytes around it.
        if length > size + (size >> 7) + 64:
            raise SegmentError("a plane of the snapshot is longer packed than not")
        frame = self.take(length)
        try:
            declared = zstandard.get_frame_parameters(frame).content_size
            if declared != size:
                msg = f"a plane of the snapshot has {declared} bytes instead of {size}"
                raise SegmentError(msg)
            data = self._expander.decompress(frame, max_output_size=size, allow_extra_data=False)
        except zstandard.ZstdError as error:
            msg = f"a plane of the snapshot is damaged: {error}"
            raise SegmentError(msg) from error
        if len(data) != size:
            raise SegmentError("a plane of the snapshot is not as long as it says")
        return np.frombuffer(data, np.uint8)

    def numbers(self, rows: int, count: int) -> Numbers:
        """Return the next numbers, of `count` planes. Raises as `plane`."""
        numbers = np.zeros(rows, np.uint64)
        for byte in range(count):
            numbers |= self.plane(rows).astype(np.uint64) << np.uint64(8 * byte)
        return numbers

    def require_end(self) -> None:
        """Return if the file ends here.

        :raises SegmentError: if it does not.
        """
        if self._file.read(1):
            raise SegmentError("the snapshot goes on after its last row")
