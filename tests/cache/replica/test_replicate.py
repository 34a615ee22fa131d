"""The loop takes what is newer and sound, and waits as it should."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from admission.instant import ClockTrust
from cache.errors import StoreError
from cache.replica import download
from cache.replica.download import Part
from cache.replica.source import ByteSink, FileKind
from cache.replica.status import Outcome
from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import DAY_NS, MemorySource, Release


@pytest.fixture
def source(old: Release, new: Release) -> MemorySource:
    return MemorySource(old, new)


async def test_a_release_is_fetched_then_vouched_for_again_then_succeeded(
    gate: Gate, source: MemorySource, old: Release, new: Release
) -> None:
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert await gate.replicator.once() is Outcome.UNCHANGED
    source.envelope = old.envelope(2)
    assert await gate.replicator.once() is Outcome.REVOUCHED
    assert source.fetched == [old.dataset.name]
    status = gate.replicator.status()
    assert (status.sequence, status.rows) == (2, 100)
    assert status.issued_ns == old.head(2).issued_ns
    assert status.last_success == gate.clock.now()
    source.envelope = new.envelope(3)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert gate.knows(120)
    assert gate.replicator.status().rounds[Outcome.ACTIVATED] == 2
    assert [head.sequence for head in gate.heads] == [1, 2, 3]


async def test_going_back_to_the_release_before_needs_no_download(
    gate: Gate, source: MemorySource, old: Release, new: Release
) -> None:
    for sequence, release in enumerate((old, new, old), start=1):
        source.envelope = release.envelope(sequence)
        assert await gate.replicator.once() is Outcome.ACTIVATED
    assert source.fetched == [old.dataset.name, new.dataset.name]
    assert not gate.knows(120)


async def test_a_reboot_serves_at_once_and_remembers_how_far_it_came(
    tmp_path: Path, gate: Gate, source: MemorySource, old: Release, new: Release
) -> None:
    source.envelope = new.envelope(5)
    await gate.replicator.once()
    source.envelope = None
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.open()
    assert rebooted.knows(120)
    assert await rebooted.replicator.once() is Outcome.UNREACHABLE
    source.envelope = old.envelope(4)
    assert await rebooted.replicator.once() is Outcome.REFUSED
    assert "older" in rebooted.replicator.status().last_error
    assert rebooted.knows(120)


async def test_without_a_clock_a_head_serves_and_is_offered_as_evidence(
    gate: Gate, source: MemorySource, old: Release
) -> None:
    gate.clock.wall_ns = 0
    gate.clock.trust = ClockTrust.UNKNOWN
    assert await gate.replicator.once() is Outcome.ACTIVATED
    assert [head.issued_ns for head in gate.heads] == [old.head().issued_ns]
    await gate.replicator.once()
    assert len(gate.heads) == 1, "an old head is not evidence of a later time"


async def test_a_head_that_expires_later_stays_for_the_law_to_judge(
    gate: Gate, source: MemorySource
) -> None:
    await gate.replicator.once()
    gate.clock.wall_ns += 2 * DAY_NS
    assert await gate.replicator.once() is Outcome.REFUSED
    assert gate.knows(1)


async def test_failures_back_off_to_a_ceiling_and_a_good_round_ends_it(
    gate: Gate, source: MemorySource, old: Release
) -> None:
    source.envelope = None
    await gate.run(8)
    assert gate.waits == [4, 8, 16, 32, 60, 60, 60, 60]
    source.envelope = old.envelope()
    await gate.run(1)
    assert gate.waits[-1] == 2


async def test_the_head_says_how_long_to_wait_within_reason(
    gate: Gate, source: MemorySource, old: Release
) -> None:
    source.envelope = old.envelope(2, min_next_poll_s=30)
    await gate.run(1)
    source.envelope = old.envelope(3, min_next_poll_s=86_400)
    await gate.run(1)
    assert gate.waits == [30, 3_600]


async def test_a_defect_in_one_round_does_not_end_the_loop(
    gate: Gate, source: MemorySource
) -> None:
    async def defect(*file: object, start: int = 0) -> None:
        raise ZeroDivisionError

    source.file = defect  # type: ignore[method-assign]
    assert await gate.replicator.once() is Outcome.FAILED
    assert gate.replicator.status().last_error.startswith("ZeroDivisionError")


async def test_a_cancelled_download_goes_on_where_it_was(
    tmp_path: Path, gate: Gate, source: MemorySource, old: Release
) -> None:
    started, real, starts = asyncio.Event(), source.file, []

    async def endless(
        kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
    ) -> None:
        to.write(old.bytes[:5_000])
        started.set()
        await asyncio.Event().wait()

    async def noted(kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0) -> None:
        starts.append(start)
        await real(kind, name, size, to, start=start)

    source.file = endless  # type: ignore[method-assign]
    task = asyncio.create_task(gate.replicator.run())
    await asyncio.wait_for(started.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    source.file = noted  # type: ignore[method-assign]
    rebooted = Gate(tmp_path, source)
    assert await rebooted.replicator.once() is Outcome.ACTIVATED
    assert starts == [5_000]
    fetched = rebooted.replicator.status().fetched_bytes
    assert fetched[FileKind.SEGMENT] == old.dataset.size - 5_000
    assert not list(gate.state.rglob("*.part"))


@pytest.mark.parametrize("step", ["write_all", "keep"], ids=["write", "finish"])
async def test_a_given_up_write_keeps_its_descriptor_until_it_is_done(
    gate: Gate, source: MemorySource, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    real, parts = getattr(download, step), []

    def slow(*arguments: object) -> None:
        begun.set()
        assert go_on.wait(20)
        real(*arguments)

    async def on_a_thread(
        kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
    ) -> None:
        assert isinstance(to, Part)
        parts.append(to)
        await asyncio.to_thread(to.write, source.files[name])

    monkeypatch.setattr(download, step, slow)
    source.file = on_a_thread  # type: ignore[method-assign]
    task = asyncio.create_task(gate.replicator.run())
    assert await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    await asyncio.wait([task], timeout=0.05)
    descriptor = parts[0]._descriptor
    os.fstat(descriptor)  # raises once it is closed, and then any other file may get its number
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    with pytest.raises(StoreError, match="given up"):
        parts[0].write(b"")
