"""Files of an issuing office: its key, and the list of issuers that gates trust.

permits.key            Ed25519 private key, PEM (PKCS #8), mode 0600: stays at the office
permits.key.pub        its public key, PEM
permits.key.issuers    the list of issuers with its entry (`pass_issuers`): goes to every gate
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
)

from admission.credentials.pass_issuers import (
    FORM,
    PassIssuer,
    PassIssuers,
    key_id,
    pack_issuers,
    read_issuers,
)
from admission.errors import TrustError
from cache.errors import KeyFileError as ReplicaKeyFileError
from cache.replica.keys import has_private_key, private_pem, public_pem, read_secret
from hub.errors import KeyFileError
from hub.writing import write_file

SEED_BYTES = 32
KEY_HINT = "`chot pass key` makes an issuing key"


def public_file(path: Path) -> Path:
    """Return where the public part of the key in `path` stands."""
    return path.with_name(path.name + ".pub")


def issuers_file(path: Path) -> Path:
    """Return where the list of issuers beside the key in `path` stands."""
    return path.with_name(path.name + ".issuers")


def require_free(path: Path) -> None:
    """Check that no key stands under this name.

    :raises KeyFileError: if one does.
    """
    for present in (path, public_file(path)):
        if present.exists():
            msg = f"{present} is there already"
            hint = "choose another name; --replace ends the old key: it signs nothing any more"
            raise KeyFileError(msg, hint=hint)


def write_issuing_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write the key and its public part durably, in place of any that are there.

    :raises KeyFileError: if a file cannot be written.
    """
    write_file(path, private_pem(key), 0o600, failure=KeyFileError)
    write_file(public_file(path), public_pem([key.public_key()]), 0o644, failure=KeyFileError)


def load_issuing_key(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a file.

    :raises KeyFileError: if it is missing, no such key, or readable by group or others.
    """
    try:
        data = read_secret(path, missing_hint=KEY_HINT, form=has_private_key)
        key = load_pem_private_key(data, password=None)
    except ReplicaKeyFileError as error:
        raise KeyFileError(str(error), hint=error.hint) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{path} does not hold a private key in PEM without a password"
        raise KeyFileError(msg, hint=KEY_HINT) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path} does not hold an Ed25519 key"
        raise KeyFileError(msg, hint=KEY_HINT)
    return key


def load_issuers(path: Path) -> PassIssuers:
    """Return the issuers in a file.

    :raises KeyFileError: if it cannot be read or used as a whole.
    """
    try:
        with path.open("rb") as file:
            return read_issuers(file.read(FORM.max_bytes + 1))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(msg, hint="`chot pass key` writes a list of issuers") from error
    except TrustError as error:
        msg = f"{path}: {error}"
        raise KeyFileError(msg, hint=error.hint) from error


def listed_issuer(path: Path, key: Ed25519PrivateKey) -> PassIssuer | None:
    """Return the entry of the key in `path` in the list beside it; None if it has none there.

    :raises KeyFileError: if there is a list that cannot be used.
    """
    beside = issuers_file(path)
    return load_issuers(beside).issuers.get(key_id(key.public_key())) if beside.exists() else None


def issuer_list(path: Path, issuer: PassIssuer) -> bytes:
    """Return the list of issuers in a file, or an empty one if there is none, with one more entry.

    :raises KeyFileError: if the list cannot be used, or would not take the entry.
    """
    known = list(load_issuers(path).issuers.values()) if path.exists() else []
    document = pack_issuers([*known, issuer])
    try:
        refused = read_issuers(document).refused
    except TrustError as error:
        msg = f"{path} takes no further entry: {error}"
        raise KeyFileError(msg) from error
    if refused:
        msg = f"this makes no issuer: {refused[0].reason}"
        raise KeyFileError(msg, hint="name the office in at most 64 printable characters")
    return document


class Joined(msgspec.Struct, frozen=True):
    """Lists of issuers made one: how many entries it has, and what a person should know of it."""

    document: bytes
    count: int
    remarks: tuple[str, ...]


def joined_issuers(paths: Iterable[Path]) -> Joined:
    """Return one list of all the issuers in these files; a key that stands in several, once.

    :raises KeyFileError: if a file cannot be used, two say different things of one key, or there
        are more entries than one list takes.
    """
    issuers: dict[bytes, PassIssuer] = {}
    origin: dict[bytes, Path] = {}
    remarks = []
    for path in paths:
        held = load_issuers(path)
        remarks += [f"{path}, entry {one.index}: left out: {one.reason}" for one in held.refused]
        for kid, issuer in held.issuers.items():
            known = issuers.setdefault(kid, issuer)
            first = origin.setdefault(kid, path)
            if known is issuer:
                continue
            if (known.name, known.kinds) != (issuer.name, issuer.kinds):
                msg = f"{first} and {path} say different things of the key {kid.hex()}"
                raise KeyFileError(msg, hint="leave out the list that is out of date")
            remarks.append(f"{path}: {issuer.name}, key {kid.hex()}: in {first} already")
    document = pack_issuers(issuers.values())
    try:
        read_issuers(document)
    except TrustError as error:
        msg = f"one list cannot hold them all: {error}"
        raise KeyFileError(msg) from error
    return Joined(document, len(issuers), tuple(remarks))


def write_issuers(path: Path, document: bytes) -> None:
    """Write a list of issuers durably.

    :raises KeyFileError: if it cannot be written.
    """
    write_file(path, document, 0o644, failure=KeyFileError)
