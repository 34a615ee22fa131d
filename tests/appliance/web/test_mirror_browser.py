"""The mirror on the kiosk page: there while somebody waits, out of the way of every verdict."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from prometheus_client import CollectorRegistry

from admission.instant import ClockTrust
from admission.verdict import Outcome, Reason, Verdict
from appliance.health import Health
from appliance.web.mirror import Mirrors
from appliance.web.screen import KioskScreen, keep_status
from appliance.web.server import make_app, serve
from appliance.web.views import SHOWN_MS, Status
from scanner.camera.ladder import read_picture
from scanner.camera.look import Look
from scanner.camera.luma import gray_of
from scanner.camera.port import Gray
from scanner.scenes.camera import SceneCamera
from scanner.scenes.lesson import lesson
from tests.scanner.camera.pictures import gray_frame

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SHOTS = os.environ.get("CHOT_SCREENSHOTS")
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

REFUSE = Verdict(Outcome.REFUSE, (Reason.UNRECOGNISED,))
SIZES = [(1280, 720), (800, 1280), (390, 844)]


def somebody() -> Gray:
    camera = SceneCamera(
        lesson(),
        rng=random.Random(1),
        monotonic_ns=lambda: 0,
        sleep=lambda _: None,
        fps=0.5,
        pause_s=0,
    )
    camera.open()
    camera.read()
    return gray_of(camera.read())


class Kiosk:
    """A kiosk before whose lanes somebody stands and moves, or nobody does."""

    def __init__(self, *lanes: str) -> None:
        self.lanes = lanes
        self.moving = True
        self.gray = somebody()
        self.codes = tuple(read_picture(self.gray))

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[tuple[KioskScreen, str]]:
        mirrors = Mirrors(self.lanes, time.monotonic_ns)
        screen = KioskScreen(time.monotonic_ns, self.lanes, mirrored=mirrors.lanes)
        app = make_app(screen, Health(), CollectorRegistry(), mirrors=mirrors)
        status = Status(5, 0, ClockTrust.SYNCHRONISED, hub_reachable=True)
        tasks = [
            asyncio.create_task(keep_status(screen, lambda: status, lambda: (), every_s=0.1)),
            asyncio.create_task(self._film(mirrors)),
        ]
        async with serve(app, "127.0.0.1", 0) as url:
            yield screen, url
        for task in tasks:
            task.cancel()

    async def _film(self, mirrors: Mirrors) -> None:
        for sequence in itertools.count():
            interval_ns = 50_000_000 if self.moving else 500_000_000
            frame = gray_frame(self.gray, sequence, sequence * interval_ns)
            for lane in self.lanes:
                looked = mirrors.looked(lane)
                assert looked is not None
                looked(Look(frame, self.gray, self.codes, (), 0))
            await asyncio.sleep(0.05)  # the camera's rate, which nothing here waits for


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, url: str, size: tuple[int, int] = (1280, 720)
) -> AsyncIterator[Page]:
    complaints: list[str] = []
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text))
    await page.goto(url)
    await expect(page.locator("body")).to_have_attribute("data-link", "up")
    yield page
    await context.close()
    assert [text for text in complaints if "AudioContext" not in text] == []


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("lanes", [("gate-1",), ("gate-1", "gate-2")], ids=len)
async def test_who_waits_is_seen_beside_the_words_and_a_verdict_takes_the_picture_away(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], lanes: tuple[str, ...]
) -> None:
    monkeypatch.setitem(SHOWN_MS, Outcome.REFUSE, 600_000)
    async with Kiosk(*lanes).up() as (screen, url), opened(browser, url, size) as page:
        panel = page.locator('.panel[data-lane="gate-1"]')
        mirror = panel.locator(".mirror")
        await expect(panel).to_have_attribute("data-mirror", "live")
        assert await mirror.evaluate(NOT_OVER_WORDS)
        assert await mirror.evaluate(IS_MIRRORED)
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"mirror-{size[0]}-{len(lanes)}.png")
        screen.publish("gate-1", REFUSE, "")
        await expect(panel).to_have_attribute("data-state", "refuse")
        await expect(mirror).to_be_hidden()
        await expect(panel).not_to_have_attribute("data-mirror", "live")
        assert await mirror.evaluate(IS_BLANK)


async def test_it_fades_when_nothing_moves_and_comes_back(browser: Browser) -> None:
    kiosk = Kiosk("gate-1")
    async with kiosk.up() as (_, url), opened(browser, url) as page:
        mirror = page.locator(".mirror")
        await expect(mirror).to_have_css("opacity", "1")
        kiosk.moving = False
        await expect(mirror).to_have_css("opacity", "0")
        kiosk.moving = True
        await expect(mirror).to_have_css("opacity", "1")


async def test_without_one_the_page_asks_for_nothing(browser: Browser) -> None:
    screen = KioskScreen(time.monotonic_ns, ["gate-1"])
    asked: list[str] = []
    async with serve(make_app(screen, Health(), CollectorRegistry()), "127.0.0.1", 0) as url:
        context = await browser.new_context()
        page = await context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(url)
        await expect(page.locator(".panel")).to_have_attribute("data-state", "waiting")
        await context.close()
    assert not [each for each in asked if "picture" in each]


IS_MIRRORED = """(mirror) => new DOMMatrix(getComputedStyle(mirror).transform).a === -1"""
IS_BLANK = """(mirror) => mirror.getContext("2d")
  .getImageData(0, 0, mirror.width, mirror.height).data.every((value) => value === 0)"""
NOT_OVER_WORDS = """(mirror) => {
  const box = mirror.getBoundingClientRect();
  const panel = mirror.closest(".panel");
  const frame = panel.getBoundingClientRect();
  return box.width > 60 && box.right <= frame.right && box.bottom <= frame.bottom
    && [...panel.querySelectorAll(".text span, .lane")].every((part) => {
      const range = document.createRange();
      range.selectNodeContents(part);
      const words = range.getBoundingClientRect();
      return words.width === 0 || words.right <= box.left || words.left >= box.right
        || words.bottom <= box.top || words.top >= box.bottom;
    });
}"""
