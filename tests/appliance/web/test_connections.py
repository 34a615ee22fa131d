"""The daemon's file descriptors are its own: who connects gets few, and not for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from appliance.health import Health
from appliance.web.connections import Connections
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Door:
    """A served appliance whose clients are bare sockets."""

    def __init__(self, connections: Connections, url: str, stack: AsyncExitStack) -> None:
        self.connections = connections
        self.url = url
        self._stack = stack

    async def dial(self, sent: bytes = b"") -> Wire:
        host, port = self.url[7:-1].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        self._stack.callback(writer.close)
        writer.write(sent)
        return reader, writer

    async def healthz(self) -> int:
        async with aiohttp.ClientSession() as client, client.get(self.url + "healthz") as answer:
            return answer.status


@asynccontextmanager
async def a_door(*, limit: int = 128, idle_timeout_s: float = 60) -> AsyncIterator[Door]:
    connections = Connections(limit=limit, idle_timeout_s=idle_timeout_s)
    app = make_app(KioskScreen(lambda: 0), Health(), CollectorRegistry())
    async with (
        serve(app, "127.0.0.1", 0, connections=connections) as url,
        AsyncExitStack() as stack,
    ):
        yield Door(connections, url, stack)


async def closed(reader: asyncio.StreamReader) -> bool:
    """Wait for the other side to close; False if it still has something to say."""
    try:
        return await asyncio.wait_for(reader.read(1), 5) == b""
    except ConnectionResetError:
        return True


async def test_three_hundred_half_sent_requests_take_nothing_from_the_others() -> None:
    async with a_door() as door:
        wires = [await door.dial(HALF) for _ in range(300)]
        async with asyncio.timeout(5):
            assert await door.healthz() == 200
        assert len(door.connections) <= 128
        assert await closed(wires[0][0]), "the one that has idled longest makes room"


@pytest.mark.parametrize("sent", [b"", HALF, WHOLE + HALF])
async def test_who_completes_no_head_in_time_is_closed(sent: bytes) -> None:
    async with a_door(idle_timeout_s=0.05) as door:
        reader, _ = await door.dial(sent)
        if sent.startswith(WHOLE):
            assert (await asyncio.wait_for(reader.readuntil(b"}}"), 5)).startswith(b"HTTP/1.1 200")
        assert await closed(reader)


async def test_dripping_bytes_buys_no_time() -> None:
    async with a_door(idle_timeout_s=0.05) as door:
        reader, writer = await door.dial(HALF)
        ending = asyncio.ensure_future(closed(reader))
        async with asyncio.timeout(5):
            while not ending.done():
                writer.write(b"a")
                await asyncio.sleep(0)
        assert ending.result()


async def test_an_open_page_is_not_idle_and_keeps_its_place() -> None:
    events = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with a_door(limit=2, idle_timeout_s=0.05) as door:
        pages = [(await door.dial(events))[0] for _ in range(2)]
        for page in pages:
            await asyncio.wait_for(page.readuntil(b"hello"), 5)
        assert await closed((await door.dial(WHOLE))[0]), "no room, and nobody idles"
        idler = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.15, idler.set_result, None)
        await idler  # three times the idle time
        assert len(door.connections) == 2


async def test_places_become_free_again() -> None:
    async with a_door(limit=1) as door:
        for _ in range(5):
            assert await door.healthz() == 200
