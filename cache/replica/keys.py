"""Key files of the replica: trusted public keys (PEM) and the region's hash key (hex)."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from admission.identity import HASH_KEY_BYTES
from cache.errors import KeyFileError
from cache.replica.geometry import HASH_KEY_ID_BYTES

MAX_KEY_FILE_BYTES = 16_384
MAX_ROOT_BYTES = 65_536
KEYS_HINT = (
    "at a gate `chot enrol` brings it; by hand copy what `chot hub init` made in the hub's keys/"
)
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
    key = _hash_key(read_secret(path, form=lambda data: _hash_key(data) is not None))
    if key is None:
        raise _malformed(path, "64 hex digits")
    return key


def _hash_key(data: bytes) -> bytes | None:
    try:
        key = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        return None
    return key if len(key) == HASH_KEY_BYTES else None


def load_public_keys(path: Path) -> tuple[Ed25519PublicKey, ...]:
    """Return every Ed25519 key of a PEM file; several keys let a head key be replaced.

    :raises KeyFileError: if it is missing or holds anything else.
    """
    keys = public_keys(_read(path)[0])
    if keys is None:
        raise _malformed(path, "Ed25519 public keys in PEM")
    return keys


def public_keys(data: bytes) -> tuple[Ed25519PublicKey, ...] | None:
    """Return every Ed25519 key in PEM, or None if there is none, or anything else."""
    try:
        blocks = data.decode("ascii").split(_PEM_END)[:-1]
        keys = [load_pem_public_key((block + _PEM_END).strip().encode()) for block in blocks]
    except (ValueError, UnsupportedAlgorithm):
        return None
    found = tuple(key for key in keys if isinstance(key, Ed25519PublicKey))
    return found if found and len(found) == len(keys) else None


def load_root(path: Path) -> bytes:
    """Return the bytes of a root file (TUF), unjudged: `trust.Trust.open` judges them.

    :raises KeyFileError: if it is missing, or larger than a root may be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ROOT_BYTES + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(msg, hint=KEYS_HINT) from error
    if len(data) > MAX_ROOT_BYTES:
        msg = f"{path} is no root file: it is too long"
        raise KeyFileError(msg, hint=KEYS_HINT)
    return data


def public_pem(keys: Iterable[Ed25519PublicKey]) -> bytes:
    """Return these keys in PEM, one after the other; `public_keys` reads them."""
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return b"".join(key.public_bytes(*form) for key in keys)


def private_pem(key: Ed25519PrivateKey | X25519PrivateKey | EllipticCurvePrivateKey) -> bytes:
    """Return a private key as its file holds it: PEM (PKCS #8), not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def has_private_key(data: bytes) -> bool:
    """Return whether this may be a private key in PEM (RFC 7468 §10, §11): a `form`."""
    return b"PRIVATE KEY-----" in data


def _any(_data: bytes) -> bool:
    return True


def read_secret(
    path: Path, *, missing_hint: str = KEYS_HINT, form: Callable[[bytes], bool] = _any
) -> bytes:
    """Return the bytes of a secret file.

    :param missing_hint: what a person can do where there is none.
    :param form: whether bytes may be such a secret. Where it says no the file is some other one:
        it may be readable by all, and the caller refuses it for what is in it.
    :raises KeyFileError: if it is missing, oversized, or readable by group or others.
    """
    data, mode = _read(path, missing_hint)
    if stat.S_IMODE(mode) & 0o077 and form(data):
        msg = f"{path} is readable by others"
        raise KeyFileError(msg, hint=f"chmod 600 {path}")
    return data


def _read(path: Path, missing_hint: str = KEYS_HINT) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(msg, hint=missing_hint) from error
    if len(data) > MAX_KEY_FILE_BYTES:
        msg = f"{path} is no key file: it is too long"
        raise KeyFileError(msg)
    return data, mode


def _malformed(path: Path, expected: str) -> KeyFileError:
    return KeyFileError(f"{path} does not hold {expected}")
