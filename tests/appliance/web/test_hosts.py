"""A web page somewhere must not read the gate by giving its own name the gate's address."""

from __future__ import annotations

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from appliance.health import Health
from appliance.web.hosts import KnownHosts
from appliance.web.screen import KioskScreen
from appliance.web.server import make_app, serve

LOCAL = ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]", "[::1]:8080"]
NUMBERS = ["192.168.1.7", "192.168.1.7:8080", "[fe80::7]:8080"]
NAMES = ["gate-1", "Gate-1:8080", "gate-1.local", "gate-1.local.:80"]
FOREIGN = [
    "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "gate-1.evil.example",
    "", ":8080", "[", "[::1", "localhost@evil.example", "127.1",
]  # fmt: skip


@pytest.mark.parametrize("bound", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_loopback_only_this_machine_is_meant(bound: str) -> None:
    hosts = KnownHosts(bound, "gate-1")
    assert [host for host in LOCAL if host not in hosts] == []
    assert [host for host in NUMBERS + NAMES + FOREIGN if host in hosts] == []


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", "192.168.1.7", "gate-1"])
def test_on_a_network_numbers_and_the_machine_s_name_are_meant(bound: str) -> None:
    hosts = KnownHosts(bound, "gate-1")
    assert [host for host in LOCAL + NUMBERS + NAMES if host not in hosts] == []
    assert [host for host in FOREIGN if host in hosts] == []


async def test_a_foreign_name_is_sent_away_with_a_hint_whatever_it_asks_for() -> None:
    app = make_app(KioskScreen(lambda: 0), Health(), CollectorRegistry())
    async with serve(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as client:
        for path in ("", "events", "metrics", "healthz", "nothing"):
            async with client.get(url + path, headers={"Host": "evil.example"}) as answer:
                assert answer.status == 421
                assert "ask for it as localhost or 127.0.0.1" in await answer.text()
