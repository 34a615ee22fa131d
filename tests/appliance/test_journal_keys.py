"""Whose signatures count: those of keys that are named, or else lie beside the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.journal_keys import journal_keys
from cache.errors import TrustError
from cache.journal.verification import Keys
from cache.replica.keys import public_pem
from cache.replica.trust import Trust
from tests.cache.journal.anchored import DEVICE, HUB, STRANGER
from tests.cache.replica.trust.authority import Server, an_authority, at


def raw(keys: Keys) -> set[bytes]:
    return {key.public_bytes_raw() for key in keys.hub}


async def a_state(path: Path) -> tuple[Path, bytes]:
    """Return a state folder's journal and the root that the gate was set up with."""
    authority, root = an_authority()
    authority.head_keys = [HUB.public_key()]
    authority.publish()
    await Trust.open(path / "trust", root).refresh(Server(authority.files), at())
    (path / "identity").mkdir()
    (path / "identity" / "device.pub").write_bytes(public_pem([DEVICE.public_key()]))
    (path / "journal").mkdir()
    return path / "journal", root


async def test_what_lies_in_the_state_folder_counts_where_nothing_is_named(tmp_path: Path) -> None:
    folder, _ = await a_state(tmp_path)
    keys = journal_keys(folder)
    assert keys.device == DEVICE.public_key()
    assert raw(keys) == {HUB.public_key().public_bytes_raw()}


async def test_the_hub_s_keys_follow_from_a_root_that_is_named(tmp_path: Path) -> None:
    folder, root = await a_state(tmp_path)
    named = tmp_path / "brought.json"
    named.write_bytes(root)
    assert raw(journal_keys(folder, root=named)) == {HUB.public_key().public_bytes_raw()}


async def test_the_folder_s_own_trust_is_not_changed_by_looking(tmp_path: Path) -> None:
    folder, _ = await a_state(tmp_path)
    before = {path.name: path.read_bytes() for path in (tmp_path / "trust").iterdir()}
    journal_keys(folder)
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "trust").iterdir()}


async def test_a_root_from_which_nothing_follows_here_is_told(tmp_path: Path) -> None:
    _, root = await a_state(tmp_path / "gate")
    named, elsewhere = tmp_path / "root.json", tmp_path / "copied" / "journal"
    named.write_bytes(root)
    elsewhere.mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        journal_keys(elsewhere, root=named)
    assert "--head-keys" in caught.value.hint
    named.write_bytes(b"{}")
    with pytest.raises(TrustError):
        journal_keys(elsewhere, root=named)


async def test_a_damaged_trust_keeps_nobody_from_checking_the_rest(tmp_path: Path) -> None:
    folder, _ = await a_state(tmp_path)
    for path in (tmp_path / "trust").glob("*.root.json"):
        path.write_bytes(b"{}")
    keys = journal_keys(folder)
    assert (keys.device, keys.hub) == (DEVICE.public_key(), ())


def test_a_copied_folder_has_no_keys_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    keys = journal_keys(folder)
    assert (keys.device, keys.hub) == (None, ())


def test_a_file_of_several_keys_names_no_device(tmp_path: Path) -> None:
    path = tmp_path / "keys.pub"
    path.write_bytes(public_pem([DEVICE.public_key(), STRANGER.public_key()]))
    with pytest.raises(ConfigError):
        journal_keys(tmp_path, device_key=path)
