"""`chot hub device`: a gate set up by hand counts by its key, and a denied one counts no more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cache.replica.keys import public_pem
from hub.errors import HubError
from hub.folder import DataFolder
from hub.store.devices import Device
from hub.store.sqlite import open_store
from tests.hub.commands import run, succeed


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    succeed("init", "--data", tmp_path / "hub")
    return DataFolder(tmp_path / "hub")


def a_key_file(path: Path, count: int = 1) -> tuple[Path, bytes]:
    keys = [Ed25519PrivateKey.generate().public_key() for _ in range(count)]
    path.write_bytes(public_pem(keys))
    return path, keys[0].public_bytes_raw()


def held(folder: DataFolder, name: str = "gate-1") -> Device:
    async def read() -> Device | None:
        async with open_store(folder.database) as store:
            return await store.device_by_name(name)

    device = asyncio.run(read())
    assert device is not None
    return device


def test_a_gate_is_registered_by_its_key(folder: DataFolder, tmp_path: Path) -> None:
    path, key = a_key_file(tmp_path / "device.pub")
    first = succeed("device", "--data", folder.root, "gate-1", "--public-key", path)
    assert "no longer" not in first.output
    assert held(folder).public_key == key
    newer, key = a_key_file(tmp_path / "newer.pub")
    again = succeed("device", "gate-1", "--data", folder.root, "--public-key", newer)
    assert "no longer counts" in again.output
    assert held(folder).public_key == key


def test_a_gate_is_denied_listed_and_allowed(folder: DataFolder, tmp_path: Path) -> None:
    path, _ = a_key_file(tmp_path / "device.pub")
    data = ("--data", folder.root)
    succeed("device", *data, "gate-1", "--public-key", path)
    assert "active" in succeed("device", "list", *data).output
    succeed("device", "deny", *data, "gate-1")
    assert held(folder).denied
    assert "denied since" in succeed("device", "list", *data).output
    succeed("device", "allow", *data, "gate-1")
    assert not held(folder).denied


@pytest.mark.parametrize("act", ["deny", "allow"])
def test_an_unknown_gate_is_named(folder: DataFolder, act: str) -> None:
    refused = run("device", act, "--data", folder.root, "gate-9")
    assert isinstance(refused.exception, HubError)
    assert "gate-9" in str(refused.exception)


@pytest.mark.parametrize("count", [0, 2])
def test_a_file_that_holds_not_one_key_is_refused(
    folder: DataFolder, tmp_path: Path, count: int
) -> None:
    path = tmp_path / "device.pub"
    if count:
        a_key_file(path, count)
    refused = run("device", "--data", folder.root, "gate-1", "--public-key", path)
    assert isinstance(refused.exception, HubError)
    assert "device.pub" in f"{refused.exception} {refused.exception.hint}"


def test_no_key_is_refused(folder: DataFolder) -> None:
    assert "--public-key" in run("device", "--data", folder.root, "gate-1").output
