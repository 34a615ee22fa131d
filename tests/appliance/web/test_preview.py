"""The preview's server: the newest look, to those who watch, and to nobody else."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest

from appliance.errors import PortInUseError
from appliance.web import preview, preview_screen
from appliance.web.darkroom import compressed
from appliance.web.preview import serve_preview
from appliance.web.preview_screen import PreviewScreen
from appliance.web.preview_view import Figures
from scanner.camera.ladder import read_picture
from scanner.camera.look import Look
from scanner.camera.port import Gray
from tests.scanner.camera.pictures import canvas, gray_frame, scene

Answer = tuple[dict[str, Any], bytes]


def a_look(gray: Gray, sequence: int = 0) -> Look:
    return Look(gray_frame(gray, sequence), gray, tuple(read_picture(gray)), (), 1_000_000)


class Camera:
    """Sends looks as a decode thread does, until one has come out at the other end."""

    def __init__(self, screen: PreviewScreen, name: str) -> None:
        self._looked = screen.looked(name)

    def send(self, gray: Gray, sequence: int = 0) -> None:
        thread = threading.Thread(target=self._looked, args=(a_look(gray, sequence),))
        thread.start()
        thread.join()


@asynccontextmanager
async def watched(
    *names: str, figures: Figures | None = None
) -> AsyncIterator[tuple[PreviewScreen, aiohttp.ClientSession, str]]:
    ticks = itertools.count(1_000_000_000, 1_000)
    screen = PreviewScreen(names or ("door",), lambda: next(ticks))
    screen.start({name: lambda: figures or Figures(up=True, frames=9) for name in screen.names})
    async with serve_preview(screen, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        try:
            yield screen, session, url
        finally:
            screen.close()


async def asked(
    session: aiohttp.ClientSession, url: str, camera: int = 0, after: object = 0
) -> Answer:
    async with session.get(f"{url}cameras/{camera}/look?after={after}") as response:
        assert response.status == 200, await response.text()
        line, _, picture = (await response.read()).partition(b"\n")
        return json.loads(line), picture


async def shown(
    screen: PreviewScreen, session: aiohttp.ClientSession, url: str, **ask: Any
) -> Answer:
    """Ask until a look comes: the first question is what makes the camera's looks be kept."""
    waiting = asyncio.create_task(asked(session, url, **ask))
    while not waiting.done():
        Camera(screen, screen.names[ask.get("camera", 0)]).send(scene("HELLO"), 7)
        await asyncio.wait([waiting], timeout=0.05)
    return await waiting


async def test_a_look_comes_with_its_picture_its_codes_and_advice() -> None:
    async with watched() as (screen, session, url):
        view, picture = await shown(screen, session, url)
        assert (view["cameras"], view["up"], view["camera"]) == (["door"], [True], 0)
        assert view["figures"]["frames"] == 9
        assert [mark["text"] for mark in view["look"]["read"]] == ["HELLO"]
        assert view["look"]["sequence"] == 7
        assert view["look"]["advice"][0]["code"] == "fine"
        assert view["look"]["advice"][0]["text"]["vi"]
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert decoded.shape == (480, 640)


async def test_without_a_new_look_the_figures_still_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "WAIT_S", 0.01)
    lost = Figures(up=False, failure="no frame comes any more")
    async with watched(figures=lost) as (screen, session, url):
        view, picture = await asked(session, url)
        assert (view["look"], picture) == (None, b"")
        assert view["figures"]["failure"] == "no frame comes any more"
        first, _ = await shown(screen, session, url)
        again, picture = await asked(session, url, after=first["number"])
        assert (again["look"], again["number"], picture) == (None, first["number"], b"")


async def test_nothing_is_kept_or_drawn_while_nobody_watches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preview_screen, "quality_of", lambda *_: pytest.fail("measured for nobody"))
    async with watched() as (screen, _, _):
        Camera(screen, "door").send(scene("SECRET"))
        darkroom = screen._darkrooms["door"]
        assert darkroom._mailbox.take(0) is None
        assert darkroom._newest is None


async def test_each_camera_has_its_own_looks() -> None:
    async with watched("left", "right") as (screen, session, url):
        view, _ = await shown(screen, session, url, camera=1)
        assert (view["cameras"], view["camera"]) == (["left", "right"], 1)
        assert screen._darkrooms["left"]._newest is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("cameras/9/look", 404),
        ("cameras/-1/look", 404),
        ("cameras/0/look?after=x", 400),
        ("cameras/0/look?after=9999999999999", 400),
        ("static/kiosk.js", 404),
        ("static/icons/admit.svg", 200),
        ("", 200),
    ],
)
async def test_paths_are_few_and_bound_to_the_page(path: str, status: int) -> None:
    async with watched() as (_, session, url), session.get(url + path) as response:
        assert response.status == status
        if status == 200:
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'")
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_foreign_name_is_not_answered() -> None:
    async with watched() as (_, session, url):
        foreign = {"Host": "evil.example"}
        async with session.get(url + "cameras/0/look", headers=foreign) as response:
            assert response.status == 421


async def test_only_so_many_may_wait_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MAX_WAITING", 2)
    monkeypatch.setattr(preview, "WAIT_S", 30)
    async with watched() as (screen, session, url):
        waiting = [asyncio.create_task(asked(session, url)) for _ in range(2)]
        while True:  # until both have arrived
            async with session.get(url + "cameras/0/look?after=x") as response:
                assert response.status == 400
            async with asyncio.timeout(5), session.get(url + "cameras/0/look") as response:
                if response.status == 503:
                    break
        screen.close()  # lets those who wait go, long before their time
        for view, picture in await asyncio.gather(*waiting):
            assert (view["look"], picture) == (None, b"")


async def test_the_usual_port_gives_way_and_a_named_one_does_not(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(preview, "PORT", unused_tcp_port)
    screen = PreviewScreen(("door",), lambda: 0)
    async with serve_preview(screen, "127.0.0.1") as first:
        assert first == f"http://127.0.0.1:{unused_tcp_port}/"
        async with serve_preview(screen, "127.0.0.1") as second:
            assert second != first
        with pytest.raises(PortInUseError):
            async with serve_preview(screen, "127.0.0.1", unused_tcp_port):
                pass


def test_pictures_are_scaled_down_and_never_up() -> None:
    for size, expected in (
        ((1920, 1080), (540, 960)),
        ((320, 240), (240, 320)),
        ((4, 3000), (960, 1)),
    ):
        picture = compressed(canvas(*size), 960, 70)
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert decoded.shape == expected
