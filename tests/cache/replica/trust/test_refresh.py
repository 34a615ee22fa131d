"""Following an honest hub: what is new counts, keys are replaced, and outages change nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tuf.api.metadata import TargetFile

from cache.errors import HeadError, SourceError, TrustError
from cache.replica.head import Blob, Dataset, Document, Following, Head, public_key_id
from cache.replica.keys import public_keys
from cache.replica.trust import Trust, document_target, segment_target
from tests.cache.replica.trust.authority import Authority, Server, an_authority, at, pem, private


def raw(trust: Trust) -> list[bytes]:
    return [key.public_bytes_raw() for key in trust.head_keys]


def of(seed: int) -> bytes:
    return private(seed).public_key().public_bytes_raw()


def kept_head_keys(path: Path) -> list[Path]:
    return list(path.glob("*head-keys.pem"))


async def test_the_first_refresh_brings_the_head_keys(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path / "trust", root)
    assert (trust.head_keys, trust.version, trust.notes) == ((), 0, ())
    assert await trust.refresh(Server(authority.files), at())
    assert raw(trust) == [of(9)]
    assert trust.version == 1


async def test_nothing_new_is_said_to_be_nothing_new_and_costs_two_requests(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    server = Server(authority.files)
    await trust.refresh(server, at())
    server.asked.clear()
    assert not await trust.refresh(server, at(1))
    assert server.asked == ["2.root.json", "timestamp.json"]


async def test_what_was_accepted_serves_after_a_restart_without_network(tmp_path: Path) -> None:
    authority, root = an_authority()
    await Trust.open(tmp_path, root).refresh(Server(authority.files), at())
    trust = Trust.open(tmp_path, root)
    assert raw(trust) == [of(9)]
    assert trust.notes == ()
    with pytest.raises(SourceError):
        await trust.refresh(Server({}), at(300))
    assert raw(trust) == [of(9)], "what was accepted goes on serving, expired or not"


async def test_a_renewed_timestamp_alone_is_taken_in(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    await trust.refresh(Server(authority.files), at())
    authority.day = 29
    authority.publish_snapshot()
    authority.publish_timestamp()
    assert await trust.refresh(Server(authority.files), at(29))
    assert not await trust.refresh(Server(authority.files), at(50)), "it has not expired by then"
    assert trust.version == 1


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp", "root"])
async def test_a_stolen_key_is_replaced_by_the_root(role: str, tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    await trust.refresh(Server(authority.files), at())
    stolen = authority.keys[role]
    authority.rotate(role, 20)
    authority.publish()
    assert await trust.refresh(Server(dict(authority.files)), at())
    assert trust.root_version == 2
    authority.keys[role] = stolen
    if role == "root":
        authority.publish_root()
    authority.publish()
    if role == "root":
        with pytest.raises(TrustError, match="not signed"):
            await trust.refresh(Server(authority.files), at())
        assert trust.root_version == 2
    else:
        with pytest.raises(TrustError, match=f"{role} metadata is not signed"):
            await trust.refresh(Server(authority.files), at())
    assert raw(trust) == [of(9)]


async def test_a_stolen_head_key_is_replaced_by_the_targets(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    await trust.refresh(Server(authority.files), at())
    stolen = public_key_id(private(9).public_key())
    authority.head_keys = [private(30).public_key()]
    authority.publish()
    assert await trust.refresh(Server(authority.files), at())
    assert raw(trust) == [of(30)]
    left = {public_key_id(key) for key in trust.head_keys}
    assert stolen not in left, "the ratchet of its heads binds no longer"
    for gate in (trust, Trust.open(tmp_path, root)):
        assert raw(gate) == [of(30)]
        assert [key.public_bytes_raw() for key in gate.former_keys] == [of(9)]
    assert len(kept_head_keys(tmp_path)) == 2


async def test_several_roots_are_walked_at_once_each_by_the_one_before(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    for seed in range(40, 46):
        authority.rotate("root", seed)
    authority.rotate("targets", 50)
    authority.publish()
    assert await trust.refresh(Server(authority.files), at())
    assert (trust.root_version, trust.version) == (8, 2)
    assert Trust.open(tmp_path, root).root_version == 8


async def test_a_chain_longer_than_one_refresh_takes_is_walked_in_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cache.replica.trust.trust.MAX_NEW_ROOTS", 2)
    authority, root = an_authority()
    for _ in range(3):
        authority.publish_root()
    trust = Trust.open(tmp_path, root)
    await trust.refresh(Server(authority.files), at())
    assert trust.root_version == 3
    await trust.refresh(Server(authority.files), at())
    assert trust.root_version == 4


async def test_an_expired_root_on_the_way_is_no_obstacle_and_at_the_end_is(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    authority.day = 500
    authority.publish()
    with pytest.raises(TrustError, match="root metadata expired"):
        await trust.refresh(Server(authority.files), at(500))
    authority.publish_root()
    assert await trust.refresh(Server(authority.files), at(500))


async def test_targets_that_a_new_root_no_longer_vouches_for_are_withdrawn_at_once(
    tmp_path: Path,
) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    await trust.refresh(Server(authority.files), at())
    authority.rotate("targets", 20)
    with pytest.raises(SourceError):
        await trust.refresh(Server({"2.root.json": authority.files["2.root.json"]}), at())
    for gate in (trust, Trust.open(tmp_path, root)):
        assert gate.head_keys == ()
        assert [key.public_bytes_raw() for key in gate.former_keys] == [of(9)]
    authority.publish()
    assert await trust.refresh(Server(authority.files), at())
    assert raw(trust) == [of(9)]


async def test_a_gate_can_follow_what_another_accepted(tmp_path: Path) -> None:
    authority, root = an_authority()
    authority.rotate("targets", 20)
    authority.publish()
    trust = Trust.open(tmp_path / "first", root)
    await trust.refresh(Server(authority.files), at())
    other = Trust.open(tmp_path / "second", root)
    await other.refresh(Server(trust.files()), at())
    assert (other.version, raw(other), other.root_version) == (2, [of(9)], 2)


async def test_an_upstream_out_of_reach_changes_nothing(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    server = Server(authority.files)
    await trust.refresh(server, at())
    server.unreachable = True
    with pytest.raises(SourceError):
        await trust.refresh(server, at(1))
    assert raw(trust) == [of(9)]


async def test_refreshes_at_the_same_time_take_turns(tmp_path: Path) -> None:
    authority, root = an_authority()
    trust = Trust.open(tmp_path, root)
    server = Server(authority.files)
    news = await asyncio.gather(*(trust.refresh(server, at()) for _ in range(3)))
    assert news == [True, False, False]


def a_head(*, targets: int = 1, size: int = 3, following: int = 4, document: int = 5) -> Head:
    root, after, digest = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32
    coming = Following(after, following, 1, 1, Blob(bytes(32), 1))
    dataset = Dataset(root, size, 1, 8, changes=b"x", through=1, following=coming)
    documents = {"orders": Document(digest, document)}
    return Head(1, 1, 2, 0, bytes(8), {"persons": dataset}, documents, targets=targets)


LISTED = {
    segment_target(bytes([1]) * 32): 3,
    segment_target(bytes([2]) * 32): 4,
    document_target(bytes([3]) * 32): 5,
}


async def listing(authority: Authority, root: bytes, path: Path, listed: dict[str, int]) -> Trust:
    authority.listed = {n: TargetFile(size, {"sha256": "0" * 64}, n) for n, size in listed.items()}
    authority.versions["targets"] = 0
    authority.publish()
    trust = Trust.open(path, root)
    await trust.refresh(Server(authority.files), at())
    return trust


async def test_a_head_may_name_what_is_listed_and_nothing_else(tmp_path: Path) -> None:
    trust = await listing(*an_authority(), tmp_path / "all", LISTED)
    trust.require(a_head())
    with pytest.raises(HeadError, match="relies on targets 2"):
        trust.require(a_head(targets=2))
    for other in ({"size": 4}, {"following": 5}, {"document": 6}):
        with pytest.raises(HeadError, match="do not"):
            trust.require(a_head(**other))
    for number, name in enumerate(LISTED):
        rest = {n: size for n, size in LISTED.items() if n != name}
        trust = await listing(*an_authority(), tmp_path / str(number), rest)
        with pytest.raises(HeadError, match=name):
            trust.require(a_head())


def test_without_targets_no_head_is_good_enough(tmp_path: Path) -> None:
    trust = Trust.open(tmp_path, an_authority()[1])
    with pytest.raises(HeadError, match="do not"):
        trust.require(a_head(targets=0))


def test_head_keys_are_read_from_pem_and_nothing_else() -> None:
    keys = [private(1).public_key(), private(2).public_key()]
    assert [k.public_bytes_raw() for k in public_keys(pem(keys)) or ()] == [of(1), of(2)]
    for other in (b"", b"noise", b"\xff", pem(keys).replace(b"MCow", b"MCox", 1)):
        assert public_keys(other) is None
