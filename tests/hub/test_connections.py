"""Whoever opens connections and asks nothing keeps nobody out: over real sockets."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from hub.connections import OPEN_FILES, allow_open_files
from hub.server import listening

LIMIT_S = 20
ASK = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
HALF = ASK[:-2]
WHOLE = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
SLOW = WHOLE[:-1]
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Door:
    """A server of one page, whose answer can be held back."""

    def __init__(self) -> None:
        self.asked = asyncio.Queue[None]()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.body = b"here"
        self.port = 0
        self._lines: list[Line] = []

    async def page(self, _: web.Request) -> web.Response:
        self.asked.put_nowait(None)
        await self.may_answer.wait()
        return web.Response(body=self.body)

    async def connect(self, sent: bytes = b"") -> Line:
        line = await asyncio.open_connection("127.0.0.1", self.port)
        self._lines.append(line)
        line[1].write(sent)
        return line

    async def close(self) -> None:
        self.may_answer.set()
        for _, writer in self._lines:
            writer.close()


@asynccontextmanager
async def a_door(max_connections: int = 4, head_timeout_s: float = LIMIT_S) -> AsyncIterator[Door]:
    door, app = Door(), web.Application()
    app.router.add_route("*", "/", door.page)
    limits = {"max_connections": max_connections, "head_timeout_s": head_timeout_s}
    async with (
        asyncio.timeout(LIMIT_S),
        listening(app, "127.0.0.1", 0, **limits) as url,  # type: ignore[arg-type]
    ):
        door.port = int(url.rsplit(":", 1)[1])
        try:
            yield door
        finally:
            await door.close()


async def answered(line: Line) -> bool:
    try:
        head = await line[0].readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await line[0].readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return head.startswith(b"HTTP/1.1 200")


async def ended(line: Line) -> bool:
    try:
        return await line[0].read(1) == b""
    except ConnectionError:
        return True


async def test_half_a_head_is_given_up() -> None:
    async with a_door(head_timeout_s=0.05) as door:
        assert await ended(await door.connect(HALF))
        assert await ended(await door.connect())
        assert door.asked.empty()


async def test_half_a_second_head_is_given_up_and_waiting_without_one_is_not() -> None:
    async with a_door(head_timeout_s=0.05) as door:
        quiet, slow = await door.connect(ASK), await door.connect(ASK)
        assert await answered(quiet)
        assert await answered(slow)
        slow[1].write(HALF)
        assert await ended(slow)
        quiet[1].write(ASK)
        assert await answered(quiet), "kept alive: the deadline is for heads, not for idleness"


async def test_a_head_that_came_in_time_may_be_answered_late() -> None:
    async with a_door(head_timeout_s=0.05) as door:
        door.may_answer.clear()
        line = await door.connect(ASK)
        await door.asked.get()
        assert await ended(await door.connect(HALF)), "the deadline has passed since"
        door.may_answer.set()
        assert await answered(line)


async def test_at_the_limit_the_longest_waiting_makes_room() -> None:
    async with a_door(max_connections=3) as door:
        first = await door.connect(ASK)
        assert await answered(first)
        flood = [await door.connect(HALF) for _ in range(30)]
        assert await answered(await door.connect(ASK))
        assert await ended(first)
        assert await ended(flood[0])
        last = flood[-1]
        last[1].write(b"\r\n")
        assert await answered(last), "the newest ones stay"


async def test_strangers_whose_bodies_do_not_end_keep_nobody_out() -> None:
    async with a_door(max_connections=3) as door:
        door.may_answer.clear()
        slow = [await door.connect(SLOW) for _ in range(3)]
        for _ in slow:
            await door.asked.get()
        gate = await door.connect(WHOLE)
        await door.asked.get()
        assert await ended(slow[0])
        flood = [await door.connect(SLOW) for _ in range(6)]
        assert await ended(flood[0])
        door.may_answer.set()
        assert await answered(gate), "it is at work: its body is there"


async def test_work_is_never_interrupted_for_a_newcomer() -> None:
    async with a_door(max_connections=2) as door:
        door.may_answer.clear()
        busy = [await door.connect(ASK), await door.connect(ASK)]
        for _ in busy:
            await door.asked.get()
        assert await ended(await door.connect(ASK))
        door.may_answer.set()
        assert [await answered(line) for line in busy] == [True, True]
        assert await answered(await door.connect(ASK)), "and afterwards there is room again"


async def test_a_long_answer_counts_as_work_until_its_last_byte() -> None:
    async with a_door(max_connections=1) as door:
        door.body = bytes(48 << 20)  # more than sockets and buffers take without a reader
        download = await door.connect(ASK)
        await door.asked.get()
        await download[0].read(1)
        assert await ended(await door.connect(ASK))
        rest = await download[0].readuntil(b"\r\n\r\n")
        assert b"200" in rest
        await download[0].readexactly(len(door.body))


async def test_closed_connections_give_their_room_back() -> None:
    async with a_door(max_connections=2) as door:
        for _ in range(10):
            reader, writer = await door.connect(ASK)
            assert await answered((reader, writer))
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize(
    ("soft", "hard", "then"),
    [(1_024, 1 << 20, OPEN_FILES), (1_024, 4_096, 4_096), (1 << 19, 1 << 20, None)],
)
def test_connections_that_nobody_counts_yet_leave_files_to_open(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, then: int | None
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    allow_open_files()
    assert asked == ([] if then is None else [(then, hard)])
