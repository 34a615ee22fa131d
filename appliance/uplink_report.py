"""How the upload stands, in words: what the kiosk, health and metrics ask."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from admission.errors import ChotError
from admission.instant import Instant
from admission.upload import Mark
from admission.wire import Entry
from appliance.errors import HistoryContradicted

MAX_SKEW_S = 30.0
"""Clocks further apart are told: at the hub, entries would lie at the wrong time."""
_NS = 1_000_000_000


class UplinkStatus(msgspec.Struct, frozen=True):
    """How the upload stands. `last_error`, `hint` and `alarm` are empty after a success.

    :ivar attempts: uploads since the start; `failures` those that failed since the last success.
    :ivar alarm: says that the hub holds another history than lies here.
    :ivar notice: what somebody should know although all works: clocks apart, a hub put back.
    :ivar sent_again: what a hub that was put back got a second time, done or not; empty if nothing.
    :ivar skew_s: how far the hub's clock is ahead of this one, None before the first answer.
    """

    pending: int
    acknowledged_through: int
    last_success: Instant | None
    last_error: str
    hint: str
    attempts: int
    failures: int
    alarm: str = ""
    notice: str = ""
    sent_again: str = ""
    skew_s: float | None = None


class _Resend(msgspec.Struct):
    """Entries that a hub lacked which was put back; of them `gone` are not here any more either."""

    first: int
    last: int
    gone: int = 0

    def __str__(self) -> str:
        gone = f"; {self.gone} of them are not here any more" if self.gone else ""
        return (
            f"the hub was put back to an older copy: entries {self.first} to {self.last} "
            f"are sent again{gone}"
        )


class Report:
    """Keeps what happened to one uplink."""

    def __init__(self) -> None:
        self.attempts = 0
        self.failures = 0
        self._last_success: Instant | None = None
        self._last_error = self._hint = self._alarm = ""
        self._skew_s: float | None = None
        self._apart = False
        self._resend: _Resend | None = None

    def succeeded(self, now: Instant) -> None:
        """Take note of an upload that was acknowledged."""
        self._last_success = now
        self._last_error = self._hint = self._alarm = ""
        self.failures = 0

    def failed(self, error: Exception, attempt_s: float) -> None:
        """Take note of an upload that was not."""
        self.failures += 1
        if isinstance(error, TimeoutError):
            self._last_error = f"the hub did not answer within {attempt_s} s"
            self._hint = "check the network between this gate and hub.url"
        else:
            self._last_error = str(error) or type(error).__name__
            self._hint = error.hint if isinstance(error, ChotError) else ""
        if isinstance(error, HistoryContradicted):
            self._alarm = self._last_error

    def compared(self, mark: Mark, begun: Instant, ended: Instant) -> None:
        """Compare the clocks: the mark's time counts for the middle of the round trip."""
        half_ns = (ended.monotonic_ns - begun.monotonic_ns) // 2
        skew_ns = mark.wall_ns - begun.wall_ns - half_ns
        self._skew_s = round(skew_ns / _NS, 3)
        self._apart = abs(skew_ns) - half_ns > MAX_SKEW_S * _NS

    def put_back(self, through: int, acknowledged: int) -> None:
        """Take note of a hub that lacks what it had acknowledged."""
        last = max(acknowledged, self._resend.last if self._resend else 0)
        self._resend = _Resend(through + 1, last)

    def sent(self, entries: Sequence[Entry]) -> None:
        """Take note of what a restored hub got again."""
        if (again := self._resend) is not None:
            again.gone += sum(
                not e.packed and again.first <= e.sequence <= again.last for e in entries
            )

    def status(self, pending: int, acknowledged_through: int) -> UplinkStatus:
        """Return how the upload stands."""
        return UplinkStatus(
            pending=pending,
            acknowledged_through=acknowledged_through,
            last_success=self._last_success,
            last_error=self._last_error,
            hint=self._hint,
            attempts=self.attempts,
            failures=self.failures,
            alarm=self._alarm,
            notice=self._notice(acknowledged_through),
            sent_again=str(self._resend or ""),
            skew_s=self._skew_s,
        )

    def _notice(self, acknowledged_through: int) -> str:
        said = list[str]()
        if self._resend is not None and acknowledged_through < self._resend.last:
            said.append(str(self._resend))
        if self._apart and self._skew_s is not None:
            side = "behind" if self._skew_s > 0 else "ahead of"
            said.append(
                f"this gate's clock is {abs(self._skew_s):.0f} s {side} the hub's: set one right"
            )
        return "; ".join(said)
