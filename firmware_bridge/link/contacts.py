"""Contacts over time: a level counts once it has held for the debounce time without interruption.

This is what the microcontroller does to its inputs every millisecond, on whoever's clock calls.
"""

from __future__ import annotations

from typing import Final

from admission.gate import Input

NS_PER_MS: Final = 1_000_000


class Contacts:
    """The `fitted` inputs; no others count. Nothing is active until somebody says so."""

    def __init__(self, fitted: frozenset[Input], debounce_ms: int) -> None:
        self._fitted = fitted
        self._debounce_ns = debounce_ms * NS_PER_MS
        self._sampled = False
        self._active: frozenset[Input] = frozenset()
        self._differs_since_ns: dict[Input, int] = {}

    @property
    def active(self) -> frozenset[Input]:
        """What is active, debounced."""
        return self._active

    @property
    def next_change_ns(self) -> int | None:
        """When `advance` has to be called next, or None while nothing bounces."""
        since_ns = min(self._differs_since_ns.values(), default=None)
        return None if since_ns is None else since_ns + self._debounce_ns

    def sample(self, active: frozenset[Input], now_ns: int) -> bool:
        """Take the levels of all contacts. Return whether they count at once, as the first ones."""
        if not self._sampled:
            self._sampled = True
            self._active = active & self._fitted
            return True
        for source in self._fitted:
            self._take(source, source in active, now_ns)
        return False

    def sense(self, source: Input, active: bool, now_ns: int) -> None:
        """Take the level of one contact."""
        self._sampled = True
        if source in self._fitted:
            self._take(source, active, now_ns)

    def interrupt(self, moved: frozenset[Input]) -> None:
        """Take that these contacts moved since they were last looked at, were it there and back."""
        for source in moved:
            self._differs_since_ns.pop(source, None)

    def advance(self, now_ns: int) -> list[tuple[Input, bool]]:
        """Return the contacts that have changed now, by number, and whether each is active."""
        changed = [
            source
            for source, since_ns in sorted(self._differs_since_ns.items())
            if now_ns - since_ns >= self._debounce_ns
        ]
        for source in changed:
            del self._differs_since_ns[source]
            self._active ^= {source}
        return [(source, source in self._active) for source in changed]

    def _take(self, source: Input, active: bool, now_ns: int) -> None:
        if active is (source in self._active):
            self._differs_since_ns.pop(source, None)
        else:
            self._differs_since_ns.setdefault(source, now_ns)
