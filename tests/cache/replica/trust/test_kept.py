"""What is kept survives power cuts and damage, and neither ever makes an old file acceptable."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cache.errors import ReplicaError, SourceError, StoreError, TrustError, TrustRolledBack
from cache.replica import durable
from cache.replica.trust import Trust
from tests.cache.replica.trust.authority import Authority, Server, an_authority, at

CALLS = ("open", "write", "fsync", "fchmod", "replace")


class PowerCutError(BaseException):
    """The machine is off: not an Exception, so that nothing of ours handles it."""


class FaultyOs:
    """The `os` module whose n-th call fails; from a power cut on, every call does."""

    def __init__(self, fail_at: int, fault: Callable[[], BaseException]) -> None:
        self.calls = 0
        self._fail_at = fail_at
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in CALLS:
            return real

        def call(*arguments: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            fault = self._fault()
            dead = isinstance(fault, PowerCutError) and number > self._fail_at
            if number == self._fail_at or dead:
                if name == "write" and not dead:
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise fault
            return real(*arguments)

        return call


def news(authority: Authority) -> dict[str, bytes]:
    """Publish once more, under a new root that replaces the timestamp's key and a head key."""
    authority.rotate("timestamp", 60)
    authority.head_keys.append(authority.keys["timestamp"][0].public_key())
    authority.publish()
    return dict(authority.files)


async def a_gate(path: Path) -> tuple[Authority, bytes, dict[str, bytes]]:
    authority, root = an_authority()
    for _ in range(4):
        authority.publish()
    await Trust.open(path, root).refresh(Server(authority.files), at())
    return authority, root, dict(authority.files)


FAULTS: dict[str, Callable[[], BaseException]] = {
    "power cut": PowerCutError,
    "disk full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "medium error": lambda: OSError(errno.EIO, "Input/output error"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", range(40))
