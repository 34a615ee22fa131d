"""A bad cable: one direction that loses, repeats, reorders, cuts and flips what goes along it."""

from __future__ import annotations

from random import Random


class FaultyWire:
    """Passes chunks on, each fault with its own probability per chunk.

    `healed` may be set at any time: from then on everything arrives as it was sent.
    """

    def __init__(
        self,
        chance: Random,
        *,
        lose: float = 0.0,
        repeat: float = 0.0,
        swap: float = 0.0,
        cut: float = 0.0,
        flip: float = 0.0,
    ) -> None:
        self.healed = False
        self._chance = chance
        self._lose = lose
        self._repeat = repeat
        self._swap = swap
        self._cut = cut
        self._flip = flip
        self._held = b""

    def carry(self, chunk: bytes) -> bytes:
        """Return what arrives at the other end when `chunk` is sent, which may be nothing."""
        held, self._held = self._held, b""
        if self.healed or not chunk:
            return held + chunk
        if self._happens(self._lose):
            return held
        chunk = self._damaged(chunk)
        if self._happens(self._repeat):
            chunk += chunk
        if self._happens(self._swap):
            self._held = chunk
            return held
        return chunk + held

    def _damaged(self, chunk: bytes) -> bytes:
        if self._happens(self._cut):
            chunk = chunk[: self._chance.randrange(len(chunk))]
        if chunk and self._happens(self._flip):
            flipped = bytearray(chunk)
            for _ in range(self._chance.randint(1, 4)):
                flipped[self._chance.randrange(len(chunk))] ^= 1 << self._chance.randrange(8)
            chunk = bytes(flipped)
        return chunk

    def _happens(self, probability: float) -> bool:
        return self._chance.random() < probability


def carried(wire: FaultyWire | None, chunk: bytes) -> bytes:
    """Return what arrives over `wire`, or over a sound one where there is none."""
    return chunk if wire is None else wire.carry(chunk)
