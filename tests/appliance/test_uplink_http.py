"""The uplink's HTTP transport against real sockets: headers, bounds, and a hub that misbehaves."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from admission.wire import BATCH_CONTENT_TYPE, MAX_ACKNOWLEDGEMENT_BYTES, UPLOAD_PATH
from appliance.errors import HubUnavailable
from appliance.uplink_http import HttpTransport

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("secret-token\n")
    path.chmod(0o600)
    return path


@asynccontextmanager
async def a_hub(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post(UPLOAD_PATH, handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}/"
    finally:
        await runner.cleanup()


async def test_a_batch_travels_deflated_with_the_token(token_file: Path) -> None:
    seen: dict[str, str] = {}

    async def handler(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.Response(body=await request.read())

    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        answer = await transport.post_entries(zlib.compress(b"the batch"))
    assert (answer.status, answer.body) == (200, b"the batch")
    assert seen["Authorization"] == "Bearer secret-token"
    assert seen["Content-Type"] == BATCH_CONTENT_TYPE
    assert seen["Content-Encoding"] == "deflate"


async def test_statuses_are_answers_and_redirects_are_not_followed(token_file: Path) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})

    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        assert (await transport.post_entries(b"")).status == 307


async def test_an_endless_answer_is_cut_off(token_file: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 4_096)
        except ConnectionError:
            return response

    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        with pytest.raises(HubUnavailable, match=str(MAX_ACKNOWLEDGEMENT_BYTES)):
            await transport.post_entries(b"")


async def test_a_compressed_answer_is_not_inflated(token_file: Path) -> None:
    bomb = zlib.compress(bytes(1 << 20))

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "deflate"})

    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        assert (await transport.post_entries(b"")).body == bomb


async def test_a_connection_cut_in_the_answer_is_told(token_file: Path) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        with pytest.raises(HubUnavailable) as caught:
            await transport.post_entries(b"")
    assert caught.value.hint


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nowhere.invalid", "nonsense"])
async def test_a_hub_that_cannot_be_reached_is_told(url: str, token_file: Path) -> None:
    async with HttpTransport(url, token_file) as transport:
        with pytest.raises(HubUnavailable) as caught:
            await transport.post_entries(b"")
    assert caught.value.hint


async def test_a_new_token_counts_without_a_restart(token_file: Path) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["Authorization"])

    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        await transport.post_entries(b"")
        token_file.write_text("renewed")  # noqa: ASYNC240
        assert (await transport.post_entries(b"")).body == b"Bearer renewed"


@pytest.mark.parametrize("harm", ["missing", "empty", "readable by others"])
async def test_without_a_token_that_may_be_used_nothing_is_sent(
    harm: str, token_file: Path
) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise AssertionError("a request was sent")

    if harm == "missing":
        token_file.unlink()  # noqa: ASYNC240
    elif harm == "empty":
        token_file.write_text("")  # noqa: ASYNC240
    else:
        token_file.chmod(0o644)  # noqa: ASYNC240
    async with a_hub(handler) as url, HttpTransport(url, token_file) as transport:
        with pytest.raises(HubUnavailable) as caught:
            await transport.post_entries(b"")
    assert caught.value.hint
