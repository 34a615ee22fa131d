"""The signed head: the one small file by which the hub vouches for a release.

Envelope: msgpack array [version, key id, payload, signature]. Ed25519 signs a domain prefix and the
payload's bytes. The payload is not parsed before its signature is verified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError
from admission.wire import unpack_bounded
from cache.errors import HeadError, HeadKeyUnknown
from cache.replica.geometry import HASH_KEY_ID_BYTES
from cache.replica.merkle import HASH_BYTES

MAX_HEAD_BYTES = 65_536
HEAD_VERSION = 3
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64
MAX_DATASETS = 64
MAX_DOCUMENTS = 128
MAX_DOCUMENT_BYTES = 16 << 20
MAX_NAME_LENGTH = 128
MAX_DELTAS = 64
MAX_CHANGES_BYTES = 32_768
_DOMAIN = b"chot head\x00"


class Blob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One immutable file, named by its SHA-256 (32 bytes), and its bytes."""

    sha256: bytes
    size: int

    @property
    def name(self) -> str:
        """The file's name: its SHA-256 in lower-case hex."""
        return self.sha256.hex()


class DeltaFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One delta file. It holds the changes after number `after` up to and including `through`."""

    file: Blob
    after: int
    through: int


class Following(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base that is to come: what the present one and its changes up to `through` merge into.

    `recipe` is how its rows are coded (`recipe.Recipe`): a gate that merges by it gets a segment
    of this root, byte for byte.
    """

    root: bytes
    size: int
    rows: int
    through: int
    recipe: Blob

    @property
    def name(self) -> str:
        """The segment's name: its root in lower-case hex."""
        return self.root.hex()


class Dataset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dataset: its base segment, and what has changed since.

    `root` (Merkle, 32 bytes), `size` in bytes, `rows` and `layout` are the base's; `snapshot` is
    the same rows packed for the wire, None where the segment itself is fetched. Changes are
    numbered from 1 on each base: the `deltas` join without gaps, from 0 on, and `changes`
    (`changes.unpack_changes`) holds those after the last of them, through `through`.
    """

    root: bytes
    size: int
    rows: int
    layout: int
    snapshot: Blob | None = None
    deltas: tuple[DeltaFile, ...] = ()
    changes: bytes = b""
    through: int = 0
    following: Following | None = None

    @property
    def name(self) -> str:
        """The segment's name: its root in lower-case hex."""
        return self.root.hex()


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signed document: SHA-256 (32 bytes) and size in bytes. What it says is not judged here.

    Its name in the head says what it is: `rulebook/<id>`, `trust/dcc`, `orders` and so on.
    """

    sha256: bytes
    size: int

    @property
    def name(self) -> str:
        """The file's name: its SHA-256 in lower-case hex."""
        return self.sha256.hex()


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the hub vouches for.

    `targets` is the version of the TUF targets that list every base and document named here.
    `sequence` rises by at least one with every head. `issued_ns` and `expires_ns` are wall time in
    ns since the Unix epoch. `min_next_poll_s` is how long a gate waits before it asks again.
    """

    sequence: int
    issued_ns: int
    expires_ns: int
    min_next_poll_s: int
    hash_key_id: bytes
    datasets: dict[str, Dataset]
    documents: dict[str, Document]
    targets: int = 0


class SignedHead(msgspec.Struct, frozen=True):
    """A head whose signature holds, the envelope it came in, and the SHA-256 of its payload."""

    head: Head
    envelope: bytes
    digest: bytes
    key_id: bytes
    """Names the key that signed it."""


class _Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    key_id: bytes
    payload: bytes
    signature: bytes


_pack = msgspec.msgpack.Encoder().encode


def public_key_id(key: Ed25519PublicKey) -> bytes:
    """Return the 8 bytes by which an envelope names its key: the start of the raw key's SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_BYTES]


def sign_head(head: Head, key: Ed25519PrivateKey) -> bytes:
    """Return the signed envelope.

    :raises HeadError: if the head is malformed or larger than `MAX_HEAD_BYTES`.
    """
    _check(head)
    payload = _pack(head)
    signature = key.sign(_signed(payload))
    data = _pack(_Envelope(HEAD_VERSION, public_key_id(key.public_key()), payload, signature))
    if len(data) > MAX_HEAD_BYTES:
        msg = f"a head has at most {MAX_HEAD_BYTES} bytes, not {len(data)}"
        raise HeadError(msg)
    return data


