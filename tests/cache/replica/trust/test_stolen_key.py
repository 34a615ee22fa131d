"""Protects that what a thief signed goes with his key once it is replaced, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache.errors import TrustRolledBack
from tests.cache.replica.trust.authority import Server, a_gate, at


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
async def test_versions_that_a_thief_pushed_up_are_let_go_with_his_key(
    role: str, tmp_path: Path
) -> None:
    authority, trust = await a_gate(tmp_path)
    honest = dict(authority.versions)
    authority.versions |= dict.fromkeys(["timestamp", "snapshot", "targets"], (1 << 62) - 1)
    authority.publish()
    await trust.refresh(Server(authority.files), at())
    authority.versions |= honest
    authority.publish()
    with pytest.raises(TrustRolledBack):
        await trust.refresh(Server(authority.files), at())
    authority.rotate(role, 23)
    authority.publish()
    assert await trust.refresh(Server(authority.files), at())
    assert trust.version == honest["targets"] + 2
    # and from then on the new versions bind
    authority.versions["timestamp"] = 1
    authority.publish_timestamp()
    with pytest.raises(TrustRolledBack):
        await trust.refresh(Server(authority.files), at())


async def test_a_thiefs_snapshot_goes_with_the_timestamps_key(tmp_path: Path) -> None:
    authority, trust = await a_gate(tmp_path)
    honest = dict(authority.versions)
    authority.lives["snapshot"] = 29
    authority.publish({"segments/bad.segment": b"bad"})
    await trust.refresh(Server(authority.files), at())
    authority.versions |= honest
    authority.rotate("timestamp", 23)
    authority.publish({"segments/good.segment": b"good"})
    server = Server(authority.files)
    await trust.refresh(server, at())
    assert "5.snapshot.json" in server.asked, "the same version, and not the same file"


async def test_a_key_that_is_only_added_lets_no_version_go(tmp_path: Path) -> None:
    authority, trust = await a_gate(tmp_path)
    authority.rotate("timestamp", 4, 24)
    authority.versions["timestamp"] = 0
    authority.publish_timestamp()
    with pytest.raises(TrustRolledBack):
        await trust.refresh(Server(authority.files), at())
    assert trust.root_version == 2
