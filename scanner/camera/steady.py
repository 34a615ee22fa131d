"""What a technician is told stays still for long enough to be read."""

from __future__ import annotations

from scanner.camera.advice import Advice, AdviceCode, Severity


class Steady:
    """Keeps advice from flickering: what is shown stays until something else has lasted.

    Red and 'no code' give way to the first reading at once: neither may stand beside a code that is
    read.

    :param patience_ns: how long other advice must last before it takes over.
    """

    def __init__(self, patience_ns: int = 600_000_000) -> None:
        self._patience_ns = patience_ns
        self._shown: list[Advice] = []
        self._other: tuple[AdviceCode, bool] | None = None
        self._since_ns = 0

    def take(self, advice: list[Advice], now_ns: int) -> list[Advice]:
        """Return what to show now, given this moment's `advice` (never empty)."""
        kind = _kind(advice)
        starts = not self._shown or (_tells_of_reading(advice) > _tells_of_reading(self._shown))
        if starts or kind == _kind(self._shown):
            self._other = None
            self._shown = advice
        elif kind != self._other:
            self._other, self._since_ns = kind, now_ns
        elif now_ns - self._since_ns >= self._patience_ns:
            self._other = None
            self._shown = advice
        return self._shown


def _kind(advice: list[Advice]) -> tuple[AdviceCode, bool]:
    return advice[0].code, advice[0].severity is Severity.FAULT


def _tells_of_reading(advice: list[Advice]) -> bool:
    return advice[0].code is not AdviceCode.NO_CODE and advice[0].severity < Severity.FAULT