async def test_each_call_of_a_refresh_may_fail_and_the_next_one_mends_it(
    fault: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, root, old = await a_gate(tmp_path)
    new = news(authority)
    trust = Trust.open(tmp_path, root)
    faulty = FaultyOs(number, FAULTS[fault])
    monkeypatch.setattr(durable, "os", faulty)
    failed: BaseException | None = None
    try:
        await trust.refresh(Server(new), at())
    except (StoreError, PowerCutError) as error:
        failed = error
    monkeypatch.undo()
    if failed is None:
        assert faulty.calls <= number, "a call that failed was not noticed"
        assert fault != "power cut" or number > 20, "the enumeration reaches into the refresh"
    again = Trust.open(tmp_path, root)
    assert again.version in {0, 5, 6}
    assert bool(again.head_keys) == bool(again.version)
    kept_root = again.root_version
    assert again.version == 6 or len(again.head_keys) <= 1
    # A power cut is no way back to what was before it.
    with pytest.raises((TrustError, SourceError)) if kept_root == 2 else _maybe():
        await again.refresh(Server(old), at())
    assert again.root_version >= kept_root
    await again.refresh(Server(new), at())
    assert (again.version, again.root_version, len(again.head_keys)) == (6, 2, 2)
    last = Trust.open(tmp_path, root)
    assert (last.version, last.notes) == (6, ())


class _maybe:  # noqa: N801 - reads as the context manager that it stands for
    """Swallow a refusal, where one may be due or not."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        return isinstance(error, ReplicaError)


KEPT = ("FLOORS", "1.root.json", "2.root.json", "timestamp.json", "snapshot.json", "targets.json")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)))


def _one_bit(path: Path) -> None:
    path.write_bytes(_flipped(path.read_bytes()))


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], None]] = {
    "gone": Path.unlink,
    "empty": _empty,
    "noise": _noise,
    "a bit": _one_bit,
    "a directory": _directory,
}


def found(directory: Path, pattern: str) -> Path:
    (path,) = directory.glob(pattern)
    return path


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [*KEPT, "[0-9a-f]*.head-keys.pem"])
async def test_a_damaged_file_mends_and_lets_nothing_older_in(
    name: str, damage: str, tmp_path: Path
) -> None:
    authority, root, _ = await a_gate(tmp_path)
    old = dict(authority.files)
    authority.publish_root()
    authority.publish()
    old |= {n: data for n, data in authority.files.items() if n.endswith("root.json")}
    await Trust.open(tmp_path, root).refresh(Server(authority.files), at())
    DAMAGE[damage](found(tmp_path, name))
    trust = Trust.open(tmp_path, root)
    assert bool(trust.notes) == (name != "1.root.json"), "it is said, not passed over"
    with pytest.raises(TrustRolledBack):
        await trust.refresh(Server(old), at())
    await trust.refresh(Server(authority.files), at())
    assert (trust.version, trust.root_version, len(trust.head_keys)) == (6, 2, 1)
    assert Trust.open(tmp_path, root).version == 6


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [*KEPT, "[0-9a-f]*.head-keys.pem", "former-head-keys.pem"])
async def test_what_was_accepted_serves_whichever_one_file_is_damaged(
    name: str, damage: str, tmp_path: Path
) -> None:
    authority, root, _ = await a_gate(tmp_path)
    authority.publish_root()
    authority.publish()
    trust = Trust.open(tmp_path, root)
    await trust.refresh(Server(authority.files), at())
    listed = [key.public_bytes_raw() for key in trust.head_keys]
    DAMAGE[damage](found(tmp_path, name))
    again = Trust.open(tmp_path, root)
    known = [key.public_bytes_raw() for key in (*again.head_keys, *again.former_keys)]
    assert listed
    assert set(listed) <= set(known)


async def test_a_chain_cut_short_after_a_root_was_lost_is_refused(tmp_path: Path) -> None:
    authority, root, old = await a_gate(tmp_path)
    authority.rotate("targets", 61)
    authority.publish()
    await Trust.open(tmp_path, root).refresh(Server(authority.files), at())
    (tmp_path / "2.root.json").unlink()
    trust = Trust.open(tmp_path, root)
    assert trust.head_keys == (), "the targets of a lost root prove nothing"
    with pytest.raises(TrustRolledBack, match="the roots end at 1, and 2"):
        await trust.refresh(Server(old), at())
    await trust.refresh(Server(authority.files), at())
    assert (trust.root_version, trust.version) == (2, 6)


async def test_walking_lost_roots_again_lets_no_version_go(tmp_path: Path) -> None:
    """The rotation between them was answered when the root was first accepted."""
    authority, root, _ = await a_gate(tmp_path)
    authority.rotate("timestamp", 62)
    authority.publish()
    old = dict(authority.files)
    authority.publish()
    await Trust.open(tmp_path, root).refresh(Server(authority.files), at())
    (tmp_path / "2.root.json").unlink()
    trust = Trust.open(tmp_path, root)
    with pytest.raises(TrustRolledBack):
        await trust.refresh(Server(old), at())
    assert trust.root_version == 2


async def test_another_pinned_root_starts_anew_and_says_so(tmp_path: Path) -> None:
    await a_gate(tmp_path)
    other = Authority()
    other.keys["root"] = other.keys["targets"]
    root = other.publish_root()
    other.publish()
    trust = Trust.open(tmp_path, root)
    assert "anew" in str(trust.notes[0])
    assert trust.head_keys == ()
    assert await trust.refresh(Server(other.files), at())
    assert trust.version == 1
    assert Trust.open(tmp_path, root).notes == ()


async def test_a_later_root_of_the_same_chain_may_be_pinned_and_nothing_is_let_go(
    tmp_path: Path,
) -> None:
    authority, root, _ = await a_gate(tmp_path)
    old = dict(authority.files)
    later = authority.publish_root()
    authority.publish()
    old["2.root.json"] = later
    await Trust.open(tmp_path, root).refresh(Server(authority.files), at())
    trust = Trust.open(tmp_path, later)
    assert (trust.notes, trust.version) == ((), 6)
    with pytest.raises(TrustRolledBack):
        await trust.refresh(Server(old), at())


async def test_a_gate_that_never_refreshed_starts_without_a_note(tmp_path: Path) -> None:
    _, root = an_authority()
    Trust.open(tmp_path, root)
    assert Trust.open(tmp_path, root).notes == ()


def test_a_directory_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StoreError, match="cannot prepare"):
        Trust.open(Path("/proc/nothing/trust"), an_authority()[1])
