"""What a hostile server, or a thief of some keys, can hand out, and how each is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Root, Targets

from cache.errors import TrustError, TrustRolledBack
from tests.cache.replica.trust.authority import Authority, private


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
"""Each: its name, what is done to what an authority serves, the refusal and what it says."""
