"""The kiosk page in a real browser: what a person in front of it sees, hears, and never sees."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect
from prometheus_client import CollectorRegistry

from admission.instant import ClockTrust
from admission.verdict import Card, LaneState, Outcome, Reason, Text, Verdict
from appliance.health import Finding, Health, Weight
from appliance.web.screen import KioskScreen, keep_status
from appliance.web.server import make_app, serve
from appliance.web.views import SHOWN_MS, Status

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LANDSCAPE, PORTRAIT, PHONE = (1280, 720), (800, 1280), (390, 844)

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong

ADMIT = Verdict(
    Outcome.ADMIT,
    (Reason.CARD_OPENS,),
    Card.GREEN,
    Text("Thực hiện 5K, giữ khoảng cách 2 m", "Keep to 5K and a distance of 2 m"),
)
REFER = Verdict(Outcome.REFER, (Reason.NO_CARD,))
REFUSE = Verdict(Outcome.REFUSE, (Reason.UNRECOGNISED,))
HOLDER = "N***** V** AN"


@pytest.fixture(autouse=True)
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let verdicts stay until something takes them away, however slow this machine is."""
    for outcome in Outcome:
        monkeypatch.setitem(SHOWN_MS, outcome, 600_000)


class Gate:
    """One appliance's kiosk, which can be taken away and brought back on the same port."""

    def __init__(self, *lanes: str, site: str = "", leaving: tuple[str, ...] = ()) -> None:
        self.lanes = lanes
        self.leaving = leaving
        self.site = site
        self.port = 0
        self.url = ""
        self.status = Status(185, 12, ClockTrust.SYNCHRONISED, hub_reachable=True)
        self.health = Health()
        self.screen: KioskScreen

    @contextlib.asynccontextmanager
    async def up(self) -> AsyncIterator[Gate]:
        self.screen = KioskScreen(
            time.monotonic_ns, self.lanes, site=self.site, leaving=self.leaving
        )
        app = make_app(self.screen, self.health, CollectorRegistry())
        faults = lambda: self.health.report().faults  # noqa: E731
        telling = asyncio.create_task(
            keep_status(self.screen, lambda: self.status, faults, every_s=0.1)
        )
        async with serve(app, "127.0.0.1", self.port) as self.url:
            self.port = int(self.url[7:-1].split(":")[1])
            yield self
        telling.cancel()


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, url: str, size: tuple[int, int] = LANDSCAPE, *, touched: bool = True
) -> AsyncIterator[Page]:
    """Yield a page that is connected, touched once so that it may sound.

    Whatever it complains of on its console fails the test.
    """
    complaints: list[str] = []
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda told: complaints.append(told.text))
    await page.goto(url)
    await expect(page.locator("body")).to_have_attribute("data-link", "up")
    if touched:
        await page.mouse.click(5, 5)
        await expect(page.locator("body")).to_have_attribute("data-audio", "on")
    yield page
    await context.close()
    expected = (
        "AudioContext was not allowed",
        "net::ERR_CONNECTION_REFUSED",
        "net::ERR_INCOMPLETE",
    )
    assert [text for text in complaints if not any(part in text for part in expected)] == []


def panel(page: Page, lane: str = "gate-1") -> Any:
    return page.locator(f'.panel[data-lane="{lane}"]')


async def everything_fits(page: Page) -> bool:
    """Return whether no visible text is cut off by its panel or the window."""
    fits: bool = await page.evaluate(
        """() => [...document.querySelectorAll(".panel")].every((panel) => {
          const frame = panel.getBoundingClientRect();
          return [...panel.querySelectorAll("p, img")].every((part) => {
            const box = part.getBoundingClientRect();
            return box.height === 0 || (box.top >= frame.top && box.bottom <= frame.bottom
              && box.left >= frame.left && box.right <= frame.right + 1);
          });
        })"""
    )
    return fits


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
async def test_a_verdict_is_colour_and_shape_and_word_and_sound(
    browser: Browser, size: tuple[int, int]
) -> None:
    async with Gate("gate-1").up() as gate, opened(browser, gate.url, size) as page:
        await expect(panel(page)).to_have_attribute("data-state", "waiting")
        await expect(panel(page)).to_contain_text("Mời đưa mã vào khung")
        await expect(panel(page)).to_contain_text("Please show your code")
        for verdict, colour, vi, en in (
            (ADMIT, "rgb(0, 105, 47)", "MỜI QUA", "GO"),
            (REFER, "rgb(255, 176, 0)", "CHỜ", "PLEASE WAIT"),
            (REFUSE, "rgb(168, 7, 26)", "DỪNG", "STOP"),
        ):
            gate.screen.publish("gate-1", verdict, HOLDER)
            await expect(panel(page)).to_have_attribute("data-state", verdict.outcome)
            await expect(panel(page)).to_have_attribute("data-sound", verdict.outcome)
            await expect(panel(page)).to_have_css("background-color", colour)
            shapes = panel(page).locator("img:visible")
            await expect(shapes).to_have_attribute("src", f"/static/icons/{verdict.outcome}.svg")
            assert await shapes.evaluate("image => image.complete && image.naturalWidth > 0")
            await expect(panel(page).locator(".word [lang=vi]")).to_have_text(vi)
            await expect(panel(page).locator(".word [lang=en]")).to_have_text(en)
            await expect(panel(page).locator(".holder")).to_have_text(HOLDER)
            for part in (".reason", ".next"):
                for language in ("vi", "en"):
                    text = panel(page).locator(f"{part} [lang={language}]")
                    await expect(text).to_be_visible()
                    await expect(text).not_to_be_empty()
            assert await everything_fits(page)


