"""The publisher's keys: who signs heads, and under which secret identifiers are hashed.

head.key      Ed25519 private key, PEM (PKCS #8), mode 0600: stays at the hub
head.pub      its public key, PEM: goes to every gate
hash.key      32 random bytes as hex, mode 0600: goes to every gate, sealed
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from admission.identity import HASH_KEY_BYTES
from cache.errors import KeyFileError as ReplicaKeyFileError
from cache.replica.durable import write_durably
from cache.replica.keys import has_private_key, load_hash_key, read_secret
from hub.errors import KeyFileError

HEAD_KEY, HEAD_PUBLIC_KEY, HASH_KEY = "head.key", "head.pub", "hash.key"
_SEED_BYTES = 32


class HubKeys(msgspec.Struct, frozen=True):
    """What a publisher needs. Never logged, never shown: `repr` holds no secret."""

    head: Ed25519PrivateKey
    hash_key: bytes

    @property
    def public_key(self) -> Ed25519PublicKey:
        """The key that gates trust."""
        return self.head.public_key()

    def __repr__(self) -> str:
        return "HubKeys(...)"


def create_keys(directory: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> HubKeys:
    """Create all keys in a directory that holds none yet, each file durable, and return them.

    :param entropy: returns this many unpredictable bytes.
    :raises KeyFileError: if a key is there already, or a file cannot be written.
    """
    present = [n for n in (HEAD_KEY, HEAD_PUBLIC_KEY, HASH_KEY) if (directory / n).exists()]
    if present:
        msg = f"{directory} already holds {', '.join(present)}"
        raise KeyFileError(msg, hint="keys are never overwritten: choose another directory")
    keys = HubKeys(
        Ed25519PrivateKey.from_private_bytes(entropy(_SEED_BYTES)), entropy(HASH_KEY_BYTES)
    )
    private = keys.head.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = keys.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(directory / HASH_KEY, keys.hash_key.hex().encode() + b"\n")
        write_durably(directory / HEAD_PUBLIC_KEY, public, mode=0o644)
        # Last: a directory with a private key is a complete one.
        write_durably(directory / HEAD_KEY, private)
    except OSError as error:
        msg = f"the keys cannot be written to {directory}: {error.strerror}"
        raise KeyFileError(msg, hint="check the directory's permissions and space") from error
    return keys


def load_keys(directory: Path) -> HubKeys:
    """Return the keys of a directory.

    :raises KeyFileError: if one is missing, malformed, or readable by group or others.
    """
    try:
        head = load_pem_private_key(
            read_secret(directory / HEAD_KEY, form=has_private_key), password=None
        )
        hash_key = load_hash_key(directory / HASH_KEY)
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{directory / HEAD_KEY} does not hold a private key in PEM"
        raise KeyFileError(msg) from error
    if not isinstance(head, Ed25519PrivateKey):
        msg = f"{directory / HEAD_KEY} does not hold an Ed25519 key"
        raise KeyFileError(msg)
    return HubKeys(head, hash_key)
