"""The server: nothing but what it offers, whatever is asked; a bounded end; probes that tell."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter

from admission.verdict import Outcome, Reason, Verdict
from appliance.errors import ApplianceError, PortInUseError
from appliance.health import Finding, Health, Weight
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve
from tests.worlds import ManualClock

ADMIT = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,))


class World:
    """One served appliance, and a client."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self.client = client
        self.url = url
        self.screen: KioskScreen
        self.health: Health

    async def get(self, path: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        async with self.client.get(self.url + path.lstrip("/"), headers=headers) as response:
            return response.status, response.headers, await response.read()


@contextlib.asynccontextmanager
async def served(*, max_viewers: int = 64, heartbeat_s: float = 60) -> AsyncIterator[World]:
    clock = ManualClock()
    screen = KioskScreen(lambda: clock.monotonic_ns, ["gate-1"], max_viewers=max_viewers)
    health, registry = Health(), CollectorRegistry()
    Counter("chot_probe", "A probe.", registry=registry).inc()
    app = make_app(screen, health, registry, heartbeat_s=heartbeat_s)
    async with aiohttp.ClientSession() as client, serve(app, "127.0.0.1", 0) as url:
        world = World(client, url)
        world.screen, world.health = screen, health
        yield world


async def next_event(response: aiohttp.ClientResponse) -> bytes:
    return await asyncio.wait_for(response.content.readuntil(b"\n\n"), 2)


async def test_the_page_and_its_files() -> None:
    async with served() as world:
        status, headers, body = await world.get("/")
        assert status == 200
        assert b"{{build}}" not in body
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        for path in ("/static/kiosk.js", "/static/kiosk.css", "/static/icons/refuse.svg"):
            assert (await world.get(path))[0] == 200
        again = await world.get("/", **{"If-None-Match": headers["ETag"]})
        assert (again[0], again[2]) == (304, b"")


async def test_no_page_asks_for_anything_from_elsewhere() -> None:
    async with served() as world:
        for path in ("/", "/static/kiosk.css", "/static/kiosk.js", "/static/panel.js"):
            body = (await world.get(path))[2]
            assert b"http://" not in body
            assert b"https://" not in body
            assert b"innerHTML" not in body
            assert b"style=" not in body


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/static/kiosk.js%00.svg",
        "/static/",
        "/static//etc/passwd",
        "/" + "a" * 5_000,
    ],
)
async def test_nothing_else_is_served(path: str) -> None:
    async with served() as world:
        assert (await world.get(path))[0] == 404


async def test_hostile_requests_are_answered_and_forgotten() -> None:
    async with served() as world:
        host, port = world.url[7:-1].split(":")
        for raw in (
            b"\x00\xff\xfe" * 100 + b"\r\n\r\n",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(raw)
            answer = await asyncio.wait_for(reader.readline(), 2)
            assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
            writer.close()
        assert (await world.get("/"))[0] == 200


async def test_events_flow() -> None:
    async with served() as world, world.client.get(world.url + "events?lane=gate-1") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert await next_event(response) == b"retry: 1000\n\n"
        hello = await next_event(response)
        assert json.loads(hello.split(b"data: ")[1])["lanes"] == ["gate-1"]
        world.screen.publish("gate-1", ADMIT, "N***** V** AN")
        verdict = await next_event(response)
        assert verdict.startswith(b"data: ")
        assert json.loads(verdict.split(b"data: ")[1])["outcome"] == "admit"


async def test_a_silent_stream_gets_a_comment() -> None:
    async with served(heartbeat_s=0.01) as world, world.client.get(world.url + "events") as stream:
        assert (await next_event(stream)).startswith(b"retry")
        assert (await next_event(stream)).startswith(b"data")
        assert (await next_event(stream)).startswith(b":")


async def test_a_lane_name_is_bounded() -> None:
    async with served() as world:
        assert (await world.get("/events?lane=" + "a" * 65))[0] == 400


async def test_a_full_house_says_so_and_has_room_again() -> None:
    async with served(max_viewers=1) as world:
        async with world.client.get(world.url + "events") as first:
            await next_event(first)
            status, headers, body = await world.get("/events")
            assert status == 503
            assert headers["Retry-After"]
            assert b"Close kiosk pages" in body
            first.close()
        async with asyncio.timeout(2):
            while world.screen.statistics().viewers:
                world.screen.publish("gate-1", ADMIT, "")
                await asyncio.sleep(0)


async def test_open_pages_are_counted() -> None:
    async with served(max_viewers=1) as world:
        async with world.client.get(world.url + "events") as page:
            await next_event(page)
            await world.get("/events")
            body = (await world.get("/metrics"))[2]
        assert b"chot_kiosk_viewers 1.0" in body
        assert b"chot_kiosk_turned_away_total 1.0" in body
        assert b"chot_kiosk_skipped_total 0.0" in body


async def test_it_ends_soon_with_pages_open() -> None:
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as client:
        async with served() as world:
            streams = [await client.get(world.url + "events") for _ in range(8)]
            for stream in streams:
                await next_event(stream)
            began = loop.time()
        assert loop.time() - began < 1
        for stream in streams:
            assert (await asyncio.wait_for(stream.content.read(), 2)).startswith(b"data: ")


@pytest.mark.parametrize(
    ("weight", "expected"), [(Weight.NOTE, 200), (Weight.SERVICE, 503), (Weight.VITAL, 503)]
)
async def test_healthz(weight: Weight, expected: int) -> None:
    async with served() as world:
        assert (await world.get("/healthz"))[0] == 200
        world.health.add("lane.gate-1", lambda: Finding(ok=False, why="board silent"), weight)
        status, headers, body = await world.get("/healthz")
        assert (status, headers["Content-Type"]) == (expected, "application/json")
        assert json.loads(body)["checks"]["lane.gate-1"]["why"] == "board silent"


async def test_metrics_in_both_formats() -> None:
    async with served() as world:
        _, headers, body = await world.get("/metrics")
        assert headers["Content-Type"].startswith("text/plain")
        assert b"chot_probe_total 1.0" in body
        accept = "application/openmetrics-text; version=1.0.0"
        _, headers, body = await world.get("/metrics", Accept=accept)
        assert headers["Content-Type"].startswith("application/openmetrics-text")
        assert body.endswith(b"# EOF\n")


async def test_a_port_in_use_is_said_with_what_to_do() -> None:
    async with served() as world:
        port = int(world.url[7:-1].split(":")[1])
        app = make_app(KioskScreen(lambda: 0), Health(), CollectorRegistry())
        with pytest.raises(PortInUseError) as caught:
            async with serve(app, "127.0.0.1", port):
                pass
        assert str(port) in str(caught.value)
        assert "ss -ltnp" in caught.value.hint


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("127.0.0.1", 70_000)])
async def test_an_impossible_address_is_an_error_of_ours(host: str, port: int) -> None:
    app = make_app(KioskScreen(lambda: 0), Health(), CollectorRegistry())
    with pytest.raises(ApplianceError) as caught:
        async with serve(app, host, port):
            pass
    assert caught.value.hint
