"""TUF's client workflow (specification §5.3 to §5.6), pure: files and the time in, a state out.

Each function takes what is trusted and one file that came from outside, and returns what is trusted
then. Time counts only where the clock is trusted. What has expired is not taken in (§5.4.4, §5.5.6,
§5.6.5), and what was taken in before goes on serving until newer comes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from admission.instant import Instant
from cache.errors import TrustError, TrustRolledBack
from cache.replica.keys import public_keys
from cache.replica.trust.metadata import (
    HEAD_KEYS,
    MAX_HEAD_KEYS_BYTES,
    TARGETS_FILE,
    Received,
    is_signed,
    read,
    require_fresh,
    require_named,
    require_signed,
)

MAX_HEAD_KEYS = 8
_ROLLED_BACK_HINT = (
    "the upstream serves old files; if the hub was restored from a backup: chot hub keys rotate"
    " timestamp"
)


class Floors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The versions below which nothing is accepted, whatever becomes of the files themselves.

    `pin` is the SHA-256 of the root file that was given to this gate. `root` is the newest root
    accepted; `timestamp` and `snapshot` are versions, `listed` those that the newest snapshot
    lists, by file name.
    """

    pin: bytes
    root: int
    timestamp: int = 0
    snapshot: int = 0
    listed: dict[str, int] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What is trusted. `head_keys` are those that `targets` lists, and empty without targets.

    `former_keys` are those that were listed before them.
    """

    root: Received[Root]
    floors: Floors
    timestamp: Received[Timestamp] | None = None
    snapshot: Received[Snapshot] | None = None
    targets: Received[Targets] | None = None
    head_keys: tuple[Ed25519PublicKey, ...] = ()
    former_keys: tuple[Ed25519PublicKey, ...] = ()


def pinned(data: bytes) -> State:
    """Return what is trusted by the root file alone that somebody put here (§5.2).

    :raises TrustError: if it is not root metadata signed by its own keys.
    """
    try:
        root = read(Root, data)
        require_signed(root, root.signed)
    except TrustError as error:
        msg = f"the root file cannot be used: {error}"
        raise TrustError(
            msg, hint="copy root.json from the hub again: chot hub keys names it"
        ) from error
    return State(root, Floors(hashlib.sha256(data).digest(), root.version))


def with_root(state: State, data: bytes) -> State:
    """Return the state under the next root: signed as the root before says, and by its own keys.

    What its keys no longer vouch for is withdrawn.

    :raises TrustRolledBack: if it is not the version after the trusted root's.
    :raises TrustError: if it is malformed or not signed by both thresholds.
    """
    root = read(Root, data)
    require_signed(root, state.root.signed)  # §5.3.4, the threshold of the root before
    require_signed(root, root.signed)  # §5.3.4, and its own
    if root.version != state.root.version + 1:  # §5.3.5
        msg = f"root {root.version} where root {state.root.version + 1} is due"
        raise TrustRolledBack(msg, hint=_ROLLED_BACK_HINT)
    floors, timestamp, snapshot, targets = (
        state.floors, state.timestamp, state.snapshot, state.targets,
    )  # fmt: skip
    if _replaces_online_keys(state.root.signed, root.signed):  # §5.3.11
        timestamp = snapshot = None
        # Versions may have been pushed up by whoever held the keys, so they bind no longer. Where
        # this root was accepted before, they were let go then, and stand for its own keys since.
        if root.version > floors.root:
            floors = Floors(floors.pin, root.version)
    kept = targets is not None and is_signed(targets, root.signed)
    return State(
        root,
        msgspec.structs.replace(floors, root=max(floors.root, root.version)),
        timestamp if timestamp is not None and is_signed(timestamp, root.signed) else None,
        snapshot if snapshot is not None and is_signed(snapshot, root.signed) else None,
        targets if kept else None,
        state.head_keys if kept else (),
        state.former_keys if kept else state.head_keys or state.former_keys,
    )


def require_final_root(state: State, now: Instant) -> None:
    """Return if the root at the end of the chain may be used to judge other files.

    :raises TrustRolledBack: if a newer one was accepted here before.
    :raises TrustExpired: if it has expired (§5.3.10).
    """
    if state.root.version < state.floors.root:
        msg = f"the roots end at {state.root.version}, and {state.floors.root} was accepted here"
        raise TrustRolledBack(msg, hint=_ROLLED_BACK_HINT)
    require_fresh(state.root.signed, now)


def with_timestamp(state: State, data: bytes, now: Instant) -> State:
    """Return the state under this timestamp; the same state if it is the one that is trusted.

    :raises TrustRolledBack: if it, or the snapshot that it names, is older than what was accepted.
    :raises TrustExpired: if it has expired, or the one that is trusted has and this is no newer.
    :raises TrustError: if it is malformed or wrongly signed.
    """
    timestamp = read(Timestamp, data)
    require_signed(timestamp, state.root.signed)  # §5.4.2
    floors, version = state.floors, timestamp.version
    _require_no_older("timestamp", version, floors.timestamp)  # §5.4.3.1
    if state.timestamp is not None and version == state.timestamp.version:
        require_fresh(state.timestamp.signed, now)  # a frozen one is not called good
        return state
    named = timestamp.signed.snapshot_meta.version
    _require_no_older("snapshot", named, floors.snapshot)  # §5.4.3.2
    require_fresh(timestamp.signed, now)  # §5.4.4
    floors = msgspec.structs.replace(floors, timestamp=version, snapshot=named)
    return replace(state, timestamp=timestamp, floors=floors)


def wanted_snapshot(state: State) -> MetaFile | None:
    """Return how the timestamp names the snapshot, None if that one is trusted already."""
    if state.timestamp is None:
        return None
    named = state.timestamp.signed.snapshot_meta
    held = state.snapshot is not None and state.snapshot.version == named.version
    return None if held else named


def with_snapshot(state: State, data: bytes, now: Instant) -> State:
    """Return the state under the snapshot that the timestamp names.

    :raises TrustRolledBack: if it lists older files than were listed before, or leaves one out.
    :raises TrustExpired: if it has expired.
    :raises TrustError: if it is another one than is named, malformed or wrongly signed.
    """
    if state.timestamp is None:
        raise TrustError("a snapshot before any timestamp")
    named = state.timestamp.signed.snapshot_meta
    require_named(named, data, "snapshot metadata")  # §5.5.2
    snapshot = read(Snapshot, data)
    require_signed(snapshot, state.root.signed)  # §5.5.3
    _require_version("snapshot", snapshot.version, named.version)  # §5.5.4
    listed = {name: meta.version for name, meta in snapshot.signed.meta.items()}
    if TARGETS_FILE not in listed:
        raise TrustError("the snapshot lists no targets")
    for name, floor in state.floors.listed.items():  # §5.5.5
        _require_no_older(name, listed.get(name, 0), floor)
    require_fresh(snapshot.signed, now)  # §5.5.6
    floors = msgspec.structs.replace(state.floors, listed=listed)
    return replace(state, snapshot=snapshot, floors=floors)


def wanted_targets(state: State) -> MetaFile | None:
    """Return how the snapshot names the targets, None if those are trusted already."""
    if state.snapshot is None:
        return None
    named = state.snapshot.signed.meta[TARGETS_FILE]
    held = state.targets is not None and state.targets.version == named.version
    return None if held else named


def judged_targets(state: State, data: bytes, now: Instant) -> Received[Targets]:
    """Return the targets that the snapshot names. `with_targets` takes them in.

    :raises TrustExpired: if they have expired.
    :raises TrustError: if they are others than are named, malformed, wrongly signed, or list no
        head keys.
    """
    if state.snapshot is None:
        raise TrustError("targets before any snapshot")
    named = state.snapshot.signed.meta[TARGETS_FILE]
    require_named(named, data, "targets metadata")  # §5.6.2
    targets = read(Targets, data)
    require_signed(targets, state.root.signed)  # §5.6.3
    _require_version("targets", targets.version, named.version)  # §5.6.4
    require_fresh(targets.signed, now)  # §5.6.5
    head_keys_target(targets.signed)
    return targets


def head_keys_target(targets: Targets) -> TargetFile:
    """Return how the head keys' file is named.

    :raises TrustError: if it is not listed with a SHA-256 and a size within bounds.
    """
    target = targets.targets.get(HEAD_KEYS)
    if target is None or "sha256" not in target.hashes or target.length > MAX_HEAD_KEYS_BYTES:
        msg = f"the targets list no usable {HEAD_KEYS}"
        raise TrustError(msg)
    return target


def with_targets(state: State, targets: Received[Targets], keys: bytes) -> State:
    """Return the state under judged targets and the head keys' file that they list (§5.7.3).

    :raises TrustError: if it is another file than is listed, or does not hold 1 to 8 keys.
    """
    require_named(head_keys_target(targets.signed), keys, HEAD_KEYS)
    head_keys = public_keys(keys)
    if head_keys is None or len(head_keys) > MAX_HEAD_KEYS:
        msg = f"{HEAD_KEYS} does not hold 1 to {MAX_HEAD_KEYS} Ed25519 public keys"
        raise TrustError(msg)
    replaced = state.head_keys and _raw(state.head_keys) != _raw(head_keys)
    listed = _raw(head_keys)
    former = tuple(
        key
        for key in (state.head_keys if replaced else state.former_keys)
        if key.public_bytes_raw() not in listed
    )
    return replace(state, targets=targets, head_keys=head_keys, former_keys=former)


def _raw(keys: tuple[Ed25519PublicKey, ...]) -> list[bytes]:
    return [key.public_bytes_raw() for key in keys]


def _replaces_online_keys(before: Root, after: Root) -> bool:
    """Return whether a key that could sign timestamps or snapshots no longer can (§5.3.11).

    A key that is only added shows no theft, and lets no version go.
    """
    return any(
        _values(before, role) - _values(after, role) for role in (Timestamp.type, Snapshot.type)
    )


def _values(root: Root, role: str) -> set[str]:
    return {
        str(root.keys[name].keyval.get("public"))
        for name in root.roles[role].keyids
        if name in root.keys
    }


def _require_no_older(what: str, version: int, floor: int) -> None:
    if version < floor:
        msg = f"{what} {version} came, and {floor} was accepted here before"
        raise TrustRolledBack(msg, hint=_ROLLED_BACK_HINT)


def _require_version(what: str, version: int, named: int) -> None:
    if version != named:
        msg = f"{what} {version} where {what} {named} is named"
        raise TrustError(msg)
