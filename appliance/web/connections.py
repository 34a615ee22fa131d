"""Whom the web server keeps a line open for: bounded in number, and in how long they may idle.

aiohttp waits for a request's head as long as it takes, on any number of connections. Each of them
costs the daemon a file descriptor, and cameras, boards and the journal need those, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

MAX_CONNECTIONS = 128
IDLE_TIMEOUT_S = 10.0

Factory = Callable[[], asyncio.BaseProtocol]


class Connections:
    """Counts the connections of one server, and closes those that ask for nothing.

    A connection idles while no handler works for it: before the head of its first request is
    complete, and after each answer. One that idles for `idle_timeout_s` is closed. Where `limit`
    are open, a newcomer takes the place of the one that has idled longest; if none idles, the
    newcomer is closed.
    """

    def __init__(
        self, *, limit: int = MAX_CONNECTIONS, idle_timeout_s: float = IDLE_TIMEOUT_S
    ) -> None:
        self._limit = limit
        self._idle_timeout_s = idle_timeout_s
        self._open: set[asyncio.BaseTransport] = set()
        self._idle: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def guard(self, factory: Factory) -> Factory:
        """Return a protocol factory for `loop.create_server` that keeps these bounds."""
        return lambda: _Guarded(self, factory)

    def middleware(self) -> Middleware:
        """Return the outermost middleware: it tells when a connection is being served."""

        @web.middleware
        async def serving(request: web.Request, handler: Handler) -> web.StreamResponse:
            transport = request.transport
            self._stop_idling(transport)
            try:
                return await handler(request)
            finally:
                self._start_idling(transport)

        return serving

    def opened(self, transport: asyncio.Transport) -> bool:
        """Take a new connection in; False if there is no room for it."""
        if len(self._open) >= self._limit:
            if not self._idle:
                return False
            longest = cast("asyncio.Transport", next(iter(self._idle)))
            self.closed(longest)
            longest.abort()
        self._open.add(transport)
        self._start_idling(transport)
        return True

    def closed(self, transport: asyncio.BaseTransport) -> None:
        """Forget a connection."""
        self._stop_idling(transport)
        self._open.discard(transport)

    def _start_idling(self, transport: asyncio.BaseTransport | None) -> None:
        if transport in self._open:
            loop = asyncio.get_running_loop()
            abort = cast("asyncio.Transport", transport).abort
            self._idle[transport] = loop.call_later(self._idle_timeout_s, abort)

    def _stop_idling(self, transport: asyncio.BaseTransport | None) -> None:
        timer = self._idle.pop(transport, None) if transport is not None else None
        if timer is not None:
            timer.cancel()


class _Guarded(asyncio.Protocol):
    """Stands before aiohttp's protocol, which is made for admitted connections only."""

    def __init__(self, connections: Connections, factory: Factory) -> None:
        self._connections = connections
        self._factory = factory
        self._transport: asyncio.BaseTransport | None = None
        self._inner: asyncio.Protocol | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)
        if not self._connections.opened(stream):
            stream.abort()
            return
        self._transport = transport
        self._inner = cast("asyncio.Protocol", self._factory())
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner is not None and self._transport is not None:
            self._connections.closed(self._transport)
            self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()
