"""The TLS handshakes of a server: a bounded number at a time, and none that is held open.

`loop.create_server` would agree on TLS before it tells anybody of a connection, so that handshakes
which are begun and never ended would use up the process's file descriptors, uncounted.
"""

from __future__ import annotations

import asyncio
import ssl

from hub.connections import Connections

MAX_HANDSHAKES = 128
"""At a time. Full ones take a millisecond of the processor and one round trip or two."""
HANDSHAKE_TIMEOUT_S = 10.0
"""How long a client may take to agree on TLS."""


class TlsConnections:
    """Makes the protocol of each new connection; what `loop.create_server` asks for, without TLS.

    At the limit, the handshake that has gone on for longest is given up for the new one.

    :param connections: gets the connection once TLS is agreed on.
    """

    def __init__(
        self,
        connections: Connections,
        context: ssl.SSLContext,
        *,
        limit: int = MAX_HANDSHAKES,
        timeout_s: float = HANDSHAKE_TIMEOUT_S,
    ) -> None:
        self.connections = connections
        self.context = context
        self.timeout_s = timeout_s
        self._limit = limit
        self._under_way: dict[_Handshake, None] = {}  # the longest first

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of one new connection."""
        return _Handshake(self)

    def __len__(self) -> int:
        return len(self._under_way)

    def begun(self, handshake: _Handshake) -> None:
        """Let a handshake begin; give up the oldest if there are too many."""
        if len(self._under_way) >= self._limit:
            oldest = next(iter(self._under_way))
            del self._under_way[oldest]
            oldest.give_up()
        self._under_way[handshake] = None

    def ended(self, handshake: _Handshake) -> None:
        """Forget a handshake."""
        self._under_way.pop(handshake, None)

    def close(self) -> None:
        """Give up all handshakes that are under way."""
        for handshake in list(self._under_way):
            handshake.give_up()


class _Handshake(asyncio.Protocol):
    """One connection until TLS is agreed on. What a client sends with its last word is kept."""

    def __init__(self, room: TlsConnections) -> None:
        self._room = room
        self._early = bytearray()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 of a TCP server
        transport.pause_reading()  # until TLS reads: nothing of its first message may come here
        self._transport = transport
        self._room.begun(self)
        self._task = asyncio.get_running_loop().create_task(self._agree(transport))

    def data_received(self, data: bytes) -> None:
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._transport = None
        self._room.ended(self)

    def give_up(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _agree(self, transport: asyncio.Transport) -> None:
        try:
            agreed = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                self._room.context,
                server_side=True,
                ssl_handshake_timeout=self._room.timeout_s,
            )
        except (OSError, ValueError):  # ssl.SSLError is an OSError: whoever it was speaks no TLS
            transport.abort()
            return
        finally:
            self._room.ended(self)
        if agreed is None or agreed.is_closing():
            return
        protocol = self._room.connections()
        agreed.set_protocol(protocol)
        protocol.connection_made(agreed)
        if self._early and isinstance(protocol, asyncio.Protocol):
            protocol.data_received(bytes(self._early))
