"""The uplink's transport against real sockets: a hub, a proxy or a stranger that misbehaves."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from admission.upload import MAX_MARK_BYTES, SIGNED_BATCH_CONTENT_TYPE, SIGNED_UPLOAD_PATH
from appliance.errors import HubRefused, HubUnavailable
from appliance.hub_answer import MAX_WORDS
from appliance.hub_client import HubClient
from appliance.uplink_http import MAX_RETRY_AFTER_S, HttpTransport
from tests.appliance.hub_server import Handler, answering
from tests.appliance.uplink_ends import FakeHub, FakeJournal, Gate
from tests.worlds import ManualClock


@asynccontextmanager
async def a_hub(handler: Handler) -> AsyncIterator[HttpTransport]:
    application = web.Application(client_max_size=1 << 22)
    application.router.add_post(SIGNED_UPLOAD_PATH, handler)
    runner = web.AppRunner(application, auto_decompress=False, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    try:
        async with HubClient() as client:
            yield HttpTransport(client, f"http://{host}:{port}/", ManualClock())
    finally:
        await runner.cleanup()


async def begun(request: web.Request, **headers: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={k.replace("_", "-"): v for k, v in headers.items()})
    await response.prepare(request)
    return response


async def endless(request: web.Request) -> web.StreamResponse:
    response = await begun(request)
    try:
        while True:
            await response.write(b"x" * 4_096)
    except ConnectionError:
        return response


async def half_an_answer(request: web.Request) -> web.StreamResponse:
    response = await begun(request, Content_Length="100")
    await response.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return response


async def cut_before_an_answer(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut_in_the_body(request: web.Request) -> web.StreamResponse:
    await request.content.readany()
    return await cut_before_an_answer(request)


async def test_a_batch_travels_as_it_was_packed() -> None:
    seen: dict[str, str] = {}

    async def handler(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.Response(body=await request.read())

    async with a_hub(handler) as transport:
        assert (await transport.post_entries(b"the batch")).body == b"the batch"
    assert seen["Content-Type"] == SIGNED_BATCH_CONTENT_TYPE
    assert (seen["Content-Encoding"], seen["Accept-Encoding"]) == ("zstd", "identity")
    assert "Authorization" not in seen


async def test_a_compressed_answer_is_not_inflated() -> None:
    bomb = zlib.compress(bytes(1 << 20))
    headers = {"Content-Encoding": "deflate"}
    async with a_hub(answering(body=bomb, headers=headers)) as transport:
        assert (await transport.post_entries(b"")).body == bomb


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (endless, f"longer than {MAX_MARK_BYTES}"),
        (answering(body=bytes(MAX_MARK_BYTES + 1)), f"longer than {MAX_MARK_BYTES}"),
        (half_an_answer, "broke off"),
        (cut_before_an_answer, "cut"),
        (cut_in_the_body, "cut"),
    ],
)
async def test_an_answer_that_is_none_is_told(handler: Handler, said: str) -> None:
    async with a_hub(handler) as transport:
        with pytest.raises(HubUnavailable, match=said) as caught:
            await transport.post_entries(bytes(1 << 20))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("status", "hint"),
    [(301, "hub.url"), (307, "hub.url"), (400, "older"), (401, "enrol"), (403, "chot enrol"),
     (404, "hub.url"), (413, "1 MiB"), (415, "update"), (429, "busy"), (500, "log"), (503, "busy")],
)  # fmt: skip
async def test_a_refusal_is_told_with_what_to_do(status: int, hint: str) -> None:
    headers = {"Location": "http://127.0.0.1:1/"}  # which nobody goes to
    async with a_hub(answering(status=status, headers=headers)) as transport:
        with pytest.raises(HubRefused, match=f"answered {status}") as caught:
            await transport.post_entries(b"")
    assert hint in caught.value.hint
    assert caught.value.retry_after_s == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":"the device is denied"}', "403: the device is denied"),
        (b'{"error":"\\u001b[2J red"}', "403: \N{REPLACEMENT CHARACTER}[2J red"),
        (b'{"error":["a"]}', "403"),
        (b"[[[", "403"),
        (b'{"error":"' + b"x" * 3_000 + b'"}', "403: " + "x" * MAX_WORDS),
    ],
)
async def test_the_hubs_own_words_are_shown_harmlessly(body: bytes, said: str) -> None:
    async with a_hub(answering(status=403, body=body)) as transport:
        with pytest.raises(HubRefused) as caught:
            await transport.post_entries(b"")
    assert str(caught.value) == f"the hub answered {said}"


@pytest.mark.parametrize(
    ("asked", "wait_s"),
    [
        ("7", 7.0),
        ("99999999999999999999", 0.0),
        ("86400", MAX_RETRY_AFTER_S),
        ("-5", 0.0),
        ("٣", 0.0),
        ("soon", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER_S),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
async def test_how_long_to_stay_away_is_believed_within_bounds(asked: str, wait_s: float) -> None:
    headers = {"Retry-After": asked}
    async with a_hub(answering(status=503, headers=headers)) as transport:
        with pytest.raises(HubRefused) as caught:
            await transport.post_entries(b"")
    assert caught.value.retry_after_s == wait_s


async def test_an_answer_that_trickles_is_given_up_at_the_bound() -> None:
    given_up = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = await begun(request, Content_Length="200")
        try:
            while not given_up.is_set():
                await response.write(b"x")
                await asyncio.sleep(0.01)
        except ConnectionError:
            given_up.set()
        return response

    async with a_hub(handler) as transport:
        gate = Gate(FakeJournal(1), transport, attempt_s=0.1)  # type: ignore[arg-type]
        await gate.run_until(lambda: bool(gate.sleeps))
    assert "did not answer within 0.1 s" in gate.uplink.status().last_error


async def test_a_closed_way_is_told() -> None:
    client = HubClient()
    with pytest.raises(HubUnavailable):
        await HttpTransport(client, "http://127.0.0.1:1", ManualClock()).post_entries(b"")


async def test_nothing_is_lost_or_doubled_on_the_way_through_all_of_it() -> None:
    hub, turn = FakeHub(), asyncio.Lock()

    async def honest(request: web.Request) -> web.Response:
        async with turn:
            return web.Response(body=(await hub.post_entries(await request.read())).body)

    async def taken_but_cut(request: web.Request) -> web.StreamResponse:
        await honest(request)
        return await cut_before_an_answer(request)

    async def taken_but_garbled(request: web.Request) -> web.Response:
        return web.Response(body=(await honest(request)).body[:-3])  # type: ignore[index]

    async def taken_twice(request: web.Request) -> web.Response:
        await honest(request)
        return await honest(request)

    script: list[Handler] = [
        honest,
        cut_in_the_body,
        taken_but_cut,
        answering(status=500),
        half_an_answer,
        taken_but_garbled,
        endless,
        answering(status=302, headers={"Location": "/elsewhere"}),
        taken_twice,
        answering(body=b"<html>sign in</html>"),
        answering(status=429, headers={"Retry-After": "5"}),
    ]

    async def handler(request: web.Request) -> web.StreamResponse:
        return await (script.pop(0) if script else honest)(request)

    async with a_hub(handler) as transport:
        gate = Gate(FakeJournal(3_500), transport)  # type: ignore[arg-type]
        await gate.run_until_settled()
    assert not script
    assert list(hub.held.values()) == gate.journal.entries
    assert hub.conflicts == 0
    assert gate.uplink.status().failures == 0
