"""A disk that did what a trace says, and what is found on it when power goes at one moment.

Durable is what was synced; what was not may survive in any part: each later write or change of
length wholly, not at all, or some of its 512-byte sectors. A name is found in its old or its new
state unless its folder was synced.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from random import Random

from tests.power_cuts.trace import (
    Created,
    Operation,
    Removed,
    Renamed,
    Resized,
    Synced,
    Vouched,
    Written,
)

SECTOR_BYTES = 512
CACHED_WRITES = 64
"""How many writes a drive that lies about flushing holds back before the oldest gets through."""

Change = tuple[int, Written | Resized]


class _Inode:
    """One file: what is durable of it, and what was done since, with each operation's place."""

    def __init__(self) -> None:
        self.durable = bytearray()
        self.pending: list[Change] = []

    def flush(self, through: int) -> None:
        """Make durable what was done before the operation at this place."""
        for _, change in (one for one in self.pending if one[0] < through):
            _apply(self.durable, change)
        self.pending = [one for one in self.pending if one[0] >= through]

    def flush_oldest(self) -> None:
        _apply(self.durable, self.pending.pop(0)[1])

    def found(self, rng: Random) -> bytes:
        image = bytearray(self.durable)
        for _, change in self.pending:
            fate = rng.random()
            if fate < 0.3:
                continue
            if fate < 0.6 or isinstance(change, Resized):
                _apply(image, change)
            else:
                _apply_torn(image, change, rng)
        return bytes(image)


class Disk:
    """Plays a trace.

    :param honest: whether a sync makes anything durable. A disk that lies lets its cache run full
        instead.
    """

    def __init__(self, *, honest: bool = True) -> None:
        self.vouched: list[bytes] = []
        self._honest = honest
        self._names: dict[str, _Inode] = {}
        self._durable_names: dict[str, _Inode] = {}
        self._cached: list[_Inode] = []

    def do(self, place: int, operation: Operation) -> None:
        """Do the operation that stands at this place of the trace."""
        match operation:
            case Vouched():
                self.vouched.append(operation.said)
            case Created():
                self._created(place, operation)
            case Written() | Resized():
                self._changed(place, operation)
            case Renamed():
                if (inode := self._names.pop(operation.source, None)) is not None:
                    self._names[operation.target] = inode
            case Removed():
                self._names.pop(operation.path, None)
            case Synced() if self._honest:
                self._synced(operation)

    def cut(self, rng: Random) -> dict[str, bytes]:
        """Return the files that are found after a power cut now, by path."""
        images: dict[str, bytes] = {}
        for path in sorted({*self._names, *self._durable_names}):
            now, before = self._names.get(path), self._durable_names.get(path)
            inode = now if now is before else rng.choice((now, before))
            if inode is not None:
                images[path] = inode.found(rng)
        return images

    def _created(self, place: int, operation: Created) -> None:
        inode = self._names.get(operation.path)
        if inode is None:
            self._names[operation.path] = _Inode()
        elif operation.truncated:
            self._changed(place, Resized(operation.path, 0, shrinks=True))

    def _changed(self, place: int, change: Written | Resized) -> None:
        inode = self._names.get(change.path)
        if inode is None:  # removed already: what goes there is lost to everybody
            return
        inode.pending.append((place, change))
        if not self._honest:
            self._cached.append(inode)
            if len(self._cached) > CACHED_WRITES:
                self._cached.pop(0).flush_oldest()
                self._durable_names = dict(self._names)

    def _synced(self, operation: Synced) -> None:
        inode = self._names.get(operation.path)
        if inode is not None:
            inode.flush(operation.begun)
            return
        for path in {*self._names, *self._durable_names}:
            if str(PurePosixPath(path).parent) == operation.path:
                self._settle_name(path)

    def _settle_name(self, path: str) -> None:
        inode = self._names.get(path)
        if inode is None:
            self._durable_names.pop(path, None)
        else:
            self._durable_names[path] = inode


def cuts(
    trace: list[Operation], count: int, rng: Random, *, honest: bool = True
) -> Iterator[tuple[dict[str, bytes], list[bytes]]]:
    """Yield what is found after each of `count` power cuts, and what was vouched for until then.

    Cuts fall anywhere after the first entry that was vouched for.
    """
    first = next(place for place, one in enumerate(trace) if isinstance(one, Vouched))
    places = sorted(rng.randrange(first, len(trace) + 1) for _ in range(count))
    disk, due = Disk(honest=honest), 0
    for place in range(len(trace) + 1):
        while due < count and places[due] == place:
            yield disk.cut(rng), disk.vouched
            due += 1
        if place < len(trace):
            disk.do(place, trace[place])


def _apply(image: bytearray, change: Written | Resized) -> None:
    if isinstance(change, Resized):
        if change.shrinks:
            del image[change.length :]
        image.extend(bytes(max(0, change.length - len(image))))
        return
    _put(image, change.offset, change.data)


def _apply_torn(image: bytearray, change: Written, rng: Random) -> None:
    start, end = change.offset, change.offset + len(change.data)
    while start < end:
        until = min((start // SECTOR_BYTES + 1) * SECTOR_BYTES, end)
        if rng.random() < 0.5:
            _put(image, start, change.data[start - change.offset : until - change.offset])
        start = until


def _put(image: bytearray, offset: int, data: bytes) -> None:
    image.extend(bytes(max(0, offset + len(data) - len(image))))
    image[offset : offset + len(data)] = data
