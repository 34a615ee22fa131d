"""The hub stops and comes back: what happened meanwhile is neither lost nor doubled."""

from __future__ import annotations

import itertools
import os
import signal
import threading

import pytest

from tests.end_to_end.running import RunningGate, RunningHub, until

Site = tuple[RunningHub, RunningGate]


def outage(site: Site, seconds: float, per_second: int) -> None:
    hub, gate = site
    codes = itertools.cycle(hub.texts())
    sent = 0

    def scan_some(count: int) -> None:
        nonlocal sent
        for text in itertools.islice(codes, count):
            gate.scan((text + "\r").encode())
            sent += 1
            until(all_decided, f"verdict {sent}")

    def all_decided() -> bool:
        return gate.verdicts() == sent

    scan_some(10)
    until(lambda: gate.is_all_at(hub), "the first entries at the hub")

    hub.stop(signal.SIGKILL)
    pause = threading.Event()
    scan_some(per_second)
    for _ in range(int(seconds)):
        pause.wait(1.0)  # the outage itself: what is tested is that it may last
        scan_some(per_second)
    assert gate.journaled() == sent, "the gate decides on, hub or no hub"
    until(lambda: not gate.health()["checks"]["hub"]["ok"], "a gate that says the hub is away")

    hub.start()
    until(lambda: gate.is_all_at(hub), "every entry at the hub", timeout_s=120)
    assert gate.verdicts() == gate.journaled() == sent
    assert hub.count()["conflicts"] == 0
    until(lambda: gate.health()["checks"]["hub"]["ok"], "a gate that says the hub is back", 120)


def test_a_short_outage(site: Site) -> None:
    outage(site, seconds=2, per_second=5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_outage_of_a_minute(site: Site) -> None:
    outage(site, seconds=float(os.environ.get("CHOT_OUTAGE_S", "60")), per_second=2)
