"""Where trust is kept on the gate: one directory, each file whole or absent after a power cut.

    FLOORS                          the versions below which nothing is accepted, with a CRC-32
    N.root.json                     every root since the pinned one
    timestamp.json snapshot.json targets.json   the newest that were accepted
    <sha256>.head-keys.pem          the head keys that the targets list
    former-head-keys.pem            those, and the ones that were listed before them: by these what
                                    was accepted serves on where the files above are lost

Only what was judged is written: `FLOORS` before the file that raised them, keys before the targets
that list them or list them no more. So whatever a power cut leaves, no older version is accepted
after it.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from admission.errors import WireError
from admission.wire import unpack_bounded
from cache.errors import StoreError
from cache.replica.durable import TEMPORARY, make_directory, remove, write_durably
from cache.replica.keys import public_keys, public_pem
from cache.replica.regular import open_regular
from cache.replica.trust.judge import Floors, State, head_keys_target
from cache.replica.trust.metadata import HEAD_KEYS, LIMITS_BYTES, MAX_HEAD_KEYS_BYTES

_FLOORS = "FLOORS"
_FLOORS_VERSION = 1
_FORMER = "former-head-keys.pem"
_MAX_FLOORS_BYTES = 1 << 17
_CRC_BYTES = 4


class _Record(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    floors: Floors


class TrustDirectory:
    """One gate's directory of trusted metadata. Its methods block.

    :raises StoreError: from every method that writes, if that fails.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self) -> None:
        """Make the directory, and remove what a power cut left half written."""
        try:
            make_directory(self._path)
            for stray in self._path.glob("*" + TEMPORARY):
                remove(stray)
        except OSError as error:
            raise _cannot("prepare the directory of trusted metadata", error) from error

    def clear(self) -> None:
        """Remove everything of ours: another root was pinned."""
        try:
            for pattern in ("*.json", "*.pem", _FLOORS):
                for path in self._path.glob(pattern):
                    remove(path)
        except OSError as error:
            raise _cannot("clear the trusted metadata", error) from error

    def holds(self, name: str) -> bool:
        """Return whether there is something under this name."""
        return (self._path / name).exists()

    @property
    def empty(self) -> bool:
        """Whether nothing was ever accepted here, as far as files tell."""
        return not any(self._path.glob("*.json")) and not self.holds(_FLOORS)

    def read(self, name: str, limit_bytes: int) -> bytes | None:
        """Return a file's bytes, at most one more than the limit, or None if it cannot be read."""
        try:
            with open_regular(self._path / name) as file:
                return file.read(limit_bytes + 1)
        except OSError:
            return None

    def root(self, version: int) -> bytes | None:
        """Return the root of this version, unjudged, or None."""
        return self.read(f"{version}.root.json", LIMITS_BYTES[Root.type])

    def file(self, role: str) -> bytes | None:
        """Return the newest file of a role other than root, or None."""
        return self.read(f"{role}.json", LIMITS_BYTES[role])

    def head_keys(self, sha256: str) -> bytes | None:
        """Return the head keys' file of this SHA-256 in hex, or None if it is not here, sound."""
        data = self.read(f"{sha256}.{HEAD_KEYS}", MAX_HEAD_KEYS_BYTES)
        if data is None or hashlib.sha256(data).hexdigest() != sha256:
            return None
        return data

    def former_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Return the head keys that are listed, or were before those that are, as far as known."""
        return public_keys(self.read(_FORMER, MAX_HEAD_KEYS_BYTES) or b"") or ()

    def floors(self) -> Floors | None:
        """Return the versions below which nothing is accepted, None if that file is not sound."""
        data = self.read(_FLOORS, _MAX_FLOORS_BYTES)
        if data is None:
            return None
        packed, crc = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
        if zlib.crc32(packed) != int.from_bytes(crc, "little"):
            return None
        try:
            record = msgspec.convert(unpack_bounded(packed, _MAX_FLOORS_BYTES), _Record)
        except (WireError, msgspec.ValidationError):
            return None
        return record.floors if record.version == _FLOORS_VERSION else None

    def keep(self, before: State | None, state: State, head_keys: bytes = b"") -> None:
        """Write what a state has and the state before had not, in the order that is safe.

        :param head_keys: the file that `state.targets` lists, where the targets are others.
        """
        if before is None or before.floors != state.floors:
            packed = msgspec.msgpack.encode(_Record(_FLOORS_VERSION, state.floors))
            self._write(_FLOORS, packed + zlib.crc32(packed).to_bytes(_CRC_BYTES, "little"))
        if before is None or before.root is not state.root:
            self._write(f"{state.root.version}.root.json", state.root.data)
        if before is None or before.timestamp is not state.timestamp:
            self._keep(Timestamp.type, state.timestamp.data if state.timestamp else None)
        if before is None or before.snapshot is not state.snapshot:
            self._keep(Snapshot.type, state.snapshot.data if state.snapshot else None)
        if before is None or _ever_listed(before) != _ever_listed(state):
            self._write(_FORMER, public_pem(_ever_listed(state)))
        if before is None or before.targets is not state.targets:
            self._keep_targets(state, head_keys)

    def _keep_targets(self, state: State, head_keys: bytes) -> None:
        if state.targets is None:
            self._keep(Targets.type, None)
            return
        named = f"{head_keys_target(state.targets.signed).hashes['sha256']}.{HEAD_KEYS}"
        if head_keys:
            self._write(named, head_keys)
        self._keep(Targets.type, state.targets.data)
        try:
            for path in self._path.glob(f"*.{HEAD_KEYS}"):
                if path.name != named:
                    remove(path)
        except OSError as error:
            raise _cannot("remove former head keys", error) from error

    def _keep(self, role: str, data: bytes | None) -> None:
        if data is not None:
            self._write(f"{role}.json", data)
            return
        try:
            remove(self._path / f"{role}.json")
        except OSError as error:
            raise _cannot("remove metadata that counts no longer", error) from error

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_durably(self._path / name, data)
        except OSError as error:
            raise _cannot("write trusted metadata", error) from error


def _ever_listed(state: State) -> tuple[Ed25519PublicKey, ...]:
    return (*state.head_keys, *state.former_keys)


def _cannot(do: str, error: OSError) -> StoreError:
    msg = f"cannot {do}: {error.strerror}"
    return StoreError(msg, hint="check the disk: space, health, permissions")
