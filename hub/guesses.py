"""How often one address may show a token that is none, before it has to wait."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict

from hub.errors import TooManyGuessesError

MAX_FAILURES = 20
WINDOW_NS = 60_000_000_000
MAX_ADDRESSES = 4_096
"""Remembered at a time: the ones that failed last."""
_NETWORK_BITS = 64
"""What one household or attacker has of IPv6 counts as one address."""


class Guesses:
    """Counts failures by address. A secret of 128 bits is not guessed: this keeps logs readable."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def require_few(self, address: str, monotonic_ns: int) -> None:
        """Check that an address may try.

        :raises TooManyGuessesError: if it has failed too often within the last minute.
        """
        began_ns, count = self._failures.get(_network(address), (0, 0))
        if count >= MAX_FAILURES and monotonic_ns - began_ns < WINDOW_NS:
            raise TooManyGuessesError("too many tokens that are none: try again in a minute")

    def failed(self, address: str, monotonic_ns: int) -> None:
        """Count a failure."""
        network = _network(address)
        began_ns, count = self._failures.pop(network, (monotonic_ns, 0))
        if monotonic_ns - began_ns >= WINDOW_NS:
            began_ns, count = monotonic_ns, 0
        self._failures[network] = (began_ns, count + 1)
        while len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, _NETWORK_BITS), strict=False))
