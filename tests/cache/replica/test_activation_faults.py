"""Activation is old or new, never neither: every system call of it fails once, and dies once."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from admission.credential import Credential, CredentialKind
from admission.standing import CredentialStatus, Lookup, WatchEntry
from cache.replica import download, durable
from cache.replica.book import ReplicaBook
from cache.replica.layout import WATCH_1
from cache.replica.names import WATCH
from cache.replica.replicate import Replicator
from cache.replica.status import Outcome
from tests.cache.replica.releases import (
    HASH_KEY,
    MemorySource,
    Release,
    a_store,
    document,
)
from tests.worlds import ManualClock

OLD_PEOPLE, NEW_PEOPLE = 20, 26
WATCHED = {OLD_PEOPLE: 5, NEW_PEOPLE: 6}
"""Who is looked for in the release of so many people."""
CALLS = ("open", "write", "fsync", "fchmod", "replace")


class PowerCutError(BaseException):
    """The machine is off: not an Exception, so that nothing of ours handles it."""


class FaultyOs:
    """The `os` module whose n-th call fails; from a power cut on, every call does."""

    def __init__(self, fail_at: int, fault: Callable[[], BaseException]) -> None:
        self.calls: list[str] = []
        self._fail_at = fail_at
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in CALLS:
            return real

        def call(*arguments: Any) -> Any:
            number = len(self.calls)
            self.calls.append(name)
            fault = self._fault()
            dead = isinstance(fault, PowerCutError) and number > self._fail_at
            if number == self._fail_at or dead:
                if name == "write" and not dead:
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise fault
            return real(*arguments)

        return call


Releases = tuple[Release, Release]


class Gate(NamedTuple):
    """One boot of a gate, and the documents that it was handed."""

    replicator: Replicator
    book: ReplicaBook
    documents: dict[str, bytes]


def a_release(folder: Path, people: int) -> Release:
    watch = {WATCHED[people]: WatchEntry(CredentialStatus.ACTIVE)}
    orders = f"orders of {people}".encode()
    return Release(folder, people, others={WATCH: (WATCH_1, watch)}, documents={"orders": orders})


def who_is_known(gate: Gate) -> int:
    """Return how many people the book knows: the old release's number, or the new one's.

    Its watch list and its documents are of the same release.
    """
    now = ManualClock().now()
    known, watched = 0, []
    for number in range(NEW_PEOPLE):
        credential = Credential(CredentialKind.CITIZEN_CARD, (document(number),))
        standing = gate.book.standing_of(credential, now)
        assert standing.lookup in {Lookup.FOUND, Lookup.NOT_FOUND}
        known += standing.lookup is Lookup.FOUND
        watched += [number] if standing.watch else []
    assert watched == [WATCHED[known]]
    assert gate.documents == {"orders": f"orders of {known}".encode()}
    return known


def boot(state: Path, source: MemorySource) -> Gate:
    book, documents = ReplicaBook(HASH_KEY), dict[str, bytes]()
    replicator = Replicator(
        [source], a_store(state), book, ManualClock(), on_documents=documents.update
    )
    return Gate(replicator, book, documents)


async def activation(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultyOs, releases: Releases
) -> tuple[Outcome | None, int, int]:
    """Return how the faulty round ended, who was known after it, and who after a reboot."""
    old, new = releases
    source = MemorySource(old, new)
    gate = boot(folder / "state", source)
    assert await gate.replicator.once() is Outcome.ACTIVATED
    source.envelope = new.envelope(2)
    outcome = None
    with monkeypatch.context() as patch:
        patch.setattr(download, "os", fault)
        patch.setattr(durable, "os", fault)
        with contextlib.suppress(PowerCutError):
            outcome = await gate.replicator.once()
    lived = who_is_known(gate)
    rebooted = boot(folder / "state", source)
    assert await rebooted.replicator.open()
    after_boot = who_is_known(rebooted)
    assert await rebooted.replicator.once() in {Outcome.ACTIVATED, Outcome.UNCHANGED}
    assert who_is_known(rebooted) == NEW_PEOPLE
    return outcome, lived, after_boot


async def calls_of_one_activation(
    folder: Path, monkeypatch: pytest.MonkeyPatch, releases: Releases
) -> list[str]:
    faultless = FaultyOs(-1, PowerCutError)
    faultless._fail_at = 10**6
    await activation(folder, monkeypatch, faultless, releases)
    return faultless.calls


@pytest.mark.parametrize(
    "fault",
    [
        lambda: OSError(errno.ENOSPC, "No space left on device"),
        lambda: OSError(errno.EIO, "Input/output error"),
        PowerCutError,
    ],
    ids=["full", "broken", "power cut"],
)
async def test_every_call_of_an_activation_may_fail(
    fault: Callable[[], BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "count").mkdir()
    releases = a_release(tmp_path, OLD_PEOPLE), a_release(tmp_path, NEW_PEOPLE)
    calls = await calls_of_one_activation(tmp_path / "count", monkeypatch, releases)
    assert {"open", "write", "fsync", "replace"} <= set(calls)
    names = [number for number, call in enumerate(calls) if call == "replace"]
    assert len(names) == 8, "leaves and segment twice, document, PREVIOUS, CURRENT, RATCHET"
    for number in names:  # every new name is made durable before the next step
        assert "fsync" in calls[:number]
        assert calls[number + 1 : number + 3] == ["open", "fsync"]
    seen = set()
    for number in range(len(calls)):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = await activation(folder, monkeypatch, FaultyOs(number, fault), releases)
        outcome, lived, after_boot = result
        assert outcome in {None, Outcome.FAILED}, f"call {number} ({calls[number]}) is ignored"
        assert lived in {OLD_PEOPLE, NEW_PEOPLE}
        assert after_boot in {OLD_PEOPLE, NEW_PEOPLE}
        assert after_boot >= lived, f"call {number}: what answered is gone after the reboot"
        seen.add(after_boot)
    assert seen == {OLD_PEOPLE, NEW_PEOPLE}
