"""Only a live answer of the hub sets the clock: no replay, no stranger, no answer from long ago."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.instant import ClockTrust
from appliance.clock import BUILD_FLOOR_NS, SystemClock
from appliance.errors import HubUnavailable
from appliance.hub_client import HubRequests, hub_clients
from appliance.hub_time import ASK_AGAIN_S, HubTime
from cache.errors import TimeProofError
from cache.replica.time_proof import TIME_PATH, sign_time
from tests.appliance.certificates import DAY, Authority

SECOND = 1_000_000_000
TRUE_NS = BUILD_FLOOR_NS + 10**16
KEY = Ed25519PrivateKey.generate()


class Hub:
    """Answers what it is told to."""

    def __init__(self) -> None:
        self.answer: Callable[[bytes], web.Response] = self.honest
        self.asked: list[bytes] = []
        self.url = ""

    @staticmethod
    def honest(nonce: bytes) -> web.Response:
        return web.Response(body=sign_time(nonce, TRUE_NS, KEY))

    async def handle(self, request: web.Request) -> web.Response:
        nonce = bytes.fromhex(request.query["nonce"])
        self.asked.append(nonce)
        return self.answer(nonce)


def a_hub_of(hub: Hub) -> web.Application:
    app = web.Application()
    app.router.add_get(TIME_PATH, hub.handle)
    return app


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    runner = web.AppRunner(a_hub_of(hub))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield hub
    await runner.cleanup()


class Gate:
    """A device whose clock nobody keeps, two years slow."""

    def __init__(self, session: HubRequests, hub: Hub, *, ntp: bool = False) -> None:
        self.step_ns = 0
        ticks = itertools.count(5 * SECOND, SECOND // 1000)
        self.clock = SystemClock(
            wall_ns=lambda: TRUE_NS - 700 * 86_400 * SECOND if not ntp else TRUE_NS,
            monotonic_ns=lambda: next(ticks) + self.step_ns,
            synchronised=lambda: ntp,
            rtc=lambda: False,
            boot_id="boot",
        )
        self.waits: list[float] = []
        self.waited = asyncio.Event()
        nonces = itertools.count(1)
        self.time = HubTime(
            session,
            hub.url,
            lambda: [KEY.public_key()],
            self.clock,
            random_bytes=lambda n: next(nonces).to_bytes(n, "little"),
            draw=lambda: 0.0,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.waited.set()
        if len(self.waits) >= 3:
            await asyncio.Event().wait()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_hubs_answer_sets_the_clock(session: aiohttp.ClientSession, hub: Hub) -> None:
    gate = Gate(session, hub)
    assert gate.clock.now().trust is ClockTrust.UNKNOWN
    await gate.time.ask()
    now = gate.clock.now()
    assert now.trust is ClockTrust.SYNCHRONISED
    assert abs(now.wall_ns - TRUE_NS) < SECOND


async def test_a_clock_in_the_past_is_set_over_tls_all_the_same(tmp_path: Path, hub: Hub) -> None:
    authority = Authority(tmp_path / "authority")
    runner = web.AppRunner(a_hub_of(hub))
    await runner.setup()
    context = authority.server_context(since=DAY, until=2 * DAY)  # not valid yet, says the clock
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    hub.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    async with hub_clients(authority.tls(), "") as (client, undated):
        with pytest.raises(HubUnavailable, match="not valid yet"):
            await Gate(client, hub).time.ask()
        gate = Gate(undated, hub)
        await gate.time.ask()
        assert gate.clock.now().trust is ClockTrust.SYNCHRONISED
    await runner.cleanup()


async def test_an_old_answer_cannot_be_served_again(
    session: aiohttp.ClientSession, hub: Hub
) -> None:
    gate = Gate(session, hub)
    replayed = sign_time(b"\x00" * 16, TRUE_NS, KEY)
    hub.answer = lambda _: web.Response(body=replayed)
    with pytest.raises(TimeProofError):
        await gate.time.ask()
    assert gate.clock.now().trust is ClockTrust.UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        lambda nonce: web.Response(body=sign_time(nonce, TRUE_NS, Ed25519PrivateKey.generate())),
        lambda _: web.Response(body=b"\x00" * 100_000),
        lambda _: web.Response(body=b""),
    ],
)
async def test_strangers_and_noise_are_refused(
    session: aiohttp.ClientSession, hub: Hub, answer: Callable[[bytes], web.Response]
) -> None:
    gate = Gate(session, hub)
    hub.answer = answer
    with pytest.raises(TimeProofError):
        await gate.time.ask()
    assert gate.clock.now().trust is ClockTrust.UNKNOWN


async def test_an_answer_that_took_too_long_says_nothing(
    session: aiohttp.ClientSession, hub: Hub
) -> None:
    gate = Gate(session, hub)

    def late(nonce: bytes) -> web.Response:
        gate.step_ns += 6 * SECOND
        return Hub.honest(nonce)

    hub.answer = late
    with pytest.raises(HubUnavailable, match="too long"):
        await gate.time.ask()
    assert gate.clock.now().trust is ClockTrust.UNKNOWN


async def test_a_time_before_a_known_one_is_refused(
    session: aiohttp.ClientSession, hub: Hub
) -> None:
    gate = Gate(session, hub)
    gate.clock.note_head(TRUE_NS + 86_400 * SECOND)
    with pytest.raises(HubUnavailable, match="contradicts"):
        await gate.time.ask()


async def test_it_asks_until_it_is_answered_and_then_rests(
    session: aiohttp.ClientSession, hub: Hub
) -> None:
    gate = Gate(session, hub)
    answers = iter([lambda _: web.Response(status=500), lambda _: web.Response(status=404)])

    def in_turn(nonce: bytes) -> web.Response:
        return next(answers, Hub.honest)(nonce)

    hub.answer = in_turn
    running = asyncio.create_task(gate.time.run())
    async with asyncio.timeout(10):
        while len(gate.waits) < 3:
            gate.waited.clear()
            await gate.waited.wait()
    assert gate.waits == [0.5, 1.0, ASK_AGAIN_S]
    assert gate.time.last_error == ""
    assert len(set(hub.asked)) == 3
    running.cancel()
    await asyncio.wait([running])


async def test_a_clock_that_ntp_keeps_asks_nobody(session: aiohttp.ClientSession, hub: Hub) -> None:
    gate = Gate(session, hub, ntp=True)
    running = asyncio.create_task(gate.time.run())
    await asyncio.wait_for(gate.waited.wait(), 10)
    assert hub.asked == []
    running.cancel()
    await asyncio.wait([running])


async def test_nobody_there_is_said_with_a_hint(session: aiohttp.ClientSession, hub: Hub) -> None:
    gate = Gate(session, hub)
    gate.time._url = "http://127.0.0.1:9/v1/time"
    with pytest.raises(HubUnavailable) as caught:
        await gate.time.ask()
    assert caught.value.hint
