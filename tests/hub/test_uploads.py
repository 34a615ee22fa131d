"""Slow uploads hold up nobody else's: places are bounded for each device, and so is the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web

from admission.upload import SIGNED_BATCH_CONTENT_TYPE, SIGNED_UPLOAD_PATH
from hub.body import MIN_BODY_BYTES_PER_S, batch_bytes
from hub.errors import SlowUploadError, TooManyUploadsError
from hub.server import listening
from hub.uploads import MAX_UPLOADS_AT_ONCE, MAX_UPLOADS_OF_A_DEVICE, Uploads
from tests.hub.doors import Hub, a_hub
from tests.hub.gates import a_signed_batch, entries_of

LIMIT_S = 10
BATCH = a_signed_batch(entries_of(1))


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as world:
        yield world


async def test_many_slow_bodies_delay_no_gate(hub: Hub) -> None:
    port = int(hub.url.rsplit(":", 1)[1])
    head = (
        f"POST {SIGNED_UPLOAD_PATH} HTTP/1.1\r\nHost: h\r\nContent-Encoding: zstd\r\n"
        f"Content-Type: {SIGNED_BATCH_CONTENT_TYPE}\r\nContent-Length: 1000\r\n\r\nabc"
    ).encode()
    async with asyncio.timeout(LIMIT_S):
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(140)]
        for _, writer in lines:
            writer.write(head)
        assert (await hub.send(BATCH))[0] == 200
    for _, writer in lines:
        writer.close()


async def test_one_device_holds_no_more_places_than_it_may(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = asyncio.Event()

    async def stuck(_: object) -> None:
        await taken.wait()

    add = hub.store.add_entries
    monkeypatch.setattr(hub.store, "add_entries", stuck)
    async with asyncio.timeout(LIMIT_S):
        held = [asyncio.create_task(hub.send(BATCH)) for _ in range(MAX_UPLOADS_OF_A_DEVICE + 1)]
        done, waiting = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
        assert [(await task)[0] for task in done] == [429]
        monkeypatch.setattr(hub.store, "add_entries", add)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_place_is_given_back_whatever_became_of_the_upload() -> None:
    uploads = Uploads()
    for _ in range(MAX_UPLOADS_AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError):
            async with uploads.place("gate-1"):
                raise ZeroDivisionError


async def test_who_waits_for_a_place_counts_too() -> None:
    uploads = Uploads()
    async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stack:
        for number in range(MAX_UPLOADS_AT_ONCE):
            await stack.enter_async_context(uploads.place(f"gate-{number}"))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(MAX_UPLOADS_OF_A_DEVICE):
                tasks.create_task(_upload(uploads, "late"))
            await asyncio.sleep(0)  # both have begun to wait
            with pytest.raises(TooManyUploadsError):
                await _upload(uploads, "late")
            await stack.aclose()
        await _upload(uploads, "late")


async def _upload(uploads: Uploads, device: str) -> None:
    async with uploads.place(device):
        pass


class Slow:
    """A server that reads one body with these limits, and says what it made of it."""

    def __init__(self, timeout_s: float, grace_s: float) -> None:
        self._limits = {"timeout_s": timeout_s, "grace_s": grace_s}

    async def outcome(self, first: bytes, announced: int) -> str:
        seen: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def read(request: web.Request) -> web.Response:
            try:
                await batch_bytes(request, **self._limits)
                seen.set_result("whole")
            except SlowUploadError:
                seen.set_result("slow")
            return web.Response()

        app = web.Application()
        app.router.add_post("/", read)
        async with asyncio.timeout(LIMIT_S), listening(app, "127.0.0.1", 0) as url:
            _, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
            head = (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: zstd\r\n"
                f"Content-Type: {SIGNED_BATCH_CONTENT_TYPE}\r\n"
            )
            writer.write(f"{head}Content-Length: {announced}\r\n\r\n".encode() + first)
            try:
                return await seen
            finally:
                writer.close()


@pytest.mark.parametrize(("timeout_s", "grace_s"), [(0.05, LIMIT_S), (LIMIT_S, 0.05)])
async def test_a_body_that_never_comes_is_given_up(timeout_s: float, grace_s: float) -> None:
    assert await Slow(timeout_s, grace_s).outcome(b"abc", 10) == "slow"


async def test_what_has_come_buys_time_and_no_more_than_that() -> None:
    sent = bytes(MIN_BODY_BYTES_PER_S // 10)
    assert await Slow(LIMIT_S * 2, 0.05).outcome(sent, len(sent) + 1) == "slow"
    assert await Slow(LIMIT_S * 2, 0.05).outcome(BATCH, len(BATCH)) == "whole"
