"""Names by number, and sets of them as bits: bounded, whatever the journal holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable

MAX_NAMES = 120
"""Names of one kind that get a number of their own; the others share one bit."""
SET_BYTES = 16
_OTHERS = 1 << 127
_MAX_LENGTH = 256


class Names:
    """The numbers of names of a few kinds. `fresh` are those that were given since `take_fresh`."""

    def __init__(self, known: Iterable[tuple[str, int, str]] = ()) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        for kind, number, name in known:
            self._numbers.setdefault(kind, {})[name] = number
        self._fresh: list[tuple[str, int, str]] = []

    def bit(self, kind: str, name: str) -> int:
        """Return the name's bit, and give it a number where it has none and there is room."""
        numbers = self._numbers.setdefault(kind, {})
        number = numbers.get(name)
        if number is None:
            if len(numbers) >= MAX_NAMES or len(name) > _MAX_LENGTH:
                return _OTHERS
            number = numbers[name] = len(numbers)
            self._fresh.append((kind, number, name))
        return 1 << number

    def mask(self, kind: str, names: Collection[str]) -> int:
        """Return the bits under which at least one of the names may be found."""
        numbers = self._numbers.get(kind, {})
        return sum(1 << numbers[name] for name in set(names) if name in numbers) | _OTHERS

    def known(self, kind: str, name: str) -> bool:
        """Return whether the name has a number."""
        return name in self._numbers.get(kind, {})

    def take_fresh(self) -> list[tuple[str, int, str]]:
        """Return the kinds, numbers and names that are new since the last call."""
        fresh, self._fresh = self._fresh, []
        return fresh


def pack_set(bits: int) -> bytes:
    """Return a set's `SET_BYTES` bytes."""
    return bits.to_bytes(SET_BYTES, "little")


def unpack_set(data: bytes) -> int:
    """Return the bits of a set."""
    return int.from_bytes(data, "little")
