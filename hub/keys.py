"""The publisher's keys: who signs what, and under which secret identifiers are hashed.

root.key       says who signs the rest; `chot hub keys offline` moves it out of the hub
targets.key    lists the bases, the documents and the head keys that count
snapshot.key, timestamp.key   sign which of these files is the newest
head.key       signs heads and times, every few seconds
head.pub       its public key and those it had before, PEM: by these the hub reads its own head
hash.key       32 random bytes as hex: goes to every gate, sealed
seal.key       opens what gates seal of people (`seal_keys`)
root.json      the newest root (TUF): goes to every gate, openly

Private keys are Ed25519, the seal's X25519, in PEM (PKCS #8). All files but head.pub and root.json
have mode 0600.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
)

from admission.identity import HASH_KEY_BYTES
from cache.errors import KeyFileError as ReplicaKeyFileError
from cache.replica.durable import write_durably
from cache.replica.keys import (
    MAX_KEY_FILE_BYTES,
    has_private_key,
    load_hash_key,
    load_public_keys,
    private_pem,
    public_pem,
    read_secret,
)
from hub.errors import KeyFileError
from hub.seal_keys import SEAL_KEY, SealKeys, complete_seal_key, load_seal_keys

HEAD_KEY, HEAD_PUBLIC_KEY, HASH_KEY = "head.key", "head.pub", "hash.key"
ROOT, TARGETS, SNAPSHOT, TIMESTAMP, HEAD = "root", "targets", "snapshot", "timestamp", "head"
ROOT_FILE = "root.json"
TRUST_ROLES = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
"""The roles of the trust metadata, each with a key of its own."""
MAX_FORMER_KEYS = 8
_SEED_BYTES = 32


class HubKeys(msgspec.Struct, frozen=True):
    """What a publisher needs. Never logged, never shown: `repr` holds no secret.

    `root` is None where it is kept elsewhere. `former` are public keys that signed heads before.
    """

    head: Ed25519PrivateKey
    hash_key: bytes
    targets: Ed25519PrivateKey
    snapshot: Ed25519PrivateKey
    timestamp: Ed25519PrivateKey
    root: Ed25519PrivateKey | None = None
    former: tuple[Ed25519PublicKey, ...] = ()
    seals: SealKeys = SealKeys()

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that heads are signed with: gates learn it from the targets."""
        return self.head.public_key()

    @property
    def own_heads(self) -> tuple[Ed25519PublicKey, ...]:
        """The keys by which this hub reads what it has published, before a rotation and after."""
        return (self.public_key, *self.former)

    def __repr__(self) -> str:
        return "HubKeys(...)"


def key_file(role: str) -> str:
    """Return the name of a role's private key's file.

    >>> key_file("targets")
    'targets.key'
    """
    return f"{role}.key"


def create_keys(directory: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> HubKeys:
    """Create all keys in a directory that holds none yet, each file durable, and return them.

    :param entropy: returns this many unpredictable bytes.
    :raises KeyFileError: if a key is there already, or a file cannot be written.
    """
    names = (HEAD_KEY, HEAD_PUBLIC_KEY, HASH_KEY, SEAL_KEY, *map(key_file, TRUST_ROLES))
    present = [name for name in names if (directory / name).exists()]
    if present:
        msg = f"{directory} already holds {', '.join(present)}"
        raise KeyFileError(msg, hint="keys are never overwritten: choose another directory")
    head, hash_key = new_key(entropy), entropy(HASH_KEY_BYTES)
    trust = {role: new_key(entropy) for role in TRUST_ROLES}
    keys = HubKeys(head, hash_key, trust[TARGETS], trust[SNAPSHOT], trust[TIMESTAMP], trust[ROOT])
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(directory / HASH_KEY, keys.hash_key.hex().encode() + b"\n")
        for role, key in trust.items():
            write_key(directory / key_file(role), key)
        complete_seal_key(directory, entropy=entropy)
        write_head_keys(directory, [keys.public_key])
        # Last: a directory with a head key is a complete one.
        write_key(directory / HEAD_KEY, head)
    except OSError as error:
        raise _unwritable(directory, error) from error
    return msgspec.structs.replace(keys, seals=load_seal_keys(directory))


def complete_keys(directory: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> bool:
    """Add the keys of trust to a directory of an earlier version; return whether any was missing.

    Once there is a root file nothing is added: a key that is missing then was moved or lost.

    :raises KeyFileError: if a file cannot be written.
    """
    if (directory / ROOT_FILE).exists():
        return False
    missing = [role for role in TRUST_ROLES if not (directory / key_file(role)).exists()]
    try:
        for role in missing:
            write_key(directory / key_file(role), new_key(entropy))
    except OSError as error:
        raise _unwritable(directory, error) from error
    return bool(missing)


def load_keys(directory: Path) -> HubKeys:
    """Return the keys of a directory.

    :raises KeyFileError: if one other than the root's is missing, or one is malformed, or readable
        by group or others.
    """
    head = read_key(directory / HEAD_KEY)
    try:
        hash_key = load_hash_key(directory / HASH_KEY)
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
    targets, snapshot, timestamp = (
        read_key(directory / key_file(role)) for role in (TARGETS, SNAPSHOT, TIMESTAMP)
    )
    root_path = directory / key_file(ROOT)
    root = read_key(root_path) if root_path.exists() else None
    former, seals = _former(directory, head), load_seal_keys(directory)
    return HubKeys(head, hash_key, targets, snapshot, timestamp, root, former, seals)


def new_key(entropy: Callable[[int], bytes]) -> Ed25519PrivateKey:
    """Return a key that nobody else has."""
    return Ed25519PrivateKey.from_private_bytes(entropy(_SEED_BYTES))


def write_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key's file, durably, for its owner only.

    :raises OSError: if that fails.
    """
    write_durably(path, private_pem(key))


def write_head_keys(directory: Path, keys: Iterable[Ed25519PublicKey]) -> None:
    """Write the public keys that the hub knows its own heads by, the newest first.

    :raises OSError: if that fails.
    """
    kept = list(keys)[: MAX_FORMER_KEYS + 1]
    write_durably(directory / HEAD_PUBLIC_KEY, public_pem(kept), mode=0o644)


def read_key(path: Path, *, removable: bool = False) -> Ed25519PrivateKey:
    """Return the private key in a file.

    :param removable: whether it is on a medium whose file system may keep no modes, such as a
        stick: then who may read it is not judged.
    :raises KeyFileError: if it is missing, malformed, no Ed25519 key, or readable by others.
    """
    try:
        data = _bytes(path) if removable else read_secret(path, form=has_private_key)
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
    key = parse_key(data)
    if key is None:
        msg = f"{path} does not hold an Ed25519 private key in PEM"
        raise KeyFileError(msg)
    return key


def parse_key(data: bytes) -> Ed25519PrivateKey | None:
    """Return the Ed25519 private key in PEM, or None if it is none."""
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PrivateKey) else None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(msg, hint="give the file that the root key was moved to") from error


def _former(directory: Path, head: Ed25519PrivateKey) -> tuple[Ed25519PublicKey, ...]:
    """Return the keys before this one. A file of theirs that is gone costs them alone."""
    present = head.public_key().public_bytes_raw()
    try:
        known = load_public_keys(directory / HEAD_PUBLIC_KEY)
    except ReplicaKeyFileError:
        return ()
    return tuple(key for key in known if key.public_bytes_raw() != present)


def _unwritable(directory: Path, error: OSError) -> KeyFileError:
    msg = f"the keys cannot be written to {directory}: {error.strerror}"
    return KeyFileError(msg, hint="check the directory's permissions and space")
