"""The repository of trust metadata: who may sign, and what gates may fetch (TUF 1.0).

metadata/N.root.json            every root there was: gates walk from theirs to the newest
metadata/N.targets.json         the bases and documents that count, and the head keys
metadata/N.snapshot.json        which targets are the newest
metadata/timestamp.json         which snapshot is; replaced by rename, last
metadata/<sha256>.head-keys.pem the public keys that sign heads

A version is written once it is whole, and the timestamp makes it the newest: whoever follows, at
whatever moment, finds files that go together. A stock TUF client can follow it, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
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

from admission.instant import Instant
from cache.replica.keys import public_pem
from cache.replica.trust.metadata import (
    HEAD_KEYS,
    TARGETS_FILE,
    Received,
    file_name,
    is_signed,
    read,
)
from hub.errors import PublishError
from hub.keys import ROOT, SNAPSHOT, TARGETS, TIMESTAMP, HubKeys
from hub.trust_files import S, TrustFiles, mapped

LIFE = {
    ROOT: timedelta(days=365),
    TARGETS: timedelta(days=90),
    SNAPSHOT: timedelta(days=30),
    TIMESTAMP: timedelta(days=30),
}
"""How long each role's files count: gates, and folders on the way to one, do without for weeks."""
RENEWED_AT = 2 / 3
"""The rest of its life at which a file is signed anew."""
ROOT_WARNING = timedelta(days=60)
"""Before a root expires it is renewed, or, where its key is elsewhere, asked for."""
ROOT_ALARM = timedelta(days=14)
"""From here on the hub counts as failing."""


class Target(msgspec.Struct, frozen=True):
    """What gates may fetch: its bytes and their SHA-256 (32 bytes)."""

    size: int
    sha256: bytes


