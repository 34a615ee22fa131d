"""The kiosk's mirror: who stands there sees themselves, and nobody sees anything that was."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator

import aiohttp
import cv2
import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from appliance.health import Health
from appliance.web import mirror
from appliance.web.mirror import Mirrors
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve
from scanner.camera.ladder import read_picture, read_texts
from scanner.camera.look import Look
from tests.scanner.camera.pictures import canvas, gray_frame, scene


def look(sequence: int, interval_ns: int = 66_000_000) -> Look:
    gray = canvas(1280, 720)
    frame = gray_frame(gray, sequence, captured_ns=sequence * interval_ns)
    return Look(frame, gray, (), (), 0)


@contextlib.asynccontextmanager
async def kiosk(*lanes: str) -> AsyncIterator[tuple[Mirrors, aiohttp.ClientSession, str]]:
    ticks = itertools.count(1_000_000_000, 1_000)
    mirrors = Mirrors(lanes, lambda: next(ticks))
    screen = KioskScreen(lambda: next(ticks), ["gate-1", "gate-2"], mirrored=mirrors.lanes)
    app = make_app(screen, Health(), CollectorRegistry(), mirrors=mirrors)
    async with serve(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        yield mirrors, session, url


async def film(mirrors: Mirrors, interval_ns: int) -> None:
    """Send looks as a decode thread does, for ever."""
    looked = mirrors.looked("gate-1")
    assert looked is not None
    for sequence in itertools.count():
        thread = threading.Thread(target=looked, args=(look(sequence, interval_ns),))
        thread.start()
        await asyncio.sleep(0.02)
        thread.join()


async def asked(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientResponse:
    return await session.get(f"{url}lanes/gate-1/picture?after=0")


async def test_whoever_moves_is_shown_small_and_unstored() -> None:
    async with kiosk("gate-1") as (mirrors, session, url):
        filming = asyncio.create_task(film(mirrors, 66_000_000))
        response = await asked(session, url)
        filming.cancel()
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert int(response.headers["X-Number"]) >= 1
        picture = cv2.imdecode(np.frombuffer(await response.read(), np.uint8), 0)
        assert picture.shape == (225, 400)


def test_no_code_can_be_copied_from_the_mirror() -> None:
    gray = scene("SECRET", module_px=10)
    seen = tuple(read_picture(gray))
    assert [code.text for code in seen] == ["SECRET"]
    bare = mirror.reflected(Look(gray_frame(gray), gray, (), (), 0))
    assert read_texts(bare) == ["SECRET"]  # it would have been readable, small as it is
    assert read_texts(mirror.reflected(Look(gray_frame(gray), gray, seen, (), 0))) == []
    places = (seen[0].quad,)
    assert read_texts(mirror.reflected(Look(gray_frame(gray), gray, (), places, 0))) == []
    far = ((-9e3, -9e3), (9e3, -9e3), (9e3, 9e3), (-9e3, 9e3))
    mirror.reflected(Look(gray_frame(gray), gray, (), (far,), 0))


async def test_a_still_scene_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "WAIT_S", 0.4)
    async with kiosk("gate-1") as (mirrors, session, url):
        filming = asyncio.create_task(film(mirrors, 500_000_000))
        response = await asked(session, url)
        filming.cancel()
        assert (response.status, await response.read()) == (204, b"")


async def test_without_a_mirror_there_is_nothing_to_see() -> None:
    async with kiosk() as (mirrors, session, url):
        assert mirrors.looked("gate-1") is None
        assert (await asked(session, url)).status == 404
    async with kiosk("gate-1") as (_, session, url):
        for path, status in (
            ("lanes/gate-2/picture", 404),
            ("lanes/gate-1/picture?after=x", 400),
            ("lanes//picture", 404),
        ):
            async with session.get(url + path) as response:
                assert response.status == status
        foreign = {"Host": "evil.example"}
        async with session.get(url + "lanes/gate-1/picture", headers=foreign) as response:
            assert response.status == 421


async def test_a_page_is_told_which_lanes_have_one() -> None:
    async with kiosk("gate-1") as (_, session, url):
        async with session.get(url + "events") as events:
            while not (line := await events.content.readline()).startswith(b"data: "):
                pass
        hello = msgspec.json.decode(line.removeprefix(b"data: "))
        assert hello["mirrored"] == ["gate-1"]


async def test_nothing_is_kept_once_it_is_closed() -> None:
    async with kiosk("gate-1") as (mirrors, session, url):
        filming = asyncio.create_task(film(mirrors, 66_000_000))
        await asked(session, url)
        filming.cancel()
        mirrors.close()
        assert (await asked(session, url)).status == 204
