"""Protects that metadata which nobody renews is noticed, by a clock that is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache.errors import TrustExpired
from tests.cache.replica.trust.authority import Server, a_gate, at, undated


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
async def test_frozen_metadata_is_noticed_once_the_clock_is_trusted(
    role: str, tmp_path: Path
) -> None:
    authority, trust = await a_gate(tmp_path)
    authority.lives |= dict.fromkeys(authority.lives, 1_000) | {role: 5}
    authority.publish()
    await trust.refresh(Server(authority.files), at(1))
    assert not await trust.refresh(Server(authority.files), undated(400))
    with pytest.raises(TrustExpired, match=role):
        await trust.refresh(Server(authority.files), at(6))
    assert trust.head_keys, "what was accepted goes on serving"


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
async def test_what_has_expired_is_not_taken_in_by_a_trusted_clock(
    role: str, tmp_path: Path
) -> None:
    authority, trust = await a_gate(tmp_path)
    authority.lives[role] = 5
    authority.publish()
    with pytest.raises(TrustExpired, match=role):
        await trust.refresh(Server(authority.files), at(6))
    assert trust.version == 4
    assert await trust.refresh(Server(authority.files), undated(6)), "no clock, no expiry"
    assert trust.version == 5
