"""Protects the root key: it can live elsewhere, and never gets lost on the way."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cache.replica.replicate import Outcome
from hub import rotation
from hub.errors import HubError, KeyFileError
from hub.keys import HEAD, ROOT, TARGETS, TIMESTAMP, create_keys, key_file, load_keys, read_key
from hub.rotation import NEW, settle, take_offline
from tests.hub.rotating import World, of


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_root_key_can_live_on_a_stick(world: World) -> None:
    await world.round()
    stick = world.path / "stick" / "root.key"
    stick.parent.mkdir()
    here = world.folder.keys / key_file(ROOT)
    before = read_key(here).private_bytes_raw()
    take_offline(world.folder, stick)
    assert not here.exists()
    assert stat.S_IMODE(stick.stat().st_mode) == 0o600
    stick.chmod(0o755)  # a stick's file system keeps no modes
    with pytest.raises(KeyFileError, match="not at") as refusal:
        world.rotate(TARGETS)
    assert "--root-key" in refusal.value.hint
    world.rotate(TARGETS, stick)
    world.rotate(ROOT, stick)
    assert read_key(stick, removable=True).private_bytes_raw() != before
    assert not here.exists(), "the new root key goes where the old one was"
    world.rotate(TIMESTAMP, stick)
    assert await world.round() in {Outcome.REVOUCHED, Outcome.ACTIVATED}
    assert world.trust.root_version == 4
    world.rotate(HEAD)
    assert await world.round() is Outcome.REVOUCHED, "the head's key needs no root key"


def test_a_wrong_root_key_changes_nothing(world: World) -> None:
    other = world.path / "other"
    create_keys(other)
    before = load_keys(world.folder.keys)
    with pytest.raises(HubError, match="not the key"):
        world.rotate(TARGETS, other / key_file(ROOT))
    settle(world.folder)
    assert of(load_keys(world.folder.keys), TARGETS) == of(before, TARGETS)
    assert not list(world.folder.keys.glob(f"*{NEW}"))


def test_a_file_that_is_there_is_never_overwritten(world: World) -> None:
    stick = world.path / "precious"
    stick.write_bytes(b"precious")
    with pytest.raises(KeyFileError, match="already"):
        take_offline(world.folder, stick)
    assert stick.read_bytes() == b"precious"
    assert load_keys(world.folder.keys).root is not None


def test_a_medium_that_keeps_something_else_leaves_the_key_here(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, data: bytes) -> None:
        path.write_bytes(data[:40])

    monkeypatch.setattr(rotation, "_write_elsewhere", half)
    with pytest.raises(KeyFileError):
        take_offline(world.folder, world.path / "stick")
    assert load_keys(world.folder.keys).root is not None
