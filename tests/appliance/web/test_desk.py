"""Protects the desk's page from everybody who is not a signed-in officer on it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from admission.verdict import Outcome
from appliance.health import Health
from appliance.web import desk as web_desk
from appliance.web.desk import COOKIE, TOKEN_HEADER, DeskPages, is_local
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve
from tests.appliance.desk.desk_world import REFERRED, DeskWorld

PROXIED = "https://gate-1.example.org"
ACTS: list[tuple[str, dict[str, Any]]] = [
    ("override", {"sequence": 2, "outcome": "admit", "reason": "emergency"}),
    ("correct", {"sequence": 2, "topic": "name_wrong"}),
    ("count", {"inside": 5, "workers": 0}),
    ("stay", {}),
]


class Pages:
    """One served desk, and one browser's cookie and token."""

    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self.client = client
        self.url = url
        self.origin = url.rstrip("/")
        self.cookie = ""
        self.set_cookie = ""
        self.world: DeskWorld

    async def post(
        self, path: str, content: Any = None, **overridden: str | None
    ) -> tuple[int, dict[str, Any]]:
        """Ask as the page does; None takes a header away."""
        headers: dict[str, str | None] = {
            "Origin": self.origin,
            "Content-Type": "application/json",
            "Cookie": f"{COOKIE}={self.cookie}",
            TOKEN_HEADER: (await self.state()).get("token", ""),
        }
        headers |= {name.replace("_", "-"): value for name, value in overridden.items()}
        sent = {name: value for name, value in headers.items() if value is not None}
        body = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
        async with self.client.post(f"{self.url}desk/{path}", data=body, headers=sent) as answer:
            if answer.headers.get("Set-Cookie"):
                self.set_cookie = answer.headers["Set-Cookie"]
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.json()

    async def state(self, **headers: str) -> dict[str, Any]:
        headers = {"Cookie": f"{COOKIE}={self.cookie}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        async with self.client.get(f"{self.url}desk/state", headers=headers) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    async def sign_in(self, number: int = 1, lane: str = "gate-1") -> None:
        assert (await self.post("sign-in", {"lane": lane}))[0] == 200
        self.cookie = self.set_cookie.split("=", 1)[1].split(";")[0]
        self.world.badge(number, lane=lane)


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Pages]:
    world = DeskWorld()
    app = make_app(KioskScreen(time.monotonic_ns), Health(), CollectorRegistry())
    DeskPages(world.desk, [PROXIED, ""]).add_to(app)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as client, serve(app, "127.0.0.1", 0) as url:
        pages = Pages(client, url)
        pages.world = world
        yield pages


async def test_the_page_and_its_files_load_nothing_from_elsewhere() -> None:
    async with served() as pages:
        for path in ("", "/static/desk.js", "/static/desk.css", "/static/verdicts.js"):
            async with pages.client.get(f"{pages.url}desk{path}") as answer:
                body = await answer.read()
                assert answer.status == 200
                policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            for foreign in (b"http://", b"https://", b"innerHTML", b"style=", b"{{build}}"):
                assert foreign not in body
        async with pages.client.get(f"{pages.url}desk/static/../../errors.py") as answer:
            assert answer.status == 404


async def test_an_officer_signs_in_acts_and_signs_out() -> None:
    async with served() as pages:
        await pages.sign_in()
        for part in ("HttpOnly", "SameSite=Strict", "Path=/desk"):
            assert part in pages.set_cookie
        assert "Secure" not in pages.set_cookie
        sequence = pages.world.scan(REFERRED)
        state = await pages.state()
        assert (state["officer"], state["verdicts"][0]["sequence"]) == (4001, sequence)
        order = {"sequence": sequence, "outcome": "admit", "reason": "document_checked"}
        assert await pages.post("override", order) == (200, {"sequence": 3, "opened": True})
        assert (await pages.state())["verdicts"][0]["decided"]["sequence"] == 3
        status, answer = await pages.post("override", order)
        assert (status, answer["refusal"]) == (409, "decided_already")
        assert answer["vi"]
        assert answer["en"]
        wanted = {"sequence": sequence, "topic": "dose_missing"}
        assert await pages.post("correct", wanted) == (200, {"sequence": 4, "opened": True})
        assert (await pages.post("sign-out"))[0] == 200
        assert (await pages.state())["officer"] is None
        assert (await pages.post("correct", wanted))[0] == 401


@pytest.mark.parametrize(("path", "content"), ACTS)
async def test_nothing_is_done_for_anybody_else(path: str, content: dict[str, Any]) -> None:
    async with served() as pages:
        await pages.sign_in()
        pages.world.scan(REFERRED)
        for headers, status in (
            ({"Cookie": None}, 401),
            ({"Cookie": f"{COOKIE}={'0' * 64}"}, 401),
            ({"Cookie": f"{COOKIE}=; ={COOKIE};;\xff"}, 401),
            ({TOKEN_HEADER: None}, 403),
            ({TOKEN_HEADER: "0" * 64}, 403),
            ({TOKEN_HEADER: pages.cookie}, 403),
            ({"Origin": None}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://evil.example"}, 403),
            ({"Origin": "http://127.0.0.1:1"}, 403),
            ({"Origin": f"{pages.origin}.evil.example"}, 403),
            ({"Origin": f"http://evil.example/{pages.origin}"}, 403),
            ({"Origin": ""}, 403),
            ({"Origin": "http://["}, 403),
            ({"Origin": "http://"}, 403),
            ({"Content-Type": "text/plain"}, 400),
            ({"Content-Type": "application/x-www-form-urlencoded"}, 400),
        ):
            assert (await pages.post(path, content, **headers))[0] == status, headers
        async with pages.client.get(f"{pages.url}desk/{path}") as answer:
            assert answer.status == 405
        assert len(pages.world.journal.entries) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"sequence": 2}',
        b'{"sequence": "2", "outcome": "admit", "reason": "emergency"}',
        b'{"sequence": 2, "outcome": "admit", "reason": "because"}',
        b'{"sequence": 2, "outcome": "admit", "reason": "emergency", "officer": 1}',
        b'{"sequence": 2, "outcome": "refer", "reason": "emergency"}',
        b"[" * 900,
    ],
)
async def test_malformed_requests_change_nothing(body: bytes) -> None:
    async with served() as pages:
        await pages.sign_in()
        pages.world.scan(REFERRED)
        assert (await pages.post("override", body))[0] == 400
        assert len(pages.world.journal.entries) == 2


