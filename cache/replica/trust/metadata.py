"""Metadata files of TUF: read within bounds, and verified by a root's keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Generic, TypeVar

from securesystemslib.signer import Signature
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from admission.instant import Instant
from cache.errors import TrustError, TrustExpired
from cache.replica.keys import MAX_ROOT_BYTES

HEAD_KEYS = "head-keys.pem"
"""The target that holds the keys heads are signed with: Ed25519 public keys in PEM."""
TARGETS_FILE = "targets.json"
"""How a snapshot names the targets."""
LIMITS_BYTES = {
    Root.type: MAX_ROOT_BYTES,
    Timestamp.type: 16_384,
    Snapshot.type: 65_536,
    Targets.type: 1 << 20,
}
"""The largest file of each role that is read."""
MAX_HEAD_KEYS_BYTES = 4_096
MAX_VERSION = (1 << 63) - 1

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)


@dataclass(frozen=True)
class Received(Generic[S]):
    """One metadata file: what it says, its bytes, and what was signed by whom."""

    signed: S
    data: bytes
    payload: bytes
    signatures: dict[str, Signature]

    @property
    def version(self) -> int:
        """Its version, from 1."""
        return self.signed.version


def segment_target(root: bytes) -> str:
    """Return the name of the target that is the segment of this Merkle root.

    >>> segment_target(bytes(32))[:14]
    'segments/00000'
    """
    return f"segments/{root.hex()}.segment"


def document_target(sha256: bytes) -> str:
    """Return the name of the target that is the document of this SHA-256.

    >>> document_target(bytes(32))[-13:]
    '0000.document'
    """
    return f"documents/{sha256.hex()}.document"


def file_name(role: str, version: int) -> str:
    """Return what a role's file is called in a repository with consistent snapshots (§6.2).

    >>> file_name("root", 3), file_name("timestamp", 9)
    ('3.root.json', 'timestamp.json')
    """
    return f"{role}.json" if role == Timestamp.type else f"{version}.{role}.json"


def read(kind: type[S], data: bytes) -> Received[S]:
    """Return a metadata file's content. No signature is verified.

    :raises TrustError: if it is oversized, or not well-formed metadata of this role.
    """
    role = kind.type
    if len(data) > LIMITS_BYTES[role]:
        msg = f"{role} metadata is longer than {LIMITS_BYTES[role]} bytes"
        raise TrustError(msg)
    try:
        # Parsing and the canonical form map whatever goes wrong, a nesting too deep included.
        metadata = Metadata[S].from_bytes(data)
        payload = metadata.signed_bytes
    except RepositoryError as error:
        msg = f"not {role} metadata: {error.__cause__ or error}"[:300]
        raise TrustError(msg) from error
    signed: Signed = metadata.signed
    if not isinstance(signed, kind):
        msg = f"{signed.type} metadata where {role} metadata is due"
        raise TrustError(msg)
    if not all(_is_number(number) for number in _numbers(signed)):
        msg = f"not {role} metadata: its numbers are out of range"
        raise TrustError(msg)
    if isinstance(signed, Root):
        _require_distinct_keys(signed)
    return Received(signed, data, payload, metadata.signatures)


def require_signed(received: Received[S], by: Root) -> None:
    """Return if a threshold of the keys that a root gives this role signed the file.

    :raises TrustError: if not.
    """
    role = received.signed.type
    try:
        by.verify_delegate(role, received.payload, received.signatures)
    except (RepositoryError, ValueError) as error:
        msg = f"{role} metadata is not signed by those whom the root names for it: {error}"
        raise TrustError(
            msg, hint="compare root.json here with the hub's: chot hub keys"
        ) from error


def is_signed(received: Received[S], by: Root) -> bool:
    """Return whether `require_signed` returns."""
    try:
        require_signed(received, by)
    except TrustError:
        return False
    return True


def require_named(name: MetaFile | TargetFile, data: bytes, what: str) -> None:
    """Return if bytes have the length and the hashes by which they are named.

    :raises TrustError: if not.
    """
    try:
        name.verify_length_and_hashes(data)
    except RepositoryError as error:
        msg = f"{what} is not the one that is named: {error}"
        raise TrustError(msg, hint="a mirror may be half up to date: it mends by itself") from error


def require_fresh(signed: Signed, now: Instant) -> None:
    """Return unless this has expired; without a trusted clock nothing has.

    :raises TrustExpired: if it has.
    """
    if is_expired(signed, now):
        msg = f"{signed.type} metadata expired at {signed.expires.isoformat()}"
        raise TrustExpired(
            msg, hint="the hub renews it when it runs: check the way to it, and both clocks"
        )


def is_expired(signed: Signed, now: Instant) -> bool:
    """Return whether a trusted clock says that this has expired."""
    return now.dated and now.at(UTC) >= signed.expires


def _numbers(signed: Signed) -> list[object]:
    numbers: list[object] = [signed.version]
    if isinstance(signed, Root):
        numbers += [role.threshold for role in signed.roles.values()]
    elif isinstance(signed, Timestamp):
        numbers += _meta_numbers(signed.snapshot_meta)
    elif isinstance(signed, Snapshot):
        numbers += [n for meta in signed.meta.values() for n in _meta_numbers(meta)]
    elif isinstance(signed, Targets):
        numbers += [target.length for target in signed.targets.values()]
    return numbers


def _meta_numbers(meta: MetaFile) -> list[object]:
    return [meta.version, *([] if meta.length is None else [meta.length])]


def _is_number(value: object) -> bool:
    # The classes compare and do not ask for the type: 1.5 and true are larger than 0 as well.
    return type(value) is int and 0 <= value <= MAX_VERSION


def _require_distinct_keys(root: Root) -> None:
    """Check that no key stands under two names: it would count twice for a threshold."""
    for role in root.roles.values():
        values = [str(root.keys[k].keyval.get("public")) for k in role.keyids if k in root.keys]
        if len({value.strip().lower() for value in values}) != len(values):
            raise TrustError("not root metadata: one key stands under two names")
