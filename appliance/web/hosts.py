"""Under which names the kiosk answers, so that no web page elsewhere can read it by DNS rebinding.

A page whose own name is suddenly resolved to the gate's address is, to the browser, of the same
origin as the gate; but the name still stands in each request's Host header (RFC 9110 §7.2).
"""

from __future__ import annotations

import ipaddress

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class KnownHosts:
    """Which Host headers are answered.

    On a loopback address: `localhost` and loopback addresses. On any other: those, every IP address
    (nobody can rebind a number), and this machine's name, bare or with `.local`. The port does not
    matter: tunnels change it. A request without the header is answered: no browser leaves it out.

    :param bound: the address that is served, such as `127.0.0.1`, `::1`, `0.0.0.0`, `localhost`.
    :param machine: this machine's name (`socket.gethostname()`).
    """

    def __init__(self, bound: str, machine: str) -> None:
        address = _address(bound)
        self._loopback_only = bound == "localhost" or (address is not None and address.is_loopback)
        name = machine.lower()
        label = name.partition(".")[0]
        self._names = {"localhost"}
        if not self._loopback_only:
            self._names |= {name, label, f"{label}.local", bound.lower()}

    def __contains__(self, header: str) -> bool:
        name = _without_port(header.strip().lower())
        address = _address(name)
        if address is not None:
            return address.is_loopback or not self._loopback_only
        return name.removesuffix(".") in self._names

    def middleware(self) -> Middleware:
        """Return a middleware that answers 421 (RFC 9110 §15.5.20) to a foreign name."""
        names = "localhost or 127.0.0.1" if self._loopback_only else "its IP address"

        @web.middleware
        async def known(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.headers.get("Host", "localhost") not in self:
                raise web.HTTPMisdirectedRequest(
                    text=f"the gate does not go by this name: ask for it as {names}\n"
                )
            return await handler(request)

        return known


def _without_port(host: str) -> str:
    if host.startswith("["):
        literal, bracket, _ = host[1:].partition("]")
        return literal if bracket else ""
    return host.partition(":")[0]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
