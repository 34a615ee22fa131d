"""What is trusted at boot: the pinned root, and what was accepted since, judged again from there.

A file that is damaged is fetched again. It never lowers what is accepted: `FLOORS` says how far
this gate had come, and where that file itself is damaged, the others do.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec
from tuf.api.metadata import Snapshot, Targets, Timestamp

from cache.errors import TrustError
from cache.replica.trust.directory import TrustDirectory
from cache.replica.trust.judge import (
    Floors,
    State,
    head_keys_target,
    pinned,
    with_root,
    with_targets,
)
from cache.replica.trust.metadata import TARGETS_FILE, Received, S, read, require_signed


def opened(directory: TrustDirectory, pinned_root: bytes) -> tuple[State, tuple[TrustError, ...]]:
    """Return what is trusted, and what was wrong with the files. What has expired still counts.

    :raises TrustError: if the pinned root cannot be used.
    :raises StoreError: if the directory cannot be prepared.
    """
    start = pinned(pinned_root)
    directory.prepare()
    notes: list[TrustError] = []
    first = directory.empty
    floors = directory.floors()
    if floors is not None and not _same_chain(directory, floors, start):
        # Whoever may replace the pinned root may say whom to believe: nothing binds any more.
        directory.clear()
        notes.append(TrustError("another root file was put here: trust starts anew from it"))
        first, floors = True, None
    if floors is None and not first:
        notes.append(_damaged("FLOORS", "the other files say how far this gate had come"))
    state = _with_roots(directory, _with_floors(start, floors), notes)
    state = _with_files(directory, state, notes)
    if floors is None and not first:
        state = replace(state, floors=_floors_of(state))
    if floors != state.floors:
        directory.keep(None, state) if first else directory.keep(_but_floors(state), state)
    return state, tuple(notes)


def _same_chain(directory: TrustDirectory, floors: Floors, start: State) -> bool:
    digest = start.floors.pin
    if floors.pin == digest:
        return True
    held = directory.root(start.root.version)
    return held is not None and hashlib.sha256(held).digest() == digest


def _with_floors(start: State, floors: Floors | None) -> State:
    if floors is None:
        return start
    newest = max(floors.root, start.root.version)
    return replace(start, floors=msgspec.structs.replace(floors, pin=start.floors.pin, root=newest))


def _with_roots(directory: TrustDirectory, state: State, notes: list[TrustError]) -> State:
    while (data := directory.root(state.root.version + 1)) is not None:
        try:
            state = with_root(state, data)
        except TrustError as error:
            notes.append(_damaged(f"{state.root.version + 1}.root.json", str(error)))
            break
    if state.root.version < state.floors.root:
        notes.append(_damaged("a root", f"{state.floors.root} was accepted here; it is fetched"))
    return state


def _with_files(directory: TrustDirectory, state: State, notes: list[TrustError]) -> State:
    floors = state.floors
    timestamp = _file(directory, state, Timestamp, floors.timestamp, notes)
    snapshot = _file(directory, state, Snapshot, floors.snapshot, notes)
    if snapshot is not None and TARGETS_FILE not in snapshot.signed.meta:
        snapshot = None
    former = directory.former_keys()
    state = replace(state, timestamp=timestamp, snapshot=snapshot, former_keys=former)
    targets = _file(directory, state, Targets, floors.listed.get(TARGETS_FILE, 0), notes)
    if targets is None:
        return state
    try:
        keys = directory.head_keys(head_keys_target(targets.signed).hashes["sha256"])
        return with_targets(state, targets, keys or b"")
    except TrustError as error:
        notes.append(_damaged("head-keys.pem", str(error)))
        return state


def _file(
    directory: TrustDirectory, state: State, kind: type[S], floor: int, notes: list[TrustError]
) -> Received[S] | None:
    data = directory.file(kind.type)
    if data is None and not floor:
        return None
    try:
        received = read(kind, data or b"")
        require_signed(received, state.root.signed)
    except TrustError as error:
        why = "it cannot be read" if data is None else str(error)
        notes.append(_damaged(f"{kind.type}.json", why))
        return None
    return received


def _floors_of(state: State) -> Floors:
    """Return the floors that the files themselves prove."""
    timestamp, snapshot, targets = state.timestamp, state.snapshot, state.targets
    listed = {n: m.version for n, m in snapshot.signed.meta.items()} if snapshot else {}
    if targets is not None:
        listed[TARGETS_FILE] = max(targets.version, listed.get(TARGETS_FILE, 0))
    named = timestamp.signed.snapshot_meta.version if timestamp else 0
    return Floors(
        state.floors.pin,
        state.root.version,
        timestamp.version if timestamp else 0,
        max(named, snapshot.version if snapshot else 0),
        listed,
    )


def _but_floors(state: State) -> State:
    return replace(state, floors=Floors(b"", 0))


def _damaged(what: str, why: str) -> TrustError:
    return TrustError(
        f"of the trusted metadata, {what} is damaged or missing: {why}",
        hint="it is fetched again by itself; if this comes back, check the disk",
    )
