"""What a hostile server, or a thief of some keys, can hand out: each is refused and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuf.api.metadata import Metadata, MetaFile, Root, Targets, Timestamp

from cache.errors import SourceError, TrustError, TrustExpired, TrustRolledBack
from cache.replica.trust import Trust, judge
from cache.replica.trust.metadata import read
from tests.cache.replica.trust.authority import (
    Authority,
    Server,
    an_authority,
    at,
    private,
    signer,
    undated,
)


async def a_gate(path: Path) -> tuple[Authority, Trust]:
    """Return an authority that has published four times, and a gate that has followed."""
    authority, root = an_authority()
    authority.publish()
    authority.publish()
    authority.publish()
    trust = Trust.open(path, root)
    await trust.refresh(Server(authority.files), at())
    assert trust.version == 4
    return authority, trust


def old_timestamp(authority: Authority) -> None:
    authority.versions["timestamp"] = 1
    authority.publish_timestamp()


def old_snapshot(authority: Authority) -> None:
    authority.versions["snapshot"] = 2
    authority.publish_timestamp()


def old_targets(authority: Authority) -> None:
    authority.versions["targets"] = 2
    authority.publish_snapshot()
    authority.publish_timestamp()


def targets_left_out(authority: Authority) -> None:
    authority.publish_snapshot()
    name = f"{authority.versions['snapshot']}.snapshot.json"
    metadata = Metadata[Any].from_bytes(authority.files[name])
    metadata.signed.meta = {"other.json": MetaFile(9)}
    authority.files[name] = authority.signed(metadata.signed, authority.keys["snapshot"])
    authority.publish_timestamp()


def mixed_snapshot(authority: Authority) -> None:
    """A snapshot of the right version and signature that is not the one that is named."""
    authority.publish()
    authority.versions["snapshot"] -= 1
    authority.lives["snapshot"] = 29
    authority.publish_snapshot()


def mixed_targets(authority: Authority) -> None:
    authority.publish()
    authority.versions["targets"] -= 1
    authority.lives["targets"] = 89
    authority.publish_targets()


def snapshot_under_another_version(authority: Authority) -> None:
    authority.publish()
    named = authority.files["4.snapshot.json"]
    version = authority.versions["snapshot"]
    authority.files[f"{version}.snapshot.json"] = named
    authority.publish_timestamp()


def targets_under_another_version(authority: Authority) -> None:
    authority.publish_targets()
    authority.files["5.targets.json"] = authority.files["4.targets.json"]
    authority.publish_snapshot()
    authority.publish_timestamp()


def signed_by_stranger(role: str) -> Callable[[Authority], None]:
    def forge(authority: Authority) -> None:
        authority.keys[role] = [private(99)]
        authority.publish()

    return forge


def signed_by_nobody(role: str) -> Callable[[Authority], None]:
    def forge(authority: Authority) -> None:
        authority.keys[role] = []
        authority.publish()

    return forge


def root_by_stranger(authority: Authority) -> None:
    authority.publish_root(by=[private(99)])


def root_by_the_new_key_only(authority: Authority) -> None:
    authority.keys["root"] = [private(21)]
    authority.publish_root()


def root_by_the_old_key_only(authority: Authority) -> None:
    old = authority.keys["root"]
    authority.keys["root"] = [private(21)]
    authority.publish_root(by=old)


def root_below_its_new_threshold(authority: Authority) -> None:
    authority.thresholds["root"] = 2
    authority.keys["root"] = [*authority.keys["root"], private(21)]
    authority.publish_root(by=authority.keys["root"][:1])


def replayed_root(authority: Authority) -> None:
    authority.files["2.root.json"] = authority.files["1.root.json"]


def skipped_root(authority: Authority) -> None:
    authority.versions["root"] = 2
    authority.publish_root()
    authority.files["2.root.json"] = authority.files.pop("3.root.json")


def one_key_under_two_names(authority: Authority) -> None:
    """A threshold of two that one key would meet by itself."""
    authority.thresholds["timestamp"] = 2
    authority.keys["timestamp"] = [private(4), private(22)]
    metadata = Metadata[Root].from_bytes(authority.publish_root())
    root = metadata.signed
    first, second = root.roles["timestamp"].keyids
    root.keys[second].keyval = dict(root.keys[first].keyval)
    authority.files["2.root.json"] = authority.signed(root, authority.keys["root"])


def another_role(authority: Authority) -> None:
    authority.files["timestamp.json"] = authority.files["4.snapshot.json"]


def too_many_head_keys(authority: Authority) -> None:
    authority.head_keys = [private(n).public_key() for n in range(100, 109)]
    authority.publish()


def other_head_keys(authority: Authority) -> None:
    before = set(authority.files)
    authority.head_keys = [private(31).public_key()]
    authority.publish()
    (name,) = {n for n in set(authority.files) - before if n.endswith(".pem")}
    authority.files[name] = authority.files[name].replace(b"MCow", b"MCoW")


def no_head_keys(authority: Authority) -> None:
    authority.publish_targets()
    name = f"{authority.versions['targets']}.targets.json"
    metadata = Metadata[Targets].from_bytes(authority.files[name])
    metadata.signed.targets.clear()
    authority.files[name] = authority.signed(metadata.signed, authority.keys["targets"])
    authority.publish_snapshot()
    authority.publish_timestamp()


def raw_timestamp(data: bytes) -> Callable[[Authority], None]:
    def put(authority: Authority) -> None:
        authority.files["timestamp.json"] = data

    return put


def odd_version(version: object) -> Callable[[Authority], None]:
    def put(authority: Authority) -> None:
        plain = json.loads(authority.files["timestamp.json"])
        plain["signed"]["version"] = version
        authority.files["timestamp.json"] = json.dumps(plain).encode()

    return put


HOSTILE: list[tuple[str, Callable[[Authority], None], type[TrustError], str]] = [
    ("timestamp rolled back", old_timestamp, TrustRolledBack, "timestamp 2 came, and 4"),
    ("snapshot rolled back", old_snapshot, TrustRolledBack, "snapshot 2 came, and 4"),
    ("targets rolled back", old_targets, TrustRolledBack, "targets.json 2 came, and 4"),
    ("targets left out", targets_left_out, TrustError, "lists no targets"),
    ("snapshot mixed in", mixed_snapshot, TrustError, "not the one that is named"),
    ("targets mixed in", mixed_targets, TrustError, "not the one that is named"),
    ("snapshot misnamed", snapshot_under_another_version, TrustError, "snapshot 4 where"),
    ("targets misnamed", targets_under_another_version, TrustError, "targets 4 where"),
    *(
        (f"{role} by a stranger", signed_by_stranger(role), TrustError, f"{role} .* not signed")
        for role in ("timestamp", "snapshot", "targets")
    ),
    *(
        (f"{role} by nobody", signed_by_nobody(role), TrustError, f"{role} .* not signed")
        for role in ("timestamp", "snapshot", "targets")
    ),
    ("root by a stranger", root_by_stranger, TrustError, "root .* not signed"),
    ("root by the new key only", root_by_the_new_key_only, TrustError, "root .* not signed"),
    ("root by the old key only", root_by_the_old_key_only, TrustError, "root .* not signed"),
    ("root below its threshold", root_below_its_new_threshold, TrustError, "1/2 keys"),
    ("root replayed", replayed_root, TrustRolledBack, "root 1 where root 2"),
    ("root skipped", skipped_root, TrustRolledBack, "root 3 where root 2"),
    ("one key under two names", one_key_under_two_names, TrustError, "two names"),
    ("another role's file", another_role, TrustError, "snapshot metadata where timestamp"),
    ("nine head keys", too_many_head_keys, TrustError, "1 to 8"),
    ("other head keys", other_head_keys, TrustError, "not the one that is named"),
    ("no head keys", no_head_keys, TrustError, "list no usable"),
    ("deep JSON", raw_timestamp(b"[" * 16_000), TrustError, "not timestamp metadata"),
    (
        "deep JSON that parses",
        raw_timestamp(
            b'{"signatures":[],"signed":{"_type":"timestamp","version":9,"spec_version":"1.0.31",'
            b'"expires":"2031-01-01T00:00:00Z","meta":{"snapshot.json":{"version":1}},"x":'
            + b"[" * 900
            + b"]" * 900
            + b"}}"
        ),
        TrustError,
        "timestamp metadata",
    ),
    ("no JSON", raw_timestamp(b"\xff\x00"), TrustError, "not timestamp metadata"),
    ("a huge number", raw_timestamp(b"9" * 10_000), TrustError, "not timestamp metadata"),
    ("a fraction for a version", odd_version(9.5), TrustError, "not timestamp metadata"),
    ("true for a version", odd_version(True), TrustError, "out of range"),
    ("a version out of range", odd_version(1 << 63), TrustError, "out of range"),
]


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
