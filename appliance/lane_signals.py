"""How one lane says what all lanes say: through its own gate, and quietly in quiet hours."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from admission.local_time import local_time
from admission.ports import Clock
from admission.quiet import QuietHours, quietened
from admission.signal import GATES, Output, Pulse, Signal
from admission.site import Site
from admission.standing import Release


class LaneSignals:
    """Called with a signal of the law, returns the one that this lane's bridge is to show.

    :param gate: which side the lane unlocks, for `pulse_ms`.
    :param quiet: when its buzzer is quiet; None for never.
    :param release: the knowledge in force, which tells a wrong clock (`admission.local_time`).
    """

    def __init__(
        self,
        *,
        gate: Output,
        pulse_ms: int,
        quiet: QuietHours | None,
        site: Site,
        clock: Clock,
        release: Callable[[], Release | None],
    ) -> None:
        self._opening = Pulse(gate, pulse_ms)
        self._quiet = quiet
        self._site = site
        self._clock = clock
        self._release = release

    def __call__(self, signal: Signal) -> Signal:
        """Return the signal as it is to be shown now."""
        shown = self._through_our_gate(signal)
        if self._quiet is None:
            return shown
        at = local_time(self._clock.now(), self._release(), self._site)
        return quietened(shown, self._quiet, at)

    def _through_our_gate(self, signal: Signal) -> Signal:
        if not any(pulse.output in GATES for pulse in signal.pulses):
            return signal
        pulses = (self._opening if p.output in GATES else p for p in signal.pulses)
        return msgspec.structs.replace(signal, pulses=tuple(pulses))
