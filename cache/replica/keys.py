"""Key files of the replica: trusted public keys (PEM) and the region's hash key (hex)."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from admission.identity import HASH_KEY_BYTES
from cache.errors import KeyFileError
from cache.replica.geometry import HASH_KEY_ID_BYTES

MAX_KEY_FILE_BYTES = 16_384
KEYS_HINT = "`chot hub init` makes the keys at the hub: copy this one here, for the service's user"
_PEM_END = "-----END PUBLIC KEY-----"


def hash_key_id(hash_key: bytes) -> bytes:
    """Return the 8 bytes that name a hash key without giving it away."""
    return hashlib.blake2b(
        b"chot hash key id", digest_size=HASH_KEY_ID_BYTES, key=hash_key
    ).digest()


def load_hash_key(path: Path) -> bytes:
    """Return the 32-byte hash key in a file of 64 hex digits.

    :raises KeyFileError: if it is missing, malformed, or readable by group or others.
    """
    try:
        key = bytes.fromhex(read_secret(path).decode("ascii").strip())
    except ValueError as error:
        raise _malformed(path, "64 hex digits") from error
    if len(key) != HASH_KEY_BYTES:
        raise _malformed(path, "64 hex digits")
    return key


def load_public_keys(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """Return every Ed25519 key of a PEM file; several keys let a head key be replaced.

    :raises KeyFileError: if it is missing or holds anything else.
    """
    try:
        blocks = _read(path, secret=False).decode("ascii").split(_PEM_END)[:-1]
        keys = [load_pem_public_key((block + _PEM_END).strip().encode()) for block in blocks]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _malformed(path, "Ed25519 public keys in PEM") from error
    trusted = tuple(key for key in keys if isinstance(key, Ed25519PublicKey))
    if not trusted or len(trusted) != len(keys):
        raise _malformed(path, "Ed25519 public keys in PEM")
    return trusted


def read_secret(path: Path, *, missing_hint: str = KEYS_HINT) -> bytes:
    """Return the bytes of a secret file.

    :param missing_hint: what a person can do where there is none.
    :raises KeyFileError: if it is missing, oversized, or readable by group or others.
    """
    return _read(path, secret=True, missing_hint=missing_hint)


def _read(path: Path, *, secret: bool, missing_hint: str = KEYS_HINT) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if secret and stat.S_IMODE(mode) & 0o077:
                msg = f"{path} is readable by others"
                raise KeyFileError(msg, hint=f"chmod 600 {path}")
            data = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(msg, hint=missing_hint) from error
    if len(data) > MAX_KEY_FILE_BYTES:
        msg = f"{path} is no key file: it is too long"
        raise KeyFileError(msg)
    return data


def _malformed(path: Path, expected: str) -> KeyFileError:
    return KeyFileError(f"{path} does not hold {expected}")
