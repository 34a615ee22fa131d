"""Protects that whatever a hostile server hands out is refused, and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuf.api.metadata import Metadata, Root, Timestamp

from cache.errors import SourceError, TrustError
from cache.replica.trust import Trust, judge
from cache.replica.trust.metadata import read
from tests.cache.replica.trust.authority import (
    Authority,
    Server,
    a_gate,
    an_authority,
    at,
    private,
    signer,
)
from tests.cache.replica.trust.forgeries import HOSTILE


@pytest.mark.parametrize(
    ("change", "error", "says"), [case[1:] for case in HOSTILE], ids=[c[0] for c in HOSTILE]
)
async def test_it_is_refused_and_what_was_accepted_goes_on_serving(
    change: Callable[[Authority], None], error: type[TrustError], says: str, tmp_path: Path
) -> None:
    authority, trust = await a_gate(tmp_path)
    served = [key.public_bytes_raw() for key in trust.head_keys]
    change(authority)
    with pytest.raises(error, match=says):
        await trust.refresh(Server(authority.files), at())
    assert [key.public_bytes_raw() for key in trust.head_keys] == served
    assert trust.version == 4
    again = Trust.open(tmp_path, authority.files["1.root.json"])
    assert (again.version, again.notes) == (4, ())


async def test_an_endless_answer_is_cut_off(tmp_path: Path) -> None:
    class Endless:
        async def metadata(self, name: str, limit_bytes: int) -> bytes:
            if name.endswith("root.json"):
                raise SourceError("none")
            return b" " * (limit_bytes + 1)  # a source that does not keep to its own promise

    _, trust = await a_gate(tmp_path)
    with pytest.raises(TrustError, match=r"timestamp\.json is longer than"):
        await trust.refresh(Endless(), at())


async def test_no_more_is_asked_for_than_is_named(tmp_path: Path) -> None:
    authority, _ = await a_gate(tmp_path / "first")
    limits = {}

    class Noting(Server):
        async def metadata(self, name: str, limit_bytes: int) -> bytes:
            limits[name] = limit_bytes
            return await super().metadata(name, limit_bytes)

    trust = Trust.open(tmp_path / "second", authority.files["1.root.json"])
    await trust.refresh(Noting(authority.files), at())
    assert limits["4.targets.json"] == len(authority.files["4.targets.json"])
    assert limits["4.snapshot.json"] == len(authority.files["4.snapshot.json"])
    assert max(limits.values()) <= 65_536


async def test_two_signatures_of_one_key_do_not_meet_a_threshold_of_two(tmp_path: Path) -> None:
    authority, trust = await a_gate(tmp_path)
    authority.thresholds["timestamp"] = 2
    authority.keys["timestamp"] = [private(4), private(25)]
    authority.publish_root()
    authority.versions["timestamp"] += 1
    authority.keys["timestamp"] = [private(4)]
    authority.publish_timestamp()
    plain = json.loads(authority.files["timestamp.json"])
    plain["signatures"] *= 2
    authority.files["timestamp.json"] = json.dumps(plain).encode()
    with pytest.raises(TrustError, match="Multiple signatures"):
        await trust.refresh(Server(authority.files), at())
    authority.keys["timestamp"] = [private(4), private(25)]
    authority.publish()
    assert await trust.refresh(Server(authority.files), at())


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_bytes_whatever_are_taken_in_for_a_signed_file(data: st.DataObject) -> None:
    authority, root = an_authority()
    state = judge.pinned(root)
    honest = authority.files["timestamp.json"]
    at_byte = data.draw(st.integers(0, len(honest) - 1))
    other = data.draw(st.binary(min_size=0, max_size=8))
    forged = honest[:at_byte] + other + honest[at_byte + len(other) :]
    try:
        taken = judge.with_timestamp(state, forged, at())
    except TrustError:
        return
    assert taken.timestamp is not None
    assert taken.timestamp.payload == read(Timestamp, honest).payload


def test_a_pin_that_is_no_root_is_named_with_what_to_do(tmp_path: Path) -> None:
    authority, root = an_authority()
    unsigned = Metadata[Root].from_bytes(root)
    unsigned.signatures.clear()
    unsigned.sign(signer(private(98)))
    for pin in (b"", b"{}", authority.files["timestamp.json"], unsigned.to_bytes()):
        with pytest.raises(TrustError, match="root file cannot be used") as refusal:
            Trust.open(tmp_path, pin)
        assert "chot hub keys" in refusal.value.hint
    assert not list(tmp_path.iterdir())
