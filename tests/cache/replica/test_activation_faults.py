"""Activation is old or new, never neither: every call on the disk fails once, and is the last once.

Of each kind of activation: another base with documents, deltas and changes, a base that came as a
snapshot, one that was merged here, and a damaged one that is mended.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from admission.standing import CredentialStatus, Lookup, WatchEntry
from cache.replica.layout import WATCH_1
from cache.replica.merging import MergeOutcome
from cache.replica.names import WATCH
from cache.replica.status import GOOD_OUTCOMES, Outcome
from tests.cache.replica.changing import Changing
from tests.cache.replica.faults import FAULTS, Disk, PowerCutError
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource, Release

Answers = tuple[object, ...]
CHANGING = frozenset({"write", "fsync", "replace", "rename", "ftruncate", "fchmod", "mkdir"})
"""A round in which one of these fails cannot have ended well."""


class Scenario:
    """A gate's directory before an activation, and an upstream that has what comes next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = MemorySource()
        self.source.chunk_bytes = 10_000
        self.looked_at: tuple[int, ...] = ()
        self.merges = False

    def gate(self, name: str) -> Gate:
        return Gate(self.folder / name, self.source)

    def answers(self, gate: Gate) -> Answers:
        """Return what the gate says of some people, and which documents it has handed on."""
        said: list[object] = []
        for number in self.looked_at:
            standing = gate.standing(number)
            said.append(standing.lookup)
            said.append(standing.facts.doses if standing.facts else None)
            said.append(standing.watch is not None)
        return *said, *(sorted(gate.documents[-1].items()) if gate.documents else [])

    async def round(self, gate: Gate) -> Outcome:
        outcome = await gate.replicator.once()
        await gate.merged()
        return outcome

    async def begin(self) -> Answers:
        gate = self.gate("before")
        assert await gate.replicator.once() is Outcome.ACTIVATED
        return self.answers(gate)


async def another_base(scenario: Scenario) -> Answers:
    folder = scenario.folder
    old, new = (
        Release(
            folder,
            people,
            others={WATCH: (WATCH_1, {watched: WatchEntry(CredentialStatus.ACTIVE)})},
            documents={"orders": f"orders of {people}".encode()},
        )
        for people, watched in ((20, 5), (26, 6))
    )
    scenario.source = MemorySource(old, new)
    scenario.source.chunk_bytes = 10_000
    scenario.looked_at = (5, 6, 19, 25, 26)
    before = await scenario.begin()
    scenario.source.envelope = new.envelope(2)
    return before


async def deltas_and_changes(scenario: Scenario) -> Answers:
    hub = Changing(scenario.folder, scenario.source, people=20)
    hub.change({3: 7})
    hub.delta()
    hub.publish()
    scenario.looked_at = (3, 4, 5, 30, 31)
    before = await scenario.begin()
    hub.change({3: 8, 4: None, 30: 1})
    hub.delta()
    hub.change({5: 9, 31: 2})
    hub.publish()
    return before


async def base_as_a_snapshot(scenario: Scenario) -> Answers:
    hub = Changing(scenario.folder, scenario.source, people=20)
    hub.publish()
    scenario.looked_at = (3, 19, 22)
    before = await scenario.begin()
    (scenario.folder / "next").mkdir()
    other = Changing(scenario.folder / "next", scenario.source, people=24)
    other.pack()
    other.sequence = hub.sequence
    other.change({3: 9})
    other.publish()
    return before


async def merged_base(scenario: Scenario) -> Answers:
    hub = Changing(scenario.folder, scenario.source, people=20)
    hub.change({3: 7, 4: None, 30: 1})
    hub.delta()
    hub.publish()
    scenario.looked_at = (3, 4, 5, 30)
    before = await scenario.begin()
    hub.follow()
    hub.publish()
    scenario.merges = True
    return before


