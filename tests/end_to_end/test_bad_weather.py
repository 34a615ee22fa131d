"""Bad input and broken devices at every door of a running gate: it answers, counts and recovers."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from tests.end_to_end.running import RunningGate, RunningHub, until

Site = tuple[RunningHub, RunningGate]


def all_agree(hub: RunningHub, gate: RunningGate, expected: int) -> None:
    """Readings that ended in a verdict = entries journaled = entries at the hub."""
    until(lambda: gate.verdicts() == expected, f"{expected} verdicts")
    assert gate.journaled() == expected
    until(lambda: gate.is_all_at(hub), f"{expected} verdicts at the hub")


def test_hostile_lines_from_a_scanner_are_refused_and_logged(site: Site) -> None:
    hub, gate = site
    hostile = [
        b"A" * 4_000_000,
        b"\x00" * 500,
        b"\xff\xfe\x80" * 100,
        b"|" * 5_000,
        b"\x1b[2J\x1b]0;owned\x07",
        "079\u202e|<script>alert(1)</script>|1990-01-01|0|1|".encode(),
        b"9" * 12,
    ]
    for number, line in enumerate(hostile, start=1):
        gate.scan(line + b"\r")
        until(lambda n=number: gate.verdicts() == n, f"a verdict on line {number}")  # type: ignore[misc]
    all_agree(hub, gate, len(hostile))
    good = hub.texts()[0]
    gate.scan((good + "\r").encode())
    all_agree(hub, gate, len(hostile) + 1)
    log = gate.log.read_text()
    assert good.split("|")[0] not in log
    assert "Traceback" not in log


def test_a_board_unplugged_in_mid_pattern_puts_the_lane_out_of_order(site: Site) -> None:
    hub, gate = site
    texts = hub.texts()
    gate.scan((texts[0] + "\r").encode())
    until(lambda: gate.board.timeline, "a lamp")
    gate.board.unplug()
    until(lambda: not gate.health()["checks"]["lane.lane-1"]["ok"], "an out-of-order lane")
    gate.scan((texts[1] + "\r").encode())
    until(lambda: gate.metric("chot_turned_away_total") == 1, "a reading turned away")
    gate.board.replug()
    until(lambda: gate.health()["checks"]["lane.lane-1"]["ok"], "a lane back in order")
    gate.scan((texts[2] + "\r").encode())
    all_agree(hub, gate, 2)


def test_a_full_disk_holds_the_lane_until_there_is_room(site: Site) -> None:
    hub, gate = site
    texts = hub.texts()
    gate.scan((texts[0] + "\r").encode())
    all_agree(hub, gate, 1)
    assert gate.process is not None
    full = (0, resource.RLIM_INFINITY)
    resource.prlimit(gate.process.pid, resource.RLIMIT_FSIZE, full)
    gate.scan((texts[1] + "\r").encode())
    until(lambda: gate.metric("chot_step_failures_total") == 1, "a step that failed")
    assert gate.verdicts() == gate.journaled() == 1
    until(lambda: not gate.health()["checks"]["journal"]["ok"], "an alarm")
    resource.prlimit(
        gate.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    gate.scan((texts[2] + "\r").encode())
    until(lambda: gate.journaled() == 2, "the entry after")
    until(lambda: gate.is_all_at(hub), "both entries at the hub")
    assert hub.count()["conflicts"] == 0


def test_a_gate_that_is_killed_loses_no_entry_and_goes_on(site: Site) -> None:
    hub, gate = site
    texts = hub.texts()
    for number in range(5):
        gate.scan((texts[number] + "\r").encode())
        until(lambda n=number: gate.verdicts() == n + 1, "a verdict")  # type: ignore[misc]
    inside = gate.metric("chot_zone_inside")
    assert inside > 0
    gate.stop(signal.SIGKILL)
    gate.start()
    assert gate.journaled() == 5
    assert gate.metric("chot_zone_inside") == inside, "who was inside still is"
    until(lambda: gate.is_all_at(hub), "five entries at the hub")
    gate.scan((texts[6] + "\r").encode())
    until(lambda: gate.journaled() == 6, "six entries")
    until(lambda: gate.is_all_at(hub), "six entries at the hub")
    assert hub.count()["conflicts"] == 0
    assert gate.stop() == 0


@pytest.mark.parametrize(
    "damage",
    [
        "deleted",
        pytest.param("garbage", marks=pytest.mark.slow),
        pytest.param("emptied", marks=pytest.mark.slow),
    ],
)
def test_a_journal_that_lost_its_end_is_ended_and_no_sequence_used_twice(
    site: Site, damage: str
) -> None:
    hub, gate = site
    texts = hub.texts()
    for number in range(4):
        gate.scan((texts[number] + "\r").encode())
        until(lambda n=number: gate.verdicts() == n + 1, "a verdict")  # type: ignore[misc]
    until(lambda: gate.is_all_at(hub), "four entries at the hub")
    gate.stop()
    until(lambda: hub.count()["entries"] >= 4, "four entries at the hub")
    former = hub.count()["entries"]
    newest = max((gate.state / "journal").glob("*.journal"))
    if damage == "deleted":
        newest.unlink()
    else:
        newest.write_bytes(os.urandom(5_000) if damage == "garbage" else b"")
    gate.start("degraded")
    assert not gate.health()["checks"]["journal.history"]["ok"]
    gate.scan((texts[5] + "\r").encode())
    until(lambda: gate.journaled() == 1, "an entry in the new journal")
    until(lambda: gate.is_all_at(hub, former), "five entries at the hub")
    assert hub.count()["conflicts"] == 0
