"""A real web server on the loopback in place of the hub's, and a sink for what it sends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Bytes:
    """A sink that keeps what it takes."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: bytes, /) -> None:
        self.taken += data


class Server:
    """A real web server whose two paths do what a test tells them to."""

    def __init__(self) -> None:
        self.head: Handler = self.missing
        self.file: Handler = self.missing
        self.requests: list[web.Request] = []
        self.release = asyncio.Event()

    async def missing(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    async def on_head(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.head(request)

    async def on_file(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.file(request)

    async def streamed(
        self, request: web.Request, data: bytes, *, length: int | None = None, hang: bool = False
    ) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = length
        await response.prepare(request)
        await response.write(data)
        if hang:
            await self.release.wait()
        elif request.transport is not None and length is not None:
            request.transport.close()
        return response


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, str]]:
    """Serve for the block; give the server and the address that a gate would be told."""
    served = Server()
    app = web.Application()
    app.router.add_get("/base/replica/head", served.on_head)
    app.router.add_get("/base/replica/{folder}/{name}", served.on_file)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield served, f"http://127.0.0.1:{port}/base"
    served.release.set()
    await runner.cleanup()


def answering(**response: object) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(**response)  # type: ignore[arg-type]

    return handler


def ranging(whole: bytes) -> Handler:
    """Answer as a server does that knows ranges."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if "Range" not in request.headers:
            return web.Response(body=whole)
        asked = request.http_range
        start, end = asked.start, asked.stop or len(whole)
        said = {"Content-Range": f"bytes {start}-{end - 1}/{len(whole)}"}
        return web.Response(status=206, body=whole[start:end], headers=said)

    return handler
