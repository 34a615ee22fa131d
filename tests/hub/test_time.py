"""The hub's signed time: for the nonce that was asked, at the hub's present, kept by nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cache.errors import TimeProofError
from cache.replica.time_proof import MAX_TIME_PROOF_BYTES, NONCE_BYTES, TIME_PATH, verify_time
from tests.hub.doors import HEAD_KEY, Hub, a_hub, refusal

NONCE = bytes(range(200, 200 + NONCE_BYTES))


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Hub]:
    async with a_hub(tmp_path) as world:
        yield world


async def asked(hub: Hub, query: str) -> tuple[int, bytes]:
    async with hub.session.get(f"{hub.url}{TIME_PATH}{query}") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        if answer.status == 200:
            assert answer.content_type == "application/octet-stream"
        return answer.status, await answer.read()


async def test_each_nonce_gets_the_hubs_present(hub: Hub) -> None:
    trusted = [HEAD_KEY.public_key()]
    status, first = await asked(hub, f"?nonce={NONCE.hex()}")
    assert (status, len(first) <= MAX_TIME_PROOF_BYTES) == (200, True)
    assert verify_time(first, NONCE, trusted) == hub.clock.wall_ns
    hub.clock.advance(3_600)
    fresh = bytes(NONCE_BYTES)
    _, second = await asked(hub, f"?nonce={fresh.hex().upper()}")
    assert verify_time(second, fresh, trusted) == hub.clock.wall_ns
    with pytest.raises(TimeProofError):
        verify_time(first, fresh, trusted)


@pytest.mark.parametrize(
    "nonce",
    ["", "0" * 31, "0" * 33, "g" * 32, "0" * 7_000, "%20" + "0" * 31, "%D9%A0" * 32],
)
async def test_a_malformed_nonce_is_refused(hub: Hub, nonce: str) -> None:
    assert refusal(await asked(hub, f"?nonce={nonce}")) == (400, "the nonce has 32 hex digits")


async def test_a_missing_nonce_is_refused(hub: Hub) -> None:
    assert refusal(await asked(hub, ""))[0] == 400