async def test_the_cards_condition_and_the_return_to_waiting(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Gate("gate-1").up() as gate, opened(browser, gate.url) as page:
        gate.screen.publish("gate-1", ADMIT, HOLDER)
        await expect(panel(page).locator(".condition")).to_contain_text("Thực hiện 5K")
        await expect(panel(page).locator(".condition")).to_contain_text("a distance of 2 m")
        await expect(panel(page)).to_have_attribute("data-sound", "admit")
        monkeypatch.setitem(SHOWN_MS, Outcome.REFER, 1_000)
        gate.screen.publish("gate-1", REFER, HOLDER)
        # When its time is over, by the page itself; nobody's name stays.
        await expect(panel(page)).to_have_attribute("data-state", "waiting")
        await expect(panel(page).locator(".holder")).to_be_empty()
        await expect(panel(page)).not_to_contain_text("AN")


async def test_a_hostile_name_is_shown_literally(browser: Browser) -> None:
    name = "<img src=x onerror=alert(1)> <b>A</b>&amp; \u202eN\x00"
    async with Gate("gate-1").up() as gate, opened(browser, gate.url) as page:
        gate.screen.publish("gate-1", REFUSE, name)
        shown = "<img src=x onerror=alert(1)> <b>A</b>&amp; \ufffdN\ufffd"
        await expect(panel(page).locator(".holder")).to_have_text(shown)
        assert await panel(page).locator(".holder *").count() == 0
        gate.screen.publish("gate-1", REFUSE, "W" * 500)
        await expect(panel(page).locator(".holder")).to_contain_text("WWW")
        assert await everything_fits(page)


async def test_an_old_green_never_outlives_the_connection(browser: Browser) -> None:
    gate = Gate("gate-1")
    async with contextlib.AsyncExitStack() as stack:
        async with gate.up():
            page = await stack.enter_async_context(opened(browser, gate.url))
            gate.screen.publish("gate-1", ADMIT, HOLDER)
            await expect(panel(page)).to_have_attribute("data-state", "admit")
        # The appliance is gone, and the green with it, long before its time is over.
        await expect(panel(page)).to_have_attribute("data-state", "lost")
        await expect(page.locator(".banner")).to_be_visible()
        await expect(page.locator(".banner")).to_contain_text("Mất kết nối với máy kiểm soát")
        await expect(panel(page).locator(".holder")).to_be_empty()
        async with gate.up():
            await expect(page.locator("body")).to_have_attribute("data-link", "up")
            await expect(page.locator(".banner")).to_be_hidden()
            await expect(panel(page)).to_have_attribute("data-state", "waiting")
            gate.screen.publish("gate-1", REFUSE, HOLDER)
            await expect(panel(page)).to_have_attribute("data-state", "refuse")


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT], ids=["landscape", "portrait"])
async def test_two_lanes_side_by_side(browser: Browser, size: tuple[int, int]) -> None:
    async with Gate("gate-1", "gate-2").up() as gate, opened(browser, gate.url, size) as page:
        gate.screen.publish("gate-1", ADMIT, HOLDER)
        gate.screen.publish("gate-2", REFER, "T*** BÌNH")
        await expect(panel(page, "gate-1")).to_have_attribute("data-state", "admit")
        await expect(panel(page, "gate-2")).to_have_attribute("data-state", "refer")
        await expect(panel(page, "gate-2").locator(".lane")).to_have_text("gate-2")
        assert await everything_fits(page)


async def test_one_lane_of_two(browser: Browser) -> None:
    gate = Gate("gate-1", "gate-2")
    async with gate.up(), opened(browser, gate.url + "?lane=gate-2") as page:
        gate.screen.publish("gate-1", ADMIT, HOLDER)
        gate.screen.publish("gate-2", REFUSE, HOLDER)
        await expect(panel(page, "gate-2")).to_have_attribute("data-state", "refuse")
        await expect(page.locator(".panel")).to_have_count(1)
        await page.goto(gate.url + "?lane=gate-9")
        await expect(page.locator(".panel")).to_contain_text("gate-1, gate-2")


