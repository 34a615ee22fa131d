"""The server's connections: a bounded number, and none that is held open without asking.

The library bounds neither how many connections there are nor how long a request's head may take, so
a thousand half-sent requests would use up the process's file descriptors.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable
from itertools import chain
from typing import Any

from aiohttp import StreamReader, web

MAX_CONNECTIONS = 512
"""Leaves half of the usual 1,024 file descriptors for files, the store and what is being closed."""
OPEN_FILES = 65_536
"""What is asked of the system: connections that agree on TLS yet are counted by nobody, and a
stranger who begins a thousand of them must not keep a day's file from being opened."""
HEAD_TIMEOUT_S = 10.0
"""How long the head of a request may take to arrive, counted from the connection or, on one that is
kept alive, from its first byte."""


def allow_open_files() -> None:
    """Raise this process's soft limit of open files as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # what there is then has to do
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Connections:
    """Makes the protocol of each new connection; what `loop.create_server` asks for.

    At the limit, the connection that has been without a request for longest makes room; where none
    is, the one whose body has been on its way for longest. If all are at work, the new one is
    closed.

    :param server: what answers requests; every connection is registered with it.
    :param options: keyword arguments of `web.RequestHandler`.
    """

    def __init__(
        self,
        server: web.Server,
        options: dict[str, Any],
        *,
        limit: int = MAX_CONNECTIONS,
        head_timeout_s: float = HEAD_TIMEOUT_S,
    ) -> None:
        server.request_factory = _noting_begin(server.request_factory)
        self._server = server
        self._options = options
        self._limit = limit
        self._head_timeout_s = head_timeout_s
        self._working: set[_Connection] = set()
        self._waiting: dict[_Connection, None] = {}  # the one that waits longest first
        self._arriving: dict[_Connection, None] = {}  # the one whose body is longest on its way

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of one new connection."""
        return _Connection(self, self._server, self._options)

    def __len__(self) -> int:
        return len(self._working) + len(self._arriving) + len(self._waiting)

    def opened(self, connection: _Connection) -> None:
        """Let a connection in and start its clock, or close it."""
        if len(self) >= self._limit:
            longest = next(chain(self._waiting, self._arriving), None)
            if longest is None:
                connection.force_close()
                return
            self.closed(longest)
            longest.force_close()
        self._waiting[connection] = None
        connection.expect_head(self._head_timeout_s)

    def received(self, connection: _Connection) -> None:
        """Bytes came: on a connection that waits, they begin a request's head."""
        if connection in self._waiting:
            connection.expect_head(self._head_timeout_s)

    def arriving(self, connection: _Connection) -> None:
        """Note that a request's head has arrived, and its body may follow."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._arriving[connection] = None

    def working(self, connection: _Connection) -> None:
        """Note that a request has arrived to its last byte."""
        if connection in self._arriving:
            del self._arriving[connection]
            self._working.add(connection)

    def waiting(self, connection: _Connection) -> None:
        """Note that a request has been answered to its last byte."""
        if connection in self._working or connection in self._arriving:
            self.closed(connection)
            self._waiting[connection] = None

    def closed(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._working.discard(connection)
        self._arriving.pop(connection, None)
        self._waiting.pop(connection, None)


class _Connection(web.RequestHandler):
    """One connection, which reports to `Connections` what it is about."""

    __slots__ = ("_deadline", "_room", "_time")

    def __init__(self, room: Connections, server: web.Server, options: dict[str, Any]) -> None:
        self._time = asyncio.get_running_loop()
        super().__init__(server, loop=self._time, **options)
        self._room = room
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._room.opened(self)

    def data_received(self, data: bytes) -> None:
        self._room.received(self)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._room.closed(self)
        self._disarm()
        super().connection_lost(exc)

    def expect_head(self, timeout_s: float) -> None:
        if self._deadline is None:
            self._deadline = self._time.call_later(timeout_s, self.force_close)

    def begin(self, payload: StreamReader) -> None:
        self._disarm()
        self._room.arriving(self)
        payload.on_eof(lambda: self._room.working(self))

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._room.waiting(self)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _noting_begin(make: Callable[..., web.BaseRequest]) -> Callable[..., web.BaseRequest]:
    def made(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        if isinstance(protocol, _Connection):
            protocol.begin(payload)
        return make(message, payload, protocol, writer, task)

    return made
