"""The anchor: what a journal's device has signed of it, so that tampering with files shows.

A hash chain alone proves nothing to somebody who can compute it: whoever alters an entry computes
every hash behind it anew. The anchor states where the chain stood, and the device's key signs it.

The file is a signed message (`admission.signed`). Its body names the public key, so that a damaged
file is told from a sound one also where nobody knows the device.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from admission.errors import WireError
from admission.passage import CHAIN_HASH_BYTES, JOURNAL_ID_BYTES, MAX_SEQUENCE
from admission.signed import holds, parts, sign, typed
from admission.upload import MAX_MARK_BYTES
from cache.journal.errors import AnchorError
from cache.journal.medium import Medium
from cache.journal.replacing import replace_file

ANCHOR_NAME = "journal.anchor"
MAX_ANCHOR_BYTES = MAX_MARK_BYTES + 1_024
_VERSION = 1
_DOMAIN = b"chot journal anchor 1\x00"
_DEVICE_BYTES = 32


class Pruned(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How far a journal was pruned: entries through this one may be gone, none after it.

    :ivar chain_hash: that entry's; `genesis` for `through` 0.
    :ivar kept: `digest_of_kept` of the files that begin at or before `through`, as they are once
        the step that this anchor announced is done.
    :ivar kept_before: the same before that step. A power cut leaves one or the other.
    """

    through: int
    chain_hash: bytes
    kept: bytes
    kept_before: bytes


class Anchor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the device signed of its journal.

    :ivar device: the raw public key of whoever signed.
    :ivar head: sequence of an entry that was durable by then; `head_hash` is its chain hash.
    :ivar found_through: entries through this one stood there when the journal had no anchor yet:
        of them it is only said how they were found.
    :ivar mark: the hub's last signed mark (`admission.upload.sign_mark`), empty if there is none.
    """

    version: int
    device: bytes
    journal: bytes
    head: int
    head_hash: bytes
    found_through: int
    pruned: Pruned
    mark: bytes


def make_anchor(
    key: Ed25519PrivateKey,
    journal: bytes,
    head: tuple[int, bytes],
    pruned: Pruned,
    *,
    found_through: int = 0,
    mark: bytes = b"",
) -> Anchor:
    """Return the anchor that this key is going to sign.

    :param head: sequence and chain hash of a durable entry.
    """
    device = key.public_key().public_bytes_raw()
    return Anchor(_VERSION, device, journal, *head, found_through, pruned, mark)


def digest_of_kept(files: Iterable[tuple[int, bytes]]) -> bytes:
    """Return one digest of what is left of a journal's pruned part.

    :param files: first sequence and SHA-256 of each file, ascending.
    """
    whole = hashlib.sha256()
    for first_sequence, sha256 in files:
        whole.update(first_sequence.to_bytes(8, "little") + sha256)
    return whole.digest()


def sign_anchor(anchor: Anchor, key: Ed25519PrivateKey) -> bytes:
    """Return the file's bytes."""
    return sign(msgspec.msgpack.encode(anchor), _DOMAIN, key)


def open_anchor(data: bytes) -> Anchor:
    """Return an anchor that is intact: its signature is that of the key which it names.

    Whether that key is the device's is for the caller to compare.

    :raises AnchorError: if the bytes are no such anchor.
    """
    try:
        body, signature = parts(data, MAX_ANCHOR_BYTES)
        anchor = _bounded(typed(body, Anchor, MAX_ANCHOR_BYTES))
        device = Ed25519PublicKey.from_public_bytes(anchor.device)
    except (WireError, ValueError) as error:
        raise AnchorError("the journal's anchor is damaged") from error
    if not holds(device, signature, _DOMAIN + body):
        raise AnchorError("the journal's anchor is damaged")
    return anchor


def read_anchor(medium: Medium, directory: Path) -> Anchor | None:
    """Return the anchor of a journal's folder, None where there is none.

    :raises AnchorError: if it is damaged, or cannot be read.
    """
    try:
        data = medium.read(directory / ANCHOR_NAME, 0, MAX_ANCHOR_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AnchorError("the journal's anchor cannot be read") from error
    return open_anchor(data)


def intact_anchor(medium: Medium, directory: Path) -> Anchor | None:
    """Return the anchor, None where there is none that could be believed."""
    with contextlib.suppress(AnchorError):
        return read_anchor(medium, directory)
    return None


def write_anchor(medium: Medium, directory: Path, anchor: Anchor, key: Ed25519PrivateKey) -> None:
    """Replace the anchor's file; once this returns the new one is durable.

    :raises OSError: as the medium does. The file is then the old one or the new one.
    """
    replace_file(medium, directory / ANCHOR_NAME, sign_anchor(anchor, key))


def _bounded(anchor: Anchor) -> Anchor:
    pruned = anchor.pruned
    hashes = (anchor.head_hash, pruned.chain_hash, pruned.kept, pruned.kept_before)
    if anchor.version != _VERSION or len(anchor.device) != _DEVICE_BYTES:
        raise ValueError("an anchor of another version")
    if len(anchor.journal) != JOURNAL_ID_BYTES or len(anchor.mark) > MAX_MARK_BYTES:
        raise ValueError("the anchor names no journal")
    if any(len(one) != CHAIN_HASH_BYTES for one in hashes):
        raise ValueError("the anchor carries hashes that are none")
    if not 0 <= pruned.through <= anchor.head <= MAX_SEQUENCE:
        raise ValueError("the anchor is out of range")
    if not 0 <= anchor.found_through <= anchor.head:
        raise ValueError("the anchor is out of range")
    return anchor
