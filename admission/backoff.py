"""How long to wait before the next try: exponential, bounded, jittered. Pure."""

from __future__ import annotations

import msgspec


class Backoff(msgspec.Struct, frozen=True):
    """A bound that doubles from `first_s` to `ceiling_s`, of which a part is left to chance.

    With a jitter of 1 the delay is drawn from the whole bound (many gates whose hub comes back),
    with 0.5 from its upper half (one device that must not be asked too soon), with 0 it is the
    bound itself.
    """

    first_s: float
    ceiling_s: float
    jitter: float = 0.5

    def delay_s(self, failures: int, draw: float) -> float:
        """Return the seconds to wait after `failures` in a row (from 1).

        :param draw: a random number in [0, 1).

        >>> Backoff(0.5, 60.0).delay_s(3, 0.0), Backoff(0.5, 60.0, jitter=0).delay_s(30, 0.9)
        (1.0, 60.0)
        """
        doublings = min(max(failures, 1) - 1, 32)
        bound_s = min(self.ceiling_s, self.first_s * 2.0**doublings)
        return bound_s * (1 - self.jitter * (1 - draw))