def target_of(path: Path) -> Target:
    """Return a file as a target. Reads it through.

    :raises OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        return Target(file.tell(), digest)


class TrustRepository:
    """Writes one hub's metadata. Its methods block; over processes they take turns.

    :param directory: what gates see as `replica/`; `metadata/` is made in it.
    """

    def __init__(self, directory: Path, keys: HubKeys) -> None:
        self._files = TrustFiles(directory)
        self._keys = keys

    def root(self) -> bytes | None:
        """Return the newest root's file, or None before there is one.

        :raises PublishError: if it cannot be read.
        """
        with mapped():
            found = self._files.newest_root()
            return None if found is None else found.data

    def targets(self) -> dict[str, Target]:
        """Return what is listed now, without the head keys; nothing before the first release.

        :raises PublishError: if it cannot be read.
        """
        with mapped():
            found = self._files.published()[2]
            return {} if found is None else _listed(found.signed)

    def publish(self, targets: Mapping[str, Target], now: Instant) -> int:
        """Let these targets, and the present head key, be all that count; return the version.

        Nothing is written if nothing has changed and nothing is due to be renewed. The first time
        it makes the root.

        :param targets: by name: see `cache.replica.trust.segment_target` and `document_target`.
        :raises PublishError: if there is no root and no key for one, a key is not the one that the
            root names, or a file cannot be written. What was published before stays.
        """
        with self._files.locked():
            return self._publish(targets, now)

    def replace_root(
        self,
        changed: Mapping[str, Ed25519PublicKey],
        signers: Iterable[Ed25519PrivateKey],
        now: Instant,
    ) -> bytes:
        """Publish the next root, in which these roles have other keys, and return its file.

        :param changed: by role; roles that are not named keep their keys.
        :param signers: the root keys that sign it: of the root before and, if replaced, the new.
        :raises PublishError: if gates would not accept it, or it cannot be written.
        """
        with self._files.locked():
            before = self._files.newest_root()
            if before is None:
                raise PublishError("there is no root yet", hint="make one: chot hub init")
            keys = {role: before.signed.roles[role].keyids for role in LIFE}
            named = dict(before.signed.keys)
            for role, public in changed.items():
                key = SSlibKey.from_crypto(public)
                keys[role], named[key.keyid] = [key.keyid], key
            return self._write_root(before, keys, named, signers, now)

    def until(self) -> dict[str, datetime]:
        """Return when each role's newest file expires, for those that there are.

        :raises PublishError: if one cannot be read.
        """
        with mapped():
            found = (self._files.newest_root(), *self._files.published())
            return {f.signed.type: f.signed.expires for f in found if f is not None}

    def problem(self, now: Instant, *, within: timedelta = ROOT_WARNING) -> str:
        """Return what somebody has to do about a root that expires soon; empty if nothing.

        Once it has expired, gates take no new bases and documents.

        :raises PublishError: if it cannot be read.
        """
        with mapped():
            root = self._files.newest_root()
        if root is None or root.signed.expires - now.at(UTC) > within:
            return ""
        return f"the root expires on {root.signed.expires:%Y-%m-%d}: chot hub keys rotate root"

    def _publish(self, targets: Mapping[str, Target], now: Instant) -> int:
        root = self._required_root(now)
        timestamp, snapshot, listed = self._files.published()
        self._require_present_head_key(listed)
        head_keys = public_pem([self._keys.public_key])
        content = {name: TargetFile(t.size, {"sha256": t.sha256.hex()}, name)
                   for name, t in sorted(targets.items())}  # fmt: skip
        content[HEAD_KEYS] = TargetFile.from_data(HEAD_KEYS, head_keys)
        changed = listed is None or listed.signed.targets != content
        if changed or self._due(listed, root, now):
            sha256 = content[HEAD_KEYS].hashes["sha256"]
            self._files.write(f"{sha256}.{HEAD_KEYS}", head_keys)
            new = Targets(_after(listed), None, _end(TARGETS, now), content)
            listed = self._sign(Targets, new, self._keys.targets, root)
        assert listed is not None  # noqa: S101 - it was, or it has just been written
        named = MetaFile.from_data(listed.version, listed.data, ["sha256"])
        lists = snapshot is not None and snapshot.signed.meta.get(TARGETS_FILE) == named
        if not lists or self._due(snapshot, root, now):
            meta = {TARGETS_FILE: named}
            anew = Snapshot(_after(snapshot), None, _end(SNAPSHOT, now), meta)
            snapshot = self._sign(Snapshot, anew, self._keys.snapshot, root)
        assert snapshot is not None  # noqa: S101 - as above
        held = MetaFile.from_data(snapshot.version, snapshot.data, ["sha256"])
        points = timestamp is not None and timestamp.signed.snapshot_meta == held
        if not points or self._due(timestamp, root, now):
            newest = Timestamp(_after(timestamp), None, _end(TIMESTAMP, now), held)
            self._sign(Timestamp, newest, self._keys.timestamp, root)
            self._files.prune(listed.version, snapshot.version)
        return listed.version

    def _require_present_head_key(self, listed: Received[Targets] | None) -> None:
        """Check that the head key was not replaced since this process read its keys."""
        if listed is None or HEAD_KEYS not in listed.signed.targets:
            return
        known = (hashlib.sha256(public_pem([key])).hexdigest() for key in self._keys.own_heads)
        if listed.signed.targets[HEAD_KEYS].hashes["sha256"] not in known:
            msg = "the head key was replaced meanwhile: this is a former one"
            raise PublishError(
                msg, hint="do it again; from a backup, restore keys/ and published/ together"
            )

    def _required_root(self, now: Instant) -> Root:
        found, own = self._files.newest_root(), self._keys.root
        if found is None:
            if own is None:
                raise PublishError("there is no root yet", hint="make one: chot hub init")
            roles = {
                ROOT: own, TARGETS: self._keys.targets,
                SNAPSHOT: self._keys.snapshot, TIMESTAMP: self._keys.timestamp,
            }  # fmt: skip
            public = {r: SSlibKey.from_crypto(key.public_key()) for r, key in roles.items()}
            ids = {role: [key.keyid] for role, key in public.items()}
            self._write_root(None, ids, {k.keyid: k for k in public.values()}, [own], now)
        elif own is not None and found.signed.expires - now.at(UTC) < ROOT_WARNING:
            ids = {role: found.signed.roles[role].keyids for role in LIFE}
            self._write_root(found, ids, found.signed.keys, [own], now)
        else:
            return found.signed
        return self._required_root(now)

    def _write_root(
        self,
        before: Received[Root] | None,
        ids: Mapping[str, list[str]],
        keys: Mapping[str, Key],
        signers: Iterable[Ed25519PrivateKey],
        now: Instant,
    ) -> bytes:
        roles = {role: Role(list(names), 1) for role, names in ids.items()}
        named = {name: keys[name] for role in roles.values() for name in role.keyids}
        root = Root(_after(before), None, _end(ROOT, now), named, roles)
        metadata = Metadata(root)
        for signer in signers:
            metadata.sign(CryptoSigner(signer), append=True)
        received = read(Root, metadata.to_bytes())
        if not all(is_signed(received, by.signed) for by in (before, received) if by is not None):
            msg = "this is not the key that signs roots"
            raise PublishError(msg, hint="give the file that the root key was moved to: --root-key")
        self._files.write(file_name(ROOT, root.version), received.data)
        return received.data

    def _sign(self, kind: type[S], signed: S, key: Ed25519PrivateKey, by: Root) -> Received[S]:
        metadata = Metadata(signed)
        metadata.sign(CryptoSigner(key))
        received = read(kind, metadata.to_bytes())
        if not is_signed(received, by):
            msg = f"the {kind.type} key here is not the one that the root names"
            raise PublishError(msg, hint="chot hub init completes a rotation that was interrupted")
        self._files.write(file_name(kind.type, received.version), received.data)
        return received

    def _due(self, held: Received[S] | None, by: Root, now: Instant) -> bool:
        """Return whether a file has to be signed again: it ages, or the root names another key."""
        if held is None or not is_signed(held, by):
            return True
        rest = held.signed.expires - now.at(UTC)
        return rest < LIFE[held.signed.type] * RENEWED_AT


def _listed(targets: Targets) -> dict[str, Target]:
    return {
        name: Target(target.length, bytes.fromhex(target.hashes["sha256"]))
        for name, target in targets.targets.items()
        if name != HEAD_KEYS
    }


def _after(received: Received[S] | None) -> int:
    return 1 if received is None else received.version + 1


def _end(role: str, now: Instant) -> datetime:
    return (now.at(UTC) + LIFE[role]).replace(microsecond=0)
