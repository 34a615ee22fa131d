"""The technician's page: what a camera sees, how well, and what to change about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from appliance.errors import PortInUseError
from appliance.web.connections import Connections
from appliance.web.pages import load_pages
from appliance.web.preview_screen import PreviewScreen
from appliance.web.server import Handler, add_pages, secure, serve

PORT = 8090
MAX_CONNECTIONS = 32
MAX_WAITING = 16
"""Requests that wait for a look at once: pages that are open, a few more than a person opens."""
WAIT_S = 1.0
"""A page that sees nothing new is told the figures this often."""


def make_preview(screen: PreviewScreen) -> web.Application:
    """Return the application: `/`, `/static/…` and `/cameras/N/look?after=NUMBER`.

    The answer to the last is one line of JSON, then a JPEG picture, which is missing if there was
    no new look within a second.
    """
    app = web.Application(client_max_size=1024)
    pages = load_pages("preview_static", shared=("icons",))
    screen.build = pages.build
    add_pages(app, pages)
    app.router.add_get(r"/cameras/{camera:\d{1,3}}/look", _look(screen))
    app.on_response_prepare.append(secure)
    return app


@asynccontextmanager
async def serve_preview(
    screen: PreviewScreen, host: str, port: int | None = None
) -> AsyncIterator[str]:
    """Serve the page while the block runs; yields its address.

    :param port: None takes the usual one, or any that is free if another program has that.
    :raises PortInUseError: if another program has the `port`.
    :raises ApplianceError: if the address cannot be served for any other reason.
    """
    wanted = PORT if port is None else port
    try:
        async with serve(make_preview(screen), host, wanted, connections=_connections()) as url:
            yield url
            return
    except PortInUseError:
        if port is not None:
            raise
    async with serve(make_preview(screen), host, 0, connections=_connections()) as url:
        yield url


def _connections() -> Connections:
    return Connections(limit=MAX_CONNECTIONS)


def _look(screen: PreviewScreen) -> Handler:
    waiting = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal waiting
        camera = int(request.match_info["camera"])
        after = request.query.get("after", "0")
        if camera >= len(screen.names):
            raise web.HTTPNotFound(text="there is no such camera\n")
        if not (after.isdecimal() and len(after) <= 12):
            raise web.HTTPBadRequest(text="after is the number of a look\n")
        if waiting >= MAX_WAITING:
            raise web.HTTPServiceUnavailable(
                text="as many pages watch as this preview serves: close one\n",
                headers={"Retry-After": "2"},
            )
        waiting += 1
        try:
            view, picture = await screen.after(camera, int(after), WAIT_S)
        finally:
            waiting -= 1
        return web.Response(
            body=msgspec.json.encode(view) + b"\n" + picture,
            headers={"Content-Type": "application/octet-stream", "Cache-Control": "no-store"},
        )

    return answer
