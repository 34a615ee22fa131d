"""The desk in a real browser: an officer signs in, decides and corrects in two taps each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from playwright.async_api import Browser, Page, expect
from prometheus_client import CollectorRegistry

from admission.credential import Doubt
from admission.verdict import Outcome, Reason, Verdict
from appliance.health import Health
from appliance.web.desk import DeskPages
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve
from tests.appliance.desk.desk_world import ADMITTED, ISOLATED, REFERRED, SITE, DeskWorld

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE, DESK = (390, 844), (1280, 720)
TOUCH_PX = 44
"""Smallest target of a finger (WCAG 2.2, 2.5.5)."""

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@contextlib.asynccontextmanager
async def opened(browser: Browser, world: DeskWorld, size: tuple[int, int]) -> AsyncIterator[Page]:
    """Yield the desk's page. Whatever it complains of on its console fails the test."""
    complaints: list[str] = []
    app = make_app(KioskScreen(time.monotonic_ns), Health(), CollectorRegistry())
    DeskPages(world.desk).add_to(app)
    async with serve(app, "127.0.0.1", 0) as url:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text))
        await page.goto(url + "desk")
        await expect(page.locator("body")).to_have_attribute("data-view", "sign-in")
        yield page
        assert "desk" in page.url
        assert "?" not in page.url
        await context.close()
    assert [text for text in complaints if "503" not in text] == []


async def fits(page: Page) -> bool:
    """Return whether nothing is wider than the window and every target has room for a finger."""
    fine: bool = await page.evaluate(
        """least => document.documentElement.scrollWidth <= innerWidth
          && [...document.querySelectorAll("button")].every((button) => {
            const box = button.getBoundingClientRect();
            return box.height === 0 || (box.height >= least && box.width >= least);
          })""",
        TOUCH_PX,
    )
    return fine


async def test_an_officers_shift_on_a_phone(browser: Browser) -> None:
    world = DeskWorld()
    async with opened(browser, world, PHONE) as page:
        body, sheet = page.locator("body"), page.locator(".sheet")

        # Sign-in: a lane, then the badge at its reader; another page's lane is not offered.
        world.desk.sign_in("gate-2", "")
        taken = page.locator(".seat[data-lane=gate-2]")
        await expect(taken).to_be_disabled()
        await expect(taken).to_contain_text("Người khác đang đăng nhập")
        assert await fits(page)
        await page.locator(".seat[data-lane=gate-1]").click()
        await expect(body).to_have_attribute("data-view", "waiting")
        await expect(page.locator(".waiting .at")).to_have_text("gate-1")
        world.badge()
        await expect(body).to_have_attribute("data-view", "work")
        await expect(page.locator(".officer")).to_have_text("4001")
        await expect(page.locator(".nothing")).to_be_visible()

        # Who was let in is not in the way; colour, shape and word tell the others.
        world.scan(ADMITTED, name="LE THI HOA")
        sequence = world.scan(REFERRED, name="TRAN <img/src=x>", doubts=(Doubt.SEX_DIFFERS,))
        row = page.locator(".verdict[data-outcome=refer]")
        await expect(row.locator(".holder")).to_have_text("T*** <img/src=x>")
        await expect(row.locator(".shape [lang=vi]")).to_have_text("CHỜ")
        await expect(row.locator(".doubt")).to_contain_text("Giới tính")
        await expect(page.locator(".verdict[data-outcome=admit]")).to_be_hidden()
        await expect(page.locator(".filters [data-filter=all] b")).to_have_text("2")
        assert await fits(page)

        # Let pass: two taps, and the entry's number.
        await row.locator(".act.admit").click()
        await expect(sheet.locator(".about")).to_contain_text("<img")
        # A scanner that types, Enter included, must not choose a reason.
        await expect(sheet.locator(".close")).to_be_focused()
        assert await fits(page)
        # The second tap of two decides nothing, and does not cover what the first one did.
        await sheet.locator("[data-value=document_checked]").evaluate(
            "it => (it.click(), it.click())"
        )
        await expect(sheet).to_have_attribute("data-state", "done")
        await expect(sheet.locator(".entry")).to_contain_text(str(sequence + 1))
        await sheet.locator(".close").click()
        await expect(row.locator(".decision")).to_contain_text("Đã cho qua")
        await expect(row.locator(".act.admit")).to_have_count(0)

        # Correct: a topic, then confirmed.
        await row.locator(".act.correct").click()
        await expect(sheet.locator(".confirm")).to_be_disabled()
        await sheet.locator("[data-value=dose_missing]").click()
        await sheet.locator(".confirm").click()
        await expect(sheet).to_have_attribute("data-state", "done")
        await sheet.locator(".close").click()
        await expect(row.locator(".asked")).to_contain_text("Thiếu mũi tiêm")
        assert [entry.event for entry in world.journal.entries[-2:]] == ["override", "correction"]

        # A silent alert stands on top, is sounded once, and goes when it was seen.
        world.scan(ISOLATED, name="DANG THU")
        strip = page.locator(".strip")
        await expect(strip).to_contain_text("Người đang phải cách ly")
        await expect(body).to_have_attribute("data-chimed", "1")
        assert await fits(page)
        await strip.locator(".seen").click()
        await expect(strip).to_have_count(0)
        await expect(page.locator(".verdict.alerted")).to_have_count(1)

        # How many are inside: stated, and one fewer.
        await expect(page.locator(".inside b")).to_have_text("0 / 120")
        await page.locator(".inside").click()
        await expect(sheet.locator(".about")).to_have_text("Tất cảAll people: 0, tối đaat most 120")
        await sheet.locator("input").fill("48")
        await sheet.locator(".fewer").click()
        assert await fits(page)
        await sheet.locator(".confirm").click()
        await expect(sheet).to_have_attribute("data-state", "done")
        await sheet.locator(".close").click()
        await expect(page.locator(".inside b")).to_have_text("47 / 120")
        assert world.journal.entries[-1].note == "47 0"

        # The other language; a journal that cannot write says so.
        await page.locator(".language").click()
        world.journal.broken = True
        world.scan(Verdict(Outcome.REFUSE, (Reason.REVOKED,)), name="VO AN")
        await page.locator(".verdict", has_text="V* AN").locator(".act.admit").click()
        await sheet.locator("[data-value=emergency]").click()
        await expect(sheet).to_have_attribute("data-state", "refused")
        await expect(sheet.locator(".said [lang=en]")).to_be_visible()
        await expect(sheet.locator(".said")).to_contain_text("the gate stays shut")
        await sheet.locator(".close").click()

        # Time-out: seen coming, put off by a touch, and the end tells nobody who passed.
        world.clock.advance(571)
        world.scan(ADMITTED)
        await expect(page.locator(".banner.idle")).to_be_visible()
        await page.locator(".stay").click()
        await expect(page.locator(".banner.idle")).to_be_hidden()
        await page.locator(".sign-out").click()
        await expect(body).to_have_attribute("data-view", "sign-in")
        await expect(page.locator(".verdict")).to_have_count(0)


