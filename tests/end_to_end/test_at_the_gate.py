"""Real processes, a board with a passage sensor: what happens at the gate gets to the hub."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from admission.gate import Input
from admission.journal_record import Followup, FollowupKind, unpack_record
from cache.journal.verification import entries_of
from firmware_bridge.link.configuration import BoardConfiguration
from tests.end_to_end.running import RunningGate, RunningHub, command, running, until

TURNSTILE = BoardConfiguration(
    inputs=frozenset(Input) - {Input.READY}, window_ms=10_000, debounce_ms=1
)
Site = tuple[RunningHub, RunningGate]


@pytest.fixture
def turnstile(prepared_hub: Path, tmp_path: Path) -> Iterator[Site]:
    with running(prepared_hub, tmp_path, TURNSTILE) as both:
        yield both


def followed(gate: RunningGate) -> dict[FollowupKind, int]:
    records = (unpack_record(frame.packed) for frame in entries_of(gate.state / "journal", 1_000))
    return {one.kind: one.about for one in records if isinstance(one, Followup)}


def goes_through(gate: RunningGate) -> None:
    gate.board.sense(Input.PASSAGE_A, 1)
    threading.Event().wait(0.05)  # so long a person is in the beam
    gate.board.sense(Input.PASSAGE_A, 0)


@pytest.mark.slow
def test_who_passes_while_the_gate_is_killed_is_noted_and_a_forced_gate_gets_to_the_hub(
    turnstile: Site,
) -> None:
    hub, gate = turnstile
    for number, text in enumerate(hub.texts(), start=1):
        gate.scan((text + "\r").encode())
        until(lambda n=number: gate.verdicts() == n, "a verdict")  # type: ignore[misc]
        if gate.metric("chot_zone_inside"):
            break
    until(lambda: FollowupKind.ACTUATED in followed(gate), "an opened gate")
    gate.stop(signal.SIGKILL)
    goes_through(gate)
    gate.start()
    until(lambda: FollowupKind.PASSED in followed(gate), "a passage of before the start")
    told = followed(gate)
    assert told[FollowupKind.PASSED] == told[FollowupKind.ACTUATED]
    assert gate.metric("chot_gate_events_total") == 1

    gate.board.reset()  # nobody is expected any more
    until(lambda: gate.health()["state"] == "ok", "a gate that serves")
    goes_through(gate)
    until(lambda: gate.is_all_at(hub) and gate.metric("chot_gate_events_total") == 2, "at the hub")
    listed = command("hub", "alerts", "--data", str(hub.folder), "--json")
    (alert,) = map(json.loads, listed.splitlines())
    assert (alert["alerts"], alert["event"], alert["lane"]) == (["forced"], "forced", "lane-1")
    assert "person" not in alert
    words = command("appliance", "journal", "tail", str(gate.state / "journal"))
    assert "gate, way in: somebody went through unadmitted" in words

    gate.board.sense(Input.STOP, 1)
    until(lambda: gate.health()["state"] == "failed", "a gate that says that it is stopped")
    checks = gate.health()["checks"]
    assert checks["lane.lane-1"]["why"] == "out of order: the emergency stop is pressed"
    assert checks["gate.lane-1"]["facts"]["stop"] is True
