"""The preview page in a real browser: what a technician sees, at a desk and on a phone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect

from admission.reading import Reading, Symbology
from appliance.web import preview_screen
from appliance.web.preview import serve_preview
from appliance.web.preview_screen import PreviewScreen
from appliance.web.preview_view import Figures
from scanner.camera.look import Look
from scanner.camera.port import Gray
from scanner.camera.sighting import Quad, Sighting
from scanner.camera.steady import Steady
from tests.scanner.camera.mounted import TEXT, View, seen
from tests.scanner.camera.pictures import canvas, gray_frame, place

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WIDE, PHONE = (1280, 720), (390, 844)
SHOTS = os.environ.get("CHOT_SCREENSHOTS")
"""A folder for pictures of what is tested, for people to look at."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let advice change at once: how long it stays is tested where it is decided."""
    monkeypatch.setattr(preview_screen, "Steady", lambda: Steady(0))


expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

GREEN, AMBER, RED, NAVY = (
    "rgb(0, 105, 47)", "rgb(255, 176, 0)", "rgb(168, 7, 26)", "rgb(18, 48, 74)",
)  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)> <b>A</b>\u202e" + "W" * 300


def in_view(view: View, text: str = TEXT, *, read: bool = True) -> Look:
    code, quad = seen(view)
    gray = place(canvas(1280, 720, 128), code[:720, :1280], 400, 60)
    a, b, c, d = ((x + 400, y + 60) for x, y in quad)
    moved: Quad = (a, b, c, d)
    told = Sighting(
        text, Symbology.QR_CODE, "adaptive-half", moved, version=6, level="M",
        module_px=view.module_px,
    )  # fmt: skip
    return Look(
        gray_frame(gray), gray, (told,) if read else (), () if read else (moved,), 1_234_567
    )


def nothing(gray: Gray) -> Look:
    return Look(gray_frame(gray), gray, (), (), 400_000)


class Scan:
    """A scan whose cameras see what the test says, over and over."""

    def __init__(self, *names: str) -> None:
        self.names = names or ("door-camera",)
        self.look = {name: nothing(canvas(1280, 720)) for name in self.names}
        self.figures = {name: Figures(up=True, frames=90) for name in self.names}
        self.late: Reading | None = None
        self.url = ""

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[Scan]:
        screen = PreviewScreen(self.names, time.monotonic_ns)
        screen.start({name: self._told(name) for name in self.names})
        filming = asyncio.create_task(self._film(screen))
        async with serve_preview(screen, "127.0.0.1", 0) as self.url:
            try:
                yield self
            finally:
                screen.close()
                filming.cancel()

    def _told(self, name: str) -> Callable[[], Figures]:
        return lambda: self.figures[name]

    async def _film(self, screen: PreviewScreen) -> None:
        for sequence in range(10**9):
            for name in self.names:
                look, now_ns = self.look[name], time.monotonic_ns()
                frame = msgspec.structs.replace(look.frame, sequence=sequence, captured_ns=now_ns)
                if self.late is not None:
                    screen.heard(msgspec.structs.replace(self.late, captured_ns=now_ns))
                if self.figures[name].up:
                    screen.looked(name)(msgspec.structs.replace(look, frame=frame))
            await asyncio.sleep(0.05)  # the camera's rate, which nothing here waits for


@contextlib.asynccontextmanager
async def opened(browser: Browser, url: str, size: tuple[int, int] = WIDE) -> AsyncIterator[Page]:
    """Yield a connected page. Whatever it complains of on its console fails the test."""
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text))
    await page.goto(url)
    await expect(page.locator("body")).to_have_attribute("data-link", "up")
    yield page
    await context.close()
    assert [text for text in complaints if "net::ERR_CONNECTION_REFUSED" not in text] == []


