"""Trust at the gate: whose heads count, and which bases and documents they may name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import MetaFile, Root, Snapshot, Targets, Timestamp

from admission.instant import Instant
from cache.errors import HeadError, SourceError, TrustError
from cache.replica.head import Head
from cache.replica.trust import judge
from cache.replica.trust.boot import opened
from cache.replica.trust.directory import TrustDirectory
from cache.replica.trust.judge import State
from cache.replica.trust.metadata import (
    HEAD_KEYS,
    LIMITS_BYTES,
    MAX_HEAD_KEYS_BYTES,
    document_target,
    file_name,
    require_fresh,
    segment_target,
)

MAX_NEW_ROOTS = 256
"""Roots taken in one refresh (§5.3.3): no upstream keeps a gate busy with an endless chain."""


class MetadataSource(Protocol):
    """Where metadata files come from. Nothing it hands over is trusted."""

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        """Return the file of this name, at most that many bytes.

        :raises SourceError: if it cannot be had: unreachable, absent, or longer.
        """
        ...


class Trust:
    """What one gate trusts. Made by `open`; its properties say what is in force at this moment."""

    def __init__(
        self, directory: TrustDirectory, state: State, notes: tuple[TrustError, ...]
    ) -> None:
        self._directory = directory
        self._state = state
        self.notes = notes
        """What was wrong with the files at boot, or that another root was put here."""
        self._refreshing = asyncio.Lock()
        # A refresh that was cancelled may leave a step running in its thread.
        self._stepping = threading.Lock()

    @classmethod
    def open(cls, directory: Path, pinned_root: bytes) -> Trust:
        """Return what is trusted by a root file and by what was accepted since. Blocks.

        :param directory: where accepted metadata is kept; made if it is missing.
        :param pinned_root: the bytes of the root.json that somebody brought from the hub.
        :raises TrustError: if that is no root, signed by its own keys.
        :raises StoreError: if the directory cannot be prepared or written.
        """
        kept = TrustDirectory(directory)
        return cls(kept, *opened(kept, pinned_root))

    @property
    def head_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """The keys that may sign heads and times; none before the first refresh."""
        return self._state.head_keys

    @property
    def former_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """The head keys that were listed before: what they signed and was accepted still serves."""
        return self._state.former_keys

    @property
    def version(self) -> int:
        """The version of the targets in force, 0 if there are none."""
        targets = self._state.targets
        return targets.version if targets else 0

    @property
    def root_version(self) -> int:
        """The version of the root in force."""
        return self._state.root.version

    def require(self, head: Head) -> None:
        """Return if every base, base to come and document that a head names is listed.

        :raises HeadError: if one is not, or the head relies on newer targets than are known here.
        """
        if head.targets > self.version:
            msg = f"the head relies on targets {head.targets}; here are targets {self.version}"
            raise HeadError(msg, hint="they are fetched first, and this head then judged again")
        targets = self._state.targets
        listed = {} if targets is None else targets.signed.targets
        for target, size in _named(head):
            held = listed.get(target)
            if held is None or held.length != size:
                msg = f"the head names {target} of {size} bytes, which the hub's targets do not"
                raise HeadError(msg, hint="who signed it may sign heads, and not what is new")

    def files(self) -> dict[str, bytes]:
        """Return what was accepted here, by the names that it is served by. Blocks.

        Another gate can follow it from there: the roots since the pinned one, and the newest of
        the other roles as far as they go together.
        """
        state = self._state
        files = {
            file_name(Root.type, version): data
            for version in range(1, state.root.version)
            if (data := self._directory.root(version)) is not None
        }
        files[file_name(Root.type, state.root.version)] = state.root.data
        for received in (state.timestamp, state.snapshot, state.targets):
            if received is not None:
                files[file_name(received.signed.type, received.version)] = received.data
        if state.targets is not None:
            sha256 = judge.head_keys_target(state.targets.signed).hashes["sha256"]
            keys = self._directory.head_keys(sha256)
            files |= {f"{sha256}.{HEAD_KEYS}": keys} if keys is not None else {}
        return files

    async def refresh(self, source: MetadataSource, now: Instant) -> bool:
        """Take in what is newer (§5.3 to §5.6); return whether anything is.

        Each file counts, and is kept, as soon as it is judged. What was trusted goes on serving if
        this fails, but for what a newer root withdraws.

        :raises SourceError: if a file that is needed cannot be had.
        :raises TrustError: if one is not acceptable, or nothing newer than what has expired came.
        :raises StoreError: if what was accepted cannot be kept; it then does not count either.
        """
        async with self._refreshing:
            before = self._state
            await self._roots(source, now)
            await self._timestamp(source, now)
            await self._snapshot(source, now)
            await self._targets(source, now)
            return self._state is not before

    async def _roots(self, source: MetadataSource, now: Instant) -> None:
        for _ in range(MAX_NEW_ROOTS):
            name = file_name(Root.type, self._state.root.version + 1)
            try:
                data = await _file(source, name, LIMITS_BYTES[Root.type])
            except SourceError:
                break  # §5.3.3: there is no newer one, or it is not available
            await self._step(partial(judge.with_root, data=data))
        judge.require_final_root(self._state, now)

    async def _timestamp(self, source: MetadataSource, now: Instant) -> None:
        role = Timestamp.type
        data = await _file(source, file_name(role, 0), LIMITS_BYTES[role])
        await self._step(lambda state: judge.with_timestamp(state, data, now))

    async def _snapshot(self, source: MetadataSource, now: Instant) -> None:
        named = judge.wanted_snapshot(self._state)
        if named is not None:
            data = await self._named(source, Snapshot.type, named)
            await self._step(lambda state: judge.with_snapshot(state, data, now))
        elif self._state.snapshot is not None:
            require_fresh(self._state.snapshot.signed, now)

    async def _targets(self, source: MetadataSource, now: Instant) -> None:
        named = judge.wanted_targets(self._state)
        if named is None:
            if self._state.targets is not None:
                require_fresh(self._state.targets.signed, now)
            return
        data = await self._named(source, Targets.type, named)
        targets = await asyncio.to_thread(judge.judged_targets, self._state, data, now)
        sha256 = judge.head_keys_target(targets.signed).hashes["sha256"]
        keys = await asyncio.to_thread(self._directory.head_keys, sha256)
        if keys is None:
            keys = await _file(source, f"{sha256}.{HEAD_KEYS}", MAX_HEAD_KEYS_BYTES)
        await self._step(lambda state: judge.with_targets(state, targets, keys), keys)

    async def _named(self, source: MetadataSource, role: str, named: MetaFile) -> bytes:
        limit = (
            LIMITS_BYTES[role] if named.length is None else min(named.length, LIMITS_BYTES[role])
        )
        return await _file(source, file_name(role, named.version), limit)

    async def _step(self, judged: Callable[[State], State], head_keys: bytes = b"") -> None:
        await asyncio.to_thread(self._take, judged, head_keys)

    def _take(self, judged: Callable[[State], State], head_keys: bytes) -> None:
        with self._stepping:
            before = self._state
            state = judged(before)
            if state is not before:
                self._directory.keep(before, state, head_keys)
                self._state = state


async def _file(source: MetadataSource, name: str, limit_bytes: int) -> bytes:
    data = await source.metadata(name, limit_bytes)
    if len(data) > limit_bytes:
        msg = f"{name} is longer than {limit_bytes} bytes"
        raise TrustError(msg)
    return data


def _named(head: Head) -> list[tuple[str, int]]:
    """Return each target that a head names, and its size."""
    bases = [base for d in head.datasets.values() for base in (d, d.following) if base is not None]
    files = [(segment_target(base.root), base.size) for base in bases]
    return files + [(document_target(d.sha256), d.size) for d in head.documents.values()]