async def test_an_oversized_request_is_refused() -> None:
    async with served() as pages:
        await pages.sign_in()
        headers = {"Origin": pages.origin, "Content-Type": "application/json"}
        headers |= {"Cookie": f"{COOKIE}={pages.cookie}"}
        headers[TOKEN_HEADER] = (await pages.state())["token"]
        url = f"{pages.url}desk/override"
        async with pages.client.post(url, data=b" " * 5000, headers=headers) as answer:
            assert answer.status == 413


async def test_a_sign_in_needs_the_page_and_a_free_lane() -> None:
    async with served() as pages:
        lane = {"lane": "gate-1"}
        assert (await pages.post("sign-in", lane, Origin="http://evil.example"))[0] == 403
        assert (await pages.post("sign-in", lane, Origin=None))[0] == 403
        assert (await pages.post("sign-in", {"lane": "gate-9"}))[0] == 404
        assert (await pages.post("sign-in", lane))[0] == 200
        status, answer = await pages.post("sign-in", lane)
        assert (status, answer["refusal"]) == (409, "lane_taken")
        stranger = await pages.state()
        assert (stranger["officer"], stranger["verdicts"], stranger["token"]) == (None, [], "")
        assert [seat["taken"] for seat in stranger["lanes"]] == [True, False]


async def test_behind_a_proxy_the_page_has_the_proxys_origin_and_a_secure_cookie() -> None:
    async with served() as pages:
        pages.origin = PROXIED
        await pages.sign_in()
        assert "Secure" in pages.set_cookie
        assert (await pages.post("stay"))[0] == 200


async def test_the_session_ends_when_nobody_touches_the_page() -> None:
    async with served() as pages:
        await pages.sign_in()
        pages.world.clock.advance(599)
        assert (await pages.state())["officer"] == 4001  # looking is no touch
        assert (await pages.post("stay"))[0] == 200
        pages.world.clock.advance(599)
        assert (await pages.state())["left_ms"] == 1000
        pages.world.clock.advance(1)
        assert (await pages.state())["officer"] is None
        assert (await pages.post("stay"))[0] == 401


async def test_a_state_is_for_the_page_alone_and_pages_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with served() as pages:
        assert (await pages.state(Sec_Fetch_Site="same-site"))["refusal"] == "foreign"
        assert (await pages.state(Sec_Fetch_Site="cross-site"))["refusal"] == "foreign"
        for after in ("-1", "x", "9" * 30, "٣"):
            async with pages.client.get(f"{pages.url}desk/state?after={after}") as answer:
                assert answer.status == 400
        monkeypatch.setattr(web_desk, "MAX_WAITING", 0)
        async with pages.client.get(f"{pages.url}desk/state") as answer:
            assert answer.status == 503


@pytest.mark.parametrize(
    ("remote", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.7", False),
        ("::ffff:192.168.1.7", False),
        ("fe80::1%eth0", False),
        ("", False),
        (None, False),
        ("localhost", False),
    ],
)
def test_only_loopback_is_this_machine(remote: str | None, local: bool) -> None:
    assert is_local(remote) is local


async def test_the_network_sees_the_kiosk_and_no_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as pages:
        await pages.sign_in()
        token = (await pages.state())["token"]
        monkeypatch.setattr(web_desk, "is_local", lambda remote: False)
        for path in ("desk", "desk/state", "desk/static/desk.js", "desk/choices"):
            async with pages.client.get(pages.url + path) as answer:
                assert answer.status == 403
        headers = {"Origin": pages.origin, TOKEN_HEADER: token}
        headers["Cookie"] = f"{COOKIE}={pages.cookie}"
        async with pages.client.post(f"{pages.url}desk/stay", json={}, headers=headers) as answer:
            assert answer.status == 403
        async with pages.client.get(pages.url) as answer:
            assert answer.status == 200


async def test_the_second_officer_is_told_that_the_first_has_decided() -> None:
    async with served() as pages:
        await pages.sign_in(1)
        first = pages.cookie
        pages.cookie = ""
        await pages.sign_in(2, "gate-2")
        sequence = pages.world.scan(REFERRED)
        order = {"sequence": sequence, "outcome": "refuse", "reason": "safety"}
        assert (await pages.post("override", order))[0] == 200
        pages.cookie = first
        assert (await pages.post("override", order | {"outcome": "admit", "reason": "emergency"}))[
            0
        ] == 409
        decided = (await pages.state())["verdicts"][0]["decided"]
        assert (decided["officer"], decided["outcome"]) == (4002, Outcome.REFUSE)
