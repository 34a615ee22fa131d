"""The keys that open what gates seal of people: the present one, and all that were before it.

seal.key            the present one: gates seal for its public half (document `seal/journal`)
seal-<id>.key       a former one: opens what was sealed before gates knew of the next

X25519 (RFC 7748) in PEM (PKCS #8, RFC 8410), mode 0600. A former key may be destroyed once nothing
is kept any more that it opens: then nobody ever reads that again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
)

from admission.sealing import key_id
from cache.errors import KeyFileError as ReplicaKeyFileError
from cache.replica.durable import write_durably
from cache.replica.keys import has_private_key, private_pem, read_secret
from hub.errors import KeyFileError

SEAL_KEY = "seal.key"
MAX_FORMER_SEAL_KEYS = 64
_FORMER = re.compile(r"seal-[0-9a-f]{16}\.key", re.ASCII)
_SEED_BYTES = 32


class SealKeys(msgspec.Struct, frozen=True):
    """The private keys. Never logged, never shown: `repr` holds no secret.

    `present` is None in a folder of an earlier version, until `chot hub init`.
    """

    present: X25519PrivateKey | None = None
    former: tuple[X25519PrivateKey, ...] = ()

    def __repr__(self) -> str:
        return "SealKeys(...)"


def load_seal_keys(directory: Path) -> SealKeys:
    """Return the keys of a directory.

    :raises KeyFileError: if one is malformed, or readable by group or others, or there are too
        many.
    """
    present = directory / SEAL_KEY
    paths = sorted(path for path in directory.glob("seal-*.key") if _FORMER.fullmatch(path.name))
    if len(paths) > MAX_FORMER_SEAL_KEYS:
        msg = f"{directory} holds {len(paths)} former seal keys"
        raise KeyFileError(msg, hint="move those away whose entries are not kept any more")
    return SealKeys(
        _read(present) if present.exists() else None, tuple(_read(path) for path in paths)
    )


def complete_seal_key(directory: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> bool:
    """Make the present key where there is none; return whether there was none.

    :raises KeyFileError: if it cannot be written.
    """
    path = directory / SEAL_KEY
    if path.exists():
        return False
    _write(path, X25519PrivateKey.from_private_bytes(entropy(_SEED_BYTES)))
    return True


def rotate_seal_key(directory: Path, *, entropy: Callable[[int], bytes]) -> X25519PrivateKey:
    """Replace the present key, which from now on is a former one; return the new one.

    Whatever interrupts this: no key is lost that anything is sealed for.

    :raises KeyFileError: if a file cannot be read or written.
    """
    present = load_seal_keys(directory).present
    if present is not None:
        name = f"seal-{key_id(present.public_key()).hex()}.key"
        _write(directory / name, present)
    key = X25519PrivateKey.from_private_bytes(entropy(_SEED_BYTES))
    _write(directory / SEAL_KEY, key)
    return key


def _read(path: Path) -> X25519PrivateKey:
    try:
        data = read_secret(path, form=has_private_key)
        key = load_pem_private_key(data, password=None)
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, X25519PrivateKey):
        msg = f"{path} does not hold an X25519 private key in PEM"
        raise KeyFileError(msg, hint="restore it from a copy: what it opens, no other key does")
    return key


def _write(path: Path, key: X25519PrivateKey) -> None:
    try:
        write_durably(path, private_pem(key))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise KeyFileError(msg, hint="check the folder's permissions and space") from error
