"""A repository whose keys the tests hold, so that they can sign what a thief could."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import (
    Key,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from admission.instant import ClockTrust, Instant
from cache.errors import SourceError
from cache.replica.trust import Trust

TODAY = datetime(2021, 9, 20, 8, tzinfo=UTC)
ROLES = ("root", "targets", "snapshot", "timestamp")


def at(days: float = 0, trust: ClockTrust = ClockTrust.SYNCHRONISED) -> Instant:
    """Return a moment so many days after the first one."""
    wall_ns = int((TODAY + timedelta(days=days)).timestamp()) * 10**9
    return Instant(wall_ns, int(days * 86_400e9), "boot-1", trust)


def undated(days: float = 0) -> Instant:
    return at(days, ClockTrust.UNKNOWN)


def private(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def signer(key: Ed25519PrivateKey) -> CryptoSigner:
    return CryptoSigner(key)


def pem(keys: Iterable[Ed25519PublicKey]) -> bytes:
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return b"".join(key.public_bytes(*form) for key in keys)


class Authority:
    """Signs metadata as told; `files` is what a server would hand out."""

    def __init__(self) -> None:
        self.keys = {role: [private(n)] for n, role in enumerate(ROLES, 1)}
        self.thresholds = dict.fromkeys(ROLES, 1)
        self.head_keys = [private(9).public_key()]
        self.versions = dict.fromkeys(ROLES, 0)
        self.lives = {"root": 365.0, "targets": 90.0, "snapshot": 30.0, "timestamp": 30.0}
        self.listed: dict[str, TargetFile] = {}
        self.files: dict[str, bytes] = {}
        self.day = 0.0

    def expires(self, role: str) -> datetime:
        return TODAY + timedelta(days=self.day + self.lives[role])

    def signed(self, content: Any, keys: Iterable[Ed25519PrivateKey]) -> bytes:
        metadata = Metadata(content)
        for key in keys:
            metadata.sign(signer(key), append=True)
        return metadata.to_bytes()

    def publish_root(self, *, by: Iterable[Ed25519PrivateKey] | None = None) -> bytes:
        """Sign the next root, as a rule by the root keys of this one and of the one before."""
        self.versions["root"] += 1
        roles, keys = {}, {}
        for role in ROLES:
            named = [SSlibKey.from_crypto(key.public_key()) for key in self.keys[role]]
            keys |= {key.keyid: key for key in named}
            roles[role] = Role([key.keyid for key in named], self.thresholds[role])
        root = Root(self.versions["root"], None, self.expires("root"), dict[str, Key](keys), roles)
        signers = self.keys["root"] if by is None else list(by)
        data = self.signed(root, signers)
        self.files[f"{root.version}.root.json"] = data
        return data

    def rotate(self, role: str, *seeds: int) -> bytes:
        """Give a role other keys by a new root."""
        before = self.keys["root"]
        self.keys[role] = [private(seed) for seed in seeds]
        return self.publish_root(by={id(k): k for k in [*before, *self.keys["root"]]}.values())

    def publish_targets(self, listed: Mapping[str, bytes] | None = None) -> None:
        if listed is not None:
            self.listed = {name: TargetFile.from_data(name, d) for name, d in listed.items()}
        self.versions["targets"] += 1
        keys = pem(self.head_keys)
        name = f"{hashlib.sha256(keys).hexdigest()}.head-keys.pem"
        self.files[name] = keys
        content = self.listed | {"head-keys.pem": TargetFile.from_data("head-keys.pem", keys)}
        targets = Targets(self.versions["targets"], None, self.expires("targets"), content)
        data = self.signed(targets, self.keys["targets"])
        self.files[f"{targets.version}.targets.json"] = data

    def publish_snapshot(self, extra: Mapping[str, int] | None = None) -> None:
        self.versions["snapshot"] += 1
        named = self.files[f"{self.versions['targets']}.targets.json"]
        meta = {"targets.json": MetaFile.from_data(self.versions["targets"], named, None)}
        meta |= {name: MetaFile(version) for name, version in (extra or {}).items()}
        snapshot = Snapshot(self.versions["snapshot"], None, self.expires("snapshot"), meta)
        data = self.signed(snapshot, self.keys["snapshot"])
        self.files[f"{snapshot.version}.snapshot.json"] = data

    def publish_timestamp(self) -> None:
        self.versions["timestamp"] += 1
        named = self.files[f"{self.versions['snapshot']}.snapshot.json"]
        meta = MetaFile.from_data(self.versions["snapshot"], named, None)
        timestamp = Timestamp(self.versions["timestamp"], None, self.expires("timestamp"), meta)
        self.files["timestamp.json"] = self.signed(timestamp, self.keys["timestamp"])

    def publish(self, listed: Mapping[str, bytes] | None = None) -> None:
        self.publish_targets(listed)
        self.publish_snapshot()
        self.publish_timestamp()


def an_authority() -> tuple[Authority, bytes]:
    """Return an authority that has published once, and its first root."""
    authority = Authority()
    root = authority.publish_root()
    authority.publish()
    return authority, root


class Server:
    """A source over files; it may be out of reach, and it notes what is asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.unreachable = False
        self.asked: list[str] = []

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        self.asked.append(name)
        data = self.files.get(name)
        if self.unreachable or data is None or len(data) > limit_bytes:
            msg = f"{name} cannot be had"
            raise SourceError(msg)
        return data


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
