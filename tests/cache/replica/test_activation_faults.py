"""Activation is old or new, never neither: every system call of it fails once, and dies once."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admission.credential import Credential, CredentialKind
from admission.standing import Lookup
from cache.replica import activate, durable
from cache.replica.book import ReplicaBook
from cache.replica.replicate import Outcome, Replicator
from cache.replica.store import ReplicaStore
from tests.cache.replica.releases import (
    HASH_KEY,
    HASH_KEY_ID,
    TRUSTED,
    MemorySource,
    Release,
    document,
)
from tests.worlds import ManualClock

OLD_PEOPLE, NEW_PEOPLE = 100, 130
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


def who_is_known(book: ReplicaBook) -> int:
    """Return how many people the book knows: the old release's number, or the new one's."""
    now = ManualClock().now()
    known = 0
    for number in range(NEW_PEOPLE):
        credential = Credential(CredentialKind.CITIZEN_CARD, (document(number),))
        standing = book.standing_of(credential, now)
        assert standing.lookup in {Lookup.FOUND, Lookup.NOT_FOUND}
        known += standing.lookup is Lookup.FOUND
    return known


def boot(state: Path, source: MemorySource) -> tuple[Replicator, ReplicaBook]:
    book = ReplicaBook(HASH_KEY)
    store = ReplicaStore(state, TRUSTED, HASH_KEY_ID)
    return Replicator(source, store, book, ManualClock()), book


async def activation(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: FaultyOs
) -> tuple[Outcome | None, int, int]:
    """Return how the faulty round ended, who was known after it, and who after a reboot."""
    old, new = Release(folder, OLD_PEOPLE), Release(folder, NEW_PEOPLE)
    source = MemorySource(old, new)
    replicator, book = boot(folder / "state", source)
    assert await replicator.once() is Outcome.ACTIVATED
    source.envelope = new.envelope(2)
    outcome = None
    with monkeypatch.context() as patch:
        patch.setattr(activate, "os", fault)
        patch.setattr(durable, "os", fault)
        with contextlib.suppress(PowerCutError):
            outcome = await replicator.once()
    lived = who_is_known(book)
    rebooted, book = boot(folder / "state", source)
    assert await rebooted.open()
    after_boot = who_is_known(book)
    assert await rebooted.once() in {Outcome.ACTIVATED, Outcome.UNCHANGED}
    assert who_is_known(book) == NEW_PEOPLE
    return outcome, lived, after_boot


async def calls_of_one_activation(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    faultless = FaultyOs(-1, PowerCutError)
    faultless._fail_at = 10**6
    await activation(folder, monkeypatch, faultless)
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
    calls = await calls_of_one_activation(tmp_path / "count", monkeypatch)
    assert {"open", "write", "fsync", "replace"} <= set(calls)
    names = [number for number, call in enumerate(calls) if call == "replace"]
    assert len(names) == 5, "leaves, segment, PREVIOUS, CURRENT, RATCHET"
    for number in names:  # every new name is made durable before the next step
        assert "fsync" in calls[:number]
        assert calls[number + 1 : number + 3] == ["open", "fsync"]
    seen = set()
    for number in range(len(calls)):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = await activation(folder, monkeypatch, FaultyOs(number, fault))
        outcome, lived, after_boot = result
        assert outcome in {None, Outcome.FAILED}, f"call {number} ({calls[number]}) is ignored"
        assert lived in {OLD_PEOPLE, NEW_PEOPLE}
        assert after_boot in {OLD_PEOPLE, NEW_PEOPLE}
        assert after_boot >= lived, f"call {number}: what answered is gone after the reboot"
        seen.add(after_boot)
    assert seen == {OLD_PEOPLE, NEW_PEOPLE}
