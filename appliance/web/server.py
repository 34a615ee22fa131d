"""The appliance's small web server: kiosk page, live events, health and metrics."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from appliance.errors import ApplianceError, PortInUseError
from appliance.health import Health, State
from appliance.web.connections import Connections
from appliance.web.hosts import KnownHosts
from appliance.web.mirror import Mirrors
from appliance.web.pages import Page, Pages, load_pages
from appliance.web.screen import KioskScreen, TooManyViewers
from appliance.web.telemetry import KioskCollector

HEARTBEAT_S = 5.0
WRITE_TIMEOUT_S = 10.0
"""A page that takes nothing for this long is dropped; it connects again when it comes round."""
SHUTDOWN_TIMEOUT_S = 0.5
RECONNECT_MS = 1_000
MAX_LANE_LENGTH = 64
BACKLOG = 128

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_app(
    screen: KioskScreen,
    health: Health,
    registry: CollectorRegistry,
    *,
    heartbeat_s: float = HEARTBEAT_S,
    mirrors: Mirrors | None = None,
) -> web.Application:
    """Return the application: `/`, `/static/…`, `/events?lane=`, `/healthz`, `/metrics`.

    :param registry: what `/metrics` shows (`Metrics.registry`); the kiosk's own counts join it.
    :param heartbeat_s: a page that has nothing to be told gets a comment this often.
    :param mirrors: the pictures of who stands before the lanes, if the site wants them shown.
    """
    app = web.Application(client_max_size=1024)
    pages = load_pages()
    screen.build = pages.build
    registry.register(KioskCollector(screen))
    add_pages(app, pages)
    app.router.add_get("/events", _events(screen, heartbeat_s))
    app.router.add_get("/healthz", _healthz(health))
    app.router.add_get("/metrics", _metrics(registry))
    if mirrors is not None:
        mirrors.add_to(app)
    app.on_response_prepare.append(secure)

    async def let_viewers_go(_: web.Application) -> None:
        screen.close()
        if mirrors is not None:
            mirrors.close()

    app.on_shutdown.append(let_viewers_go)
    return app


@asynccontextmanager
async def serve(
    app: web.Application, host: str, port: int, *, connections: Connections | None = None
) -> AsyncIterator[str]:
    """Serve `app` while the block runs; yields the address, such as `http://127.0.0.1:8080/`.

    Port 0 takes a free one. Leaving takes less than a second, open pages or not.

    :param connections: bounds on those who connect, if not the usual ones.
    :raises PortInUseError: if another program has the port.
    :raises ApplianceError: if the address cannot be served for any other reason.
    """
    if connections is None:
        connections = Connections()
    app.middlewares.append(connections.middleware())
    app.middlewares.append(KnownHosts(host, socket.gethostname()).middleware())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    try:
        listener = await _listen(connections.guard(cast("web.Server", runner.server)), host, port)
        try:
            bound: int = listener.sockets[0].getsockname()[1]
            yield f"http://{f'[{host}]' if ':' in host else host}:{bound}/"
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def _listen(
    factory: Callable[[], asyncio.BaseProtocol], host: str, port: int
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise _unservable(host, port, error) from error


def _unservable(host: str, port: int, error: Exception) -> ApplianceError:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        msg = f"port {port} on {host} is in use by another program"
        hint = f"Is Chốt running already? See who has it: ss -ltnp 'sport = :{port}'"
        return PortInUseError(msg, hint=hint)
    reason = error.strerror if isinstance(error, OSError) else "the port is not 0 to 65535"
    msg = f"the page cannot be served at {host}, port {port}: {reason}"
    hint = "Give an address of this machine (127.0.0.1 for itself) and a port above 1023."
    return ApplianceError(msg, hint=hint)


def add_pages(app: web.Application, pages: Pages) -> None:
    """Let `app` answer for each of the pages' files."""
    for path, page in pages.by_path.items():
        app.router.add_get(path, _page(page))


def _page(page: Page) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        headers = {"ETag": f'"{page.etag}"', "Cache-Control": "no-cache"}
        if any(tag.value == page.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers["Content-Type"] = page.content_type
        return web.Response(body=page.body, headers=headers)

    return answer


def _events(screen: KioskScreen, heartbeat_s: float) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        lane = request.query.get("lane") or None
        if lane is not None and len(lane) > MAX_LANE_LENGTH:
            raise web.HTTPBadRequest(text="a lane's name is not that long\n")
        try:
            with screen.viewer(lane) as viewer:
                response = await _open_stream(request)
                while True:
                    frames = b": still here\n\n"
                    with suppress(TimeoutError):
                        async with asyncio.timeout(heartbeat_s):
                            taken = await viewer.take()
                            if taken is None:
                                return response
                            frames = taken
                    if not await _written(request, response, frames):
                        return response
        except TooManyViewers as error:
            raise web.HTTPServiceUnavailable(
                text=f"{error}. {error.hint}\n", headers={"Retry-After": "5"}
            ) from error

    return answer


async def _open_stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    await response.write(b"retry: %d\n\n" % RECONNECT_MS)
    return response


async def _written(request: web.Request, response: web.StreamResponse, frames: bytes) -> bool:
    """Write to a page; False if it has gone or takes nothing any more."""
    try:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await response.write(frames)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        return False
    except ConnectionError:
        return False
    return True


def _healthz(health: Health) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        report = health.report()
        return web.Response(
            status=503 if report.state is State.FAILED else 200,
            body=report.to_json(),
            headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
        )

    return answer


def _metrics(registry: CollectorRegistry) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return answer


async def secure(_: web.Request, response: web.StreamResponse) -> None:
    """Give every answer the headers that bind a page to its own server."""
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
