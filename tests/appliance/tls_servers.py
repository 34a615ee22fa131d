"""Servers on loopback, over TLS and in the clear, that say who asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def a_server(context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Answer every request with the common name of the client's certificate."""

    async def handler(request: web.Request) -> web.Response:
        shown = request.get_extra_info("peercert") or {}
        return web.Response(text=str(shown.get("subject", "nobody")))

    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def an_alerting_server(context: ssl.SSLContext) -> AsyncIterator[str]:
    """Take connections as OpenSSL does by itself: what it refuses, it says why."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = listening.accept()
            secured = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            with secured, contextlib.suppress(OSError):
                with contextlib.suppress(ssl.SSLError):
                    secured.do_handshake()
                # Closed with something unread, the system would cut the alert off.
                socket.socket.shutdown(secured, socket.SHUT_WR)
                while os.read(secured.fileno(), 4_096):
                    pass

    def serve_until_closed() -> None:
        with contextlib.suppress(OSError):
            serve()

    task = asyncio.create_task(asyncio.to_thread(serve_until_closed))
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        listening.shutdown(socket.SHUT_RDWR)  # wakes the thread
        listening.close()
        await task
