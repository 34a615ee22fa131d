"""What lies in the replica's directory under our names without being ours stops no start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cache.replica.generation import Generation
from cache.replica.names import PERSONS
from cache.replica.store import ReplicaStore
from tests.cache.replica.releases import Release, a_store, deliver


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path, 200)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(state: Path) -> tuple[ReplicaStore, Generation | None]:
    store = a_store(state)
    return store, store.open()


def serves(state: Path, release: Release) -> bool:
    _, generation = opened(state)
    return generation is not None and generation.contents.datasets[PERSONS] == release.dataset


@pytest.mark.parametrize(
    "name", ["CURRENT.tmp", "CURRENT", "RATCHET", "segments/{}.segment.part", "segments/{}.segment"]
)
def test_a_directory_under_a_name_of_ours_is_moved_aside(
    state: Path, release: Release, name: str
) -> None:
    path = state / name.format(release.dataset.name)
    path.mkdir(parents=True)
    (path / "evidence").write_text("kept")
    store, generation = opened(state)
    assert generation is None
    deliver(store, release, 1)
    assert serves(state, release)
    assert (path.with_name(path.name + ".stray") / "evidence").read_text() == "kept"


def test_a_file_in_place_of_the_segments_directory_is_moved_aside(
    state: Path, release: Release
) -> None:
    state.mkdir()
    (state / "segments").write_text("kept")
    deliver(opened(state)[0], release, 1)
    assert serves(state, release)
    assert (state / "segments.stray").read_text() == "kept"


def test_a_stray_of_an_earlier_start_is_not_overwritten(state: Path) -> None:
    for _ in range(2):
        (state / "CURRENT.tmp").mkdir(parents=True)
        opened(state)
    assert {path.name for path in state.glob("*.stray*")} == {
        "CURRENT.tmp.stray",
        "CURRENT.tmp.stray1",
    }


@pytest.mark.parametrize(
    "name", ["CURRENT", "RATCHET", "segments/{}.segment", "segments/{}.leaves"]
)
def test_a_pipe_in_place_of_a_file_does_not_hang_the_start(
    state: Path, release: Release, name: str
) -> None:
    """Opened like a file, it would wait for a writer for ever."""
    deliver(opened(state)[0], release, 1)
    if name.endswith(".leaves"):  # else they are not looked at
        (state / f"segments/{release.dataset.name}.segment").write_bytes(release.bytes[:-1] + b"x")
    path = state / name.format(release.dataset.name)
    path.unlink()
    os.mkfifo(path)
    store, _ = opened(state)
    missing = store.files.missing(store.usable(release.signed()), store.active)
    assert (not missing.bases) == (name in {"CURRENT", "RATCHET"})
    deliver(store, release, 2)
    assert serves(state, release)


def test_no_umask_opens_the_directory_to_others(state: Path, release: Release) -> None:
    before = os.umask(0)
    try:
        deliver(opened(state / "replica")[0], release, 1)
    finally:
        os.umask(before)
    for path in [state, *state.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