async def base_that_was_merged(scenario: Scenario) -> Answers:
    hub = Changing(scenario.folder, scenario.source, people=20)
    hub.change({3: 7, 4: None, 30: 1})
    hub.delta()
    hub.follow()
    hub.publish()
    scenario.looked_at = (3, 4, 5, 30)
    gate = scenario.gate("before")
    await scenario.round(gate)
    before = scenario.answers(gate)
    hub.change({5: 9})
    hub.advance()
    hub.publish()
    scenario.source.files.pop(hub.dataset.name)  # it is not to be had, but it is here
    return before


async def mended_base(scenario: Scenario) -> Answers:
    hub = Changing(scenario.folder, scenario.source, people=17_000)
    hub.publish()
    await scenario.begin()
    path = next((scenario.folder / "before").rglob("*.segment"))
    data = bytearray(path.read_bytes())
    data[100_000] ^= 1
    path.write_bytes(data)
    gate = scenario.gate("before")
    await gate.replicator.open()
    everybody = [gate.standing(n).lookup for n in range(0, 17_000, 50)]
    lost = [50 * n for n, lookup in enumerate(everybody) if lookup is Lookup.UNREADABLE]
    scenario.looked_at = (*lost[:2], 50 * everybody.index(Lookup.FOUND))
    return scenario.answers(gate)


Preparation = Callable[[Scenario], Awaitable[Answers]]
PREPARATIONS: list[Preparation] = [
    another_base,
    deltas_and_changes,
    base_as_a_snapshot,
    merged_base,
    base_that_was_merged,
    mended_base,
]


async def faulty_round(scenario: Scenario, name: str, disk: Disk) -> tuple[Outcome | None, Gate]:
    gate = scenario.gate(name)
    assert await gate.replicator.open()
    outcome = None
    with disk.in_place(), contextlib.suppress(PowerCutError):
        outcome = await scenario.round(gate)
    return outcome, gate


def copied(scenario: Scenario, name: str) -> Path:
    return Path(shutil.copytree(scenario.folder / "before", scenario.folder / name))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("prepare", PREPARATIONS, ids=lambda prepare: prepare.__name__)
async def test_every_call_of_an_activation_may_fail_or_be_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Preparation, fault: str
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a real one takes most of the time
    scenario = Scenario(tmp_path)
    old = await prepare(scenario)
    faultless = Disk(copied(scenario, "count"))
    outcome, gate = await faulty_round(scenario, "count", faultless)
    new = scenario.answers(gate)
    assert outcome is Outcome.ACTIVATED
    assert (old == new) == scenario.merges, "what is to be told apart"
    calls = faultless.calls
    for number, call in enumerate(calls):
        if call == "replace":  # every new name is made durable before the next step
            assert "fsync" in calls[:number]
            assert calls[number + 1 : number + 3] == ["open", "fsync"]
    seen = set()
    for number, call in enumerate(calls):
        name = str(number)
        disk = Disk(copied(scenario, name), number, FAULTS[fault])
        outcome, gate = await faulty_round(scenario, name, disk)
        failed = outcome not in GOOD_OUTCOMES or bool(gate.replicator.status().merge_error)
        assert failed or call not in CHANGING, f"call {number} ({call}) failed, and nobody minds"
        lived = scenario.answers(gate)
        assert lived in (old, new), f"call {number} ({call})"
        rebooted = scenario.gate(name)
        assert await rebooted.replicator.open()
        after_boot = scenario.answers(rebooted)
        assert after_boot == new if lived == new else after_boot in (old, new)
        assert await scenario.round(rebooted) in GOOD_OUTCOMES
        assert scenario.answers(rebooted) == new
        if scenario.merges:
            assert made(rebooted), f"call {number} ({call})"
        assert not list((scenario.folder / name).rglob("*.tmp"))
        seen.add(after_boot)
    assert seen == {old, new}


def made(gate: Gate) -> bool:
    """Return whether the base to come is here."""
    status = gate.replicator.status()
    segments = len(list(gate.state.rglob("*.segment")))
    return segments == 2 and not status.merges[MergeOutcome.ABANDONED]