def verify_head(data: bytes, public_keys: Iterable[Ed25519PublicKey]) -> SignedHead:
    """Return the head in this envelope if one of the keys signed it.

    Whether it may be accepted now is judged by `ratchet.judge`.

    :raises HeadKeyUnknown: if the key that it names is none of these.
    :raises HeadError: if the envelope is oversized, malformed, of another version or its signature
        does not hold, or if the signed payload is not a head that this version understands.
    """
    envelope = _envelope(data)
    key = {public_key_id(k): k for k in public_keys}.get(envelope.key_id)
    if key is None:
        raise HeadKeyUnknown(
            "the head is signed by a key that is not trusted here",
            hint="compare root.json here with the hub's: chot hub keys names it",
        )
    try:
        key.verify(envelope.signature, _signed(envelope.payload))
    except InvalidSignature as error:
        raise HeadError("the head's signature does not hold") from error
    try:
        head = msgspec.convert(unpack_bounded(envelope.payload, MAX_HEAD_BYTES), Head)
    except (WireError, msgspec.ValidationError) as error:
        msg = f"the head is signed, but not one of this version: {error}"
        raise HeadError(msg, hint="update this appliance") from error
    _check(head)
    digest = hashlib.sha256(envelope.payload).digest()
    return SignedHead(head, data, digest, envelope.key_id)


def _envelope(data: bytes) -> _Envelope:
    try:
        envelope = msgspec.convert(unpack_bounded(data, MAX_HEAD_BYTES), _Envelope)
    except (WireError, msgspec.ValidationError) as error:
        msg = f"not a head: {error}"
        raise HeadError(msg) from error
    if envelope.version != HEAD_VERSION:
        msg = f"head version {envelope.version} is unknown here"
        raise HeadError(msg, hint="update this appliance")
    # One envelope has one form, so that no byte of it is outside the signature's reach.
    if _pack(envelope) != data or len(envelope.signature) != SIGNATURE_BYTES:
        raise HeadError("not a head: its envelope is not in its shortest form")
    return envelope


def _signed(payload: bytes) -> bytes:
    return _DOMAIN + bytes([HEAD_VERSION]) + payload


def _check(head: Head) -> None:
    named = [*head.datasets, *head.documents]
    sound = (
        0 < head.sequence < 1 << 63
        and 0 < head.issued_ns < head.expires_ns < 1 << 63
        and 0 <= head.min_next_poll_s <= 86_400
        and len(head.hash_key_id) == HASH_KEY_ID_BYTES
        and len(head.datasets) <= MAX_DATASETS
        and len(head.documents) <= MAX_DOCUMENTS
        and all(0 < len(name) <= MAX_NAME_LENGTH for name in named)
        and 0 <= head.targets < 1 << 63
        and all(map(_sound, head.datasets.values()))
        and all(
            len(d.sha256) == HASH_BYTES and 0 < d.size <= MAX_DOCUMENT_BYTES
            for d in head.documents.values()
        )
    )
    if not sound:
        raise HeadError("the head's fields are out of range")


def _sound(dataset: Dataset) -> bool:
    """Return whether a dataset's numbers are in range and its deltas join without gaps."""
    following = dataset.following
    numbers = [0]
    for delta in dataset.deltas:
        numbers += (delta.after, delta.through)
    joined = all(at == after for at, after in zip(numbers[::2], numbers[1::2], strict=False))
    ordered = all(delta.after < delta.through for delta in dataset.deltas)
    files = [delta.file for delta in dataset.deltas]
    files += [dataset.snapshot] if dataset.snapshot else []
    files += [following.recipe] if following else []
    return (
        len(dataset.root) == HASH_BYTES
        and dataset.size > 0
        and dataset.rows >= 0
        and len(dataset.deltas) <= MAX_DELTAS
        and len(dataset.changes) <= MAX_CHANGES_BYTES
        and joined
        and ordered
        and 0 <= numbers[-1] <= dataset.through < 1 << 63
        and (numbers[-1] < dataset.through) == bool(dataset.changes)
        and all(len(file.sha256) == HASH_BYTES and file.size > 0 for file in files)
        and (
            following is None
            or (
                len(following.root) == HASH_BYTES
                and following.size > 0
                and following.rows >= 0
                and 0 < following.through <= dataset.through
            )
        )
    )