async def shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def nothing_is_cut(page: Page) -> bool:
    fits: bool = await page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth
          && [...document.querySelectorAll(".advice p, .advice li, .gauge span, dd, dt")].every(
            (part) => part.scrollWidth <= part.clientWidth + 1
              || getComputedStyle(part).display === "inline")"""
    )
    return fits


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
async def test_every_advice_is_colour_and_sign_and_words_in_both_languages(
    browser: Browser, size: tuple[int, int]
) -> None:
    def unread(**view: float) -> Look:
        return in_view(View(**view), read=False)

    states = {
        "fine": (in_view(View(module_px=5)), "ok", GREEN, "Tốt", "Fine"),
        "rather-far": (in_view(View(module_px=2.4)), "note", AMBER, "Hơi xa: 2,4", "Rather far"),
        "too-far": (unread(module_px=1.6), "bad", RED, "Quá xa", "Too far"),
        "too-dark": (unread(dark=8, light=30), "bad", RED, "Quá tối", "Too dark"),
        "too-bright": (unread(dark=228, light=250), "bad", RED, "Quá sáng", "Too bright"),
        "glare": (unread(glare=0.3), "bad", RED, "Lóa sáng", "Glare on"),
        "contrast": (
            unread(dark=100, light=122, noise=1),
            "bad",
            RED,
            "Tương phản",
            "Low contrast",
        ),
        "focus": (unread(blur=0.75), "bad", RED, "Chưa nét", "Focus"),
        "motion": (unread(smear=2.2), "bad", RED, "Nhòe do chuyển động", "Motion blur"),
        "unread": (unread(), "bad", RED, "Thấy mã", "A code is seen"),
        "no-code": (nothing(canvas(1280, 720)), "none", NAVY, "Chưa thấy mã", "No code in view"),
        "dark-room": (nothing(canvas(1280, 720, 12)), "none", NAVY, "Chưa thấy mã", "No code"),
    }
    async with Scan().up() as scan, opened(browser, scan.url, size) as page:
        for name, (look, level, colour, vi, en) in states.items():
            scan.look["door-camera"] = look
            await expect(page.locator(".first [lang=vi]")).to_contain_text(vi)
            await expect(page.locator(".first [lang=en]")).to_contain_text(en)
            await expect(page.locator("body")).to_have_attribute("data-level", level)
            await expect(page.locator(".advice")).to_have_css("background-color", colour)
            await expect(page.locator(".sign g:visible")).to_have_attribute("data-for", level)
            assert await nothing_is_cut(page), name
            await shot(page, f"{name}-{size[0]}")
        await expect(page.locator(".more")).to_contain_text("Too dark")


async def test_the_code_is_outlined_where_it_is_with_its_rung_and_figures(
    browser: Browser,
) -> None:
    async with Scan().up() as scan, opened(browser, scan.url) as page:
        look = scan.look["door-camera"] = in_view(View(module_px=5))
        polygon = page.locator(".marks polygon.read")
        await expect(polygon).to_have_count(1)
        points = await polygon.get_attribute("points")
        assert points is not None
        corners = [tuple(float(n) for n in pair.split(",")) for pair in points.split(" ")]
        assert corners == [(round(x, 1), round(y, 1)) for x, y in look.sightings[0].quad]
        assert await page.locator(".marks").get_attribute("viewBox") == "0 0 1280 720"
        await expect(page.locator(".marks text")).to_contain_text("adaptive-half")
        await expect(page.locator(".codes li")).to_contain_text("qr_code v6-M")
        await expect(page.locator(".figures")).to_contain_text("1.2 ms")
        await expect(page.locator(".gauge").first).to_have_attribute("data-level", "ok")
        await expect(page.locator(".gauge").first).to_contain_text("5,0 px/ô")
        drawn = await page.evaluate(
            """() => { const c = document.querySelector("canvas");
              const at = (x, y) => c.getContext("2d").getImageData(x, y, 1, 1).data[0];
              return [c.width, c.height, at(5, 5)]; }"""
        )
        assert drawn[:2] == [960, 540]
        assert abs(drawn[2] - 128) < 4
        scan.look["door-camera"] = in_view(View(), read=False)
        await expect(page.locator(".marks polygon.unread")).to_have_count(1)
        await expect(page.locator(".codes li")).to_have_class("stale")


async def test_what_the_slow_lane_has_read_is_said(browser: Browser) -> None:
    async with Scan().up() as scan, opened(browser, scan.url) as page:
        scan.look["door-camera"] = in_view(View(), read=False)
        await expect(page.locator(".first")).to_contain_text("A code is seen but not read")
        scan.late = Reading("CREASED", Symbology.QR_CODE, "door-camera", 0, "nonplanar")
        await expect(page.locator(".first")).to_contain_text("Read, but slowly")
        await expect(page.locator(".codes li")).to_contain_text("CREASED")
        await expect(page.locator(".codes li")).to_contain_text("nonplanar")


async def test_what_a_code_says_is_text_and_fits(browser: Browser) -> None:
    async with Scan().up() as scan, opened(browser, scan.url, PHONE) as page:
        scan.look["door-camera"] = in_view(View(), HOSTILE)
        await expect(page.locator(".codes li")).to_contain_text("<img src=x onerror=alert(1)>")
        assert await page.locator(".codes li img, .marks img, .marks b").count() == 0
        assert await nothing_is_cut(page)


async def test_a_lost_camera_and_a_lost_scan_are_said(browser: Browser) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with Scan().up() as scan:
            page = await stack.enter_async_context(opened(browser, scan.url))
            await expect(page.locator(".first")).to_contain_text("No code in view")
            scan.figures["door-camera"] = Figures(up=False, failure="/dev/video0 is not there")
            await expect(page.locator(".first")).to_contain_text("The camera does not answer")
            await expect(page.locator(".more")).to_contain_text("/dev/video0 is not there")
            await expect(page.locator("body")).to_have_attribute("data-level", "bad")
            await shot(page, "lost-camera")
        await expect(page.locator("body")).to_have_attribute("data-link", "lost")
        await expect(page.locator(".first")).to_contain_text("Mất kết nối")
        for old_news in (".picture", ".side"):
            await expect(page.locator(old_news)).to_have_css("opacity", "0.3")
        await shot(page, "lost-scan")


async def test_two_cameras_are_two_tabs(browser: Browser) -> None:
    scan = Scan("left", "right")
    scan.figures["right"] = Figures(up=False, failure="gone")
    scan.look["left"] = in_view(View(module_px=5))
    async with scan.up(), opened(browser, scan.url) as page:
        tabs = page.locator(".cameras button")
        await expect(tabs).to_have_text(["left", "right"])
        await expect(tabs.nth(0)).to_have_attribute("aria-current", "true")
        await expect(tabs.nth(1)).to_have_attribute("data-up", "false")
        await expect(page.locator(".first")).to_contain_text("Fine")
        await shot(page, "tabs")
        await tabs.nth(1).click()
        await expect(page.locator(".first")).to_contain_text("does not answer")
        await expect(tabs.nth(1)).to_have_attribute("aria-current", "true")
        await expect(page.locator(".marks polygon")).to_have_count(0)