async def test_out_of_order_takes_a_green_away_and_leaves_a_red(browser: Browser) -> None:
    async with Gate("gate-1", "gate-2").up() as gate, opened(browser, gate.url) as page:
        gate.screen.publish("gate-1", ADMIT, HOLDER)
        gate.screen.publish("gate-2", REFUSE, HOLDER)
        await expect(panel(page, "gate-2")).to_have_attribute("data-state", "refuse")
        for lane in gate.lanes:
            gate.screen.lane_state(lane, LaneState.OUT_OF_ORDER)
        await expect(panel(page)).to_have_attribute("data-state", "out_of_order")
        await expect(panel(page)).to_contain_text("OUT OF ORDER")
        await expect(panel(page)).to_have_attribute("data-sound", "out_of_order")
        await expect(panel(page, "gate-2")).to_have_attribute("data-state", "refuse")
        gate.screen.lane_state("gate-1", LaneState.OPEN)
        await expect(panel(page)).to_have_attribute("data-state", "waiting")


async def test_the_status_line(browser: Browser) -> None:
    async with Gate("gate-1").up() as gate, opened(browser, gate.url) as page:
        line = page.locator(".status")
        await expect(line).to_contain_text("đồng bộ 3 phút trước, 12 chờ gửi")
        await expect(line).to_contain_text("synchronised 3 min ago, 12 pending")
        await expect(line).to_contain_text("Hub: connected")
        await expect(line.locator("[data-item=faults]")).to_be_hidden()
        gate.status = Status(None, 0, ClockTrust.UNKNOWN, hub_reachable=False)
        gate.health.add("source.camera-1", lambda: Finding(ok=False, why="gone"), Weight.NOTE)
        await expect(line).to_contain_text("never synchronised")
        await expect(line).to_contain_text("Hub: unreachable")
        await expect(line).to_contain_text("Clock: not trusted")
        await expect(line).to_contain_text("Needs attention: source.camera-1")


async def test_the_place_is_named(browser: Browser) -> None:
    name = "Siêu thị <b>Tân Định</b>"
    async with Gate("gate-1", site=name).up() as gate, opened(browser, gate.url) as page:
        await expect(page.locator(".site")).to_have_text(name)
        await expect(page).to_have_title(f"{name} · Chốt")


async def test_blocked_sound_asks_for_a_touch_and_then_plays(browser: Browser) -> None:
    async with Gate("gate-1").up() as gate, opened(browser, gate.url, touched=False) as page:
        hint = page.locator(".sound-hint")
        await expect(hint).to_contain_text("Chạm để bật âm thanh")
        gate.screen.publish("gate-1", REFUSE, HOLDER)
        await expect(panel(page)).to_have_attribute("data-sound", "refuse-muted")
        await hint.click()
        await expect(hint).to_be_hidden()
        gate.screen.publish("gate-1", REFER, HOLDER)
        await expect(panel(page)).to_have_attribute("data-sound", "refer")


@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["landscape", "phone"])
async def test_a_full_place_and_the_way_out(browser: Browser, size: tuple[int, int]) -> None:
    gate = Gate("in", "out", leaving=("out",))
    gate.status = msgspec.structs.replace(gate.status, inside=50, capacity=50)
    async with gate.up(), opened(browser, gate.url, size) as page:
        full = Verdict(Outcome.REFUSE, (Reason.ZONE_FULL,), to_leave=3)
        gate.screen.publish("in", full, HOLDER)
        await expect(panel(page, "in").locator(".next [lang=vi]")).to_have_text(
            "Xin chờ 3 người ra."
        )
        await expect(panel(page, "in")).to_contain_text("3 people must leave first")
        await expect(panel(page, "out")).to_contain_text("Mời đưa mã để ra")
        shape = panel(page, "out").locator("img:visible")
        await expect(shape).to_have_attribute("src", "/static/icons/leaving.svg")
        zone = page.locator("[data-item=zone]")
        await expect(zone).to_contain_text("Bên trong: 50 / 50")
        await expect(zone).to_have_attribute("data-level", "note")
        assert await everything_fits(page)


async def test_nothing_is_counted_where_no_capacity_is_set(browser: Browser) -> None:
    async with Gate("gate-1").up() as gate, opened(browser, gate.url) as page:
        await expect(page.locator(".status")).to_contain_text("Hub: connected")
        await expect(page.locator("[data-item=zone]")).to_be_hidden()