async def test_more_on_the_list_than_inside_is_said_and_keeps_what_was_typed(
    browser: Browser,
) -> None:
    demands = msgspec.structs.replace(SITE.demands, headcount=50)
    world = DeskWorld(site=msgspec.structs.replace(SITE, demands=demands))
    async with opened(browser, world, PHONE) as page:
        sheet = page.locator(".sheet")
        await page.locator(".seat[data-lane=gate-1]").click()
        await expect(page.locator("body")).to_have_attribute("data-view", "waiting")
        world.badge()
        await page.locator(".inside").click()
        await expect(sheet.locator(".about")).to_contain_text("Trong danh sách")
        await sheet.locator("[name=inside]").fill("3")
        await sheet.locator("[name=workers]").fill("4")
        await sheet.locator(".confirm").click()
        await expect(sheet.locator(".fault [lang=vi]")).to_be_visible()
        await expect(sheet.locator("[name=workers]")).to_have_value("4")
        assert await fits(page)
        assert [entry.event for entry in world.journal.entries] == ["scan"]  # the badge
        world.journal.broken = True
        await sheet.locator("[name=inside]").fill("5")
        await sheet.locator(".confirm").click()
        await expect(sheet.locator(".fault")).to_contain_text("Không ghi được nhật ký")
        await expect(sheet.locator("[name=inside]")).to_have_value("5")
        world.journal.broken = False
        await sheet.locator(".confirm").click()
        await expect(sheet).to_have_attribute("data-state", "done")
        assert world.journal.entries[-1].note == "5 4"


async def test_a_wide_screen_has_the_acts_beside_the_person(browser: Browser) -> None:
    world = DeskWorld()
    async with opened(browser, world, DESK) as page:
        await page.locator(".seat[data-lane=gate-1]").click()
        await expect(page.locator("body")).to_have_attribute("data-view", "waiting")
        world.scan(REFERRED, name="W" * 500)
        world.scan(ISOLATED)
        world.badge()
        row = page.locator(".verdict[data-outcome=refer]")
        await expect(row.locator(".act:visible")).to_have_count(3)
        assert await fits(page)
        beside = await row.evaluate(
            """row => row.querySelector(".acts").getBoundingClientRect().left
              >= row.querySelector(".facts").getBoundingClientRect().right - 1"""
        )
        assert beside
