"""Revocation slices as dgca-revocation-distribution-service hands them out, from a folder.

    FOLDER/lists.json               what GET /lists answered
    FOLDER/KID/partitions.json      what GET /lists/KID/partitions answered
    FOLDER/KID/*.tar.gz             what GET …/slices answered, any number, any names

KID is the key id as the service writes it into addresses, base64url, or UNKNOWN_KID. An archive is
a stranger's:
nothing of it is ever written to a disk, names in it are no paths here, it may inflate to
`MAX_INFLATED_BYTES` only, and a slice counts by its SHA-256, which is its name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from admission.credentials.dcc_bloom import (
    MAX_SLICE_BYTES,
    read_bloom_filter,
    read_prefix_list,
)
from admission.credentials.dcc_revocations import (
    ANY_KEY,
    KEY_ID_BYTES,
    PATH_LENGTH,
    HashType,
    Mode,
    RevocationList,
    SliceEntry,
    SliceType,
)
from admission.errors import MalformedError, TrustError
from hub.dcc_feed import Refusal, read_bounded, seconds

MAX_INFLATED_BYTES = 64 << 20
MAX_MEMBERS = 10_000

_UNKNOWN_KEY = "UNKNOWN_KID"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class ListedKey(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of `lists.json`."""

    kid: str
    mode: Mode
    hash_types: tuple[HashType, ...]
    expires: datetime | None = None


class ListedSlice(msgspec.Struct, frozen=True):
    """A slice as a partition names it."""

    type: SliceType
    hash: str


class Partition(msgspec.Struct, frozen=True):
    """One entry of `partitions.json`: chunks by their character, slices by their expiry."""

    chunks: dict[str, dict[datetime, ListedSlice]]
    x: str | None = None
    y: str | None = None


def listed_keys(folder: Path) -> list[ListedKey]:
    """Return what `lists.json` names.

    :raises TrustError: if the folder has none or it cannot be read.
    """
    try:
        return msgspec.json.decode(read_bounded(folder / "lists.json"), type=list[ListedKey])
    except (TrustError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{folder}/lists.json: {error}"
        raise TrustError(
            msg, hint="keep there what GET /lists of the distribution service answers"
        ) from error


def lists_in(
    folder: Path, keys: Iterable[ListedKey], now_s: int
) -> tuple[list[RevocationList], list[Refusal]]:
    """Return the lists of the keys with their slices that count at `now_s`, and what is missing.

    Each failure is handled by itself: a key without its partitions, an archive that is none, a
    slice that no archive holds.
    """
    lists, refusals = [], []
    for key in keys:
        try:
            found, missing = _list_of(folder, key, now_s)
        except TrustError as error:
            refusals.append(Refusal(f"key {key.kid}", str(error)))
        else:
            lists.append(found)
            refusals += missing
    return lists, refusals


def slices_in_archive(data: bytes) -> dict[str, bytes]:
    """Return the slices of a tar.gz by their SHA-256 in hexadecimal.

    :raises TrustError: if it is none, too large, or holds something that is not named by its hash.
    """
    inflated = _inflated(data)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(inflated), mode="r:") as archive:
            for count, member in enumerate(archive, start=1):
                if count > MAX_MEMBERS:
                    raise TrustError("an archive of too many files")
                if member.isdir():
                    continue
                # A sparse file claims megabytes that the archive does not hold.
                plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
                if not plain or member.issparse() or member.size > MAX_SLICE_BYTES:
                    raise TrustError("an archive with something else than slices in it")
                content = archive.extractfile(member)
                body = b"" if content is None else content.read(MAX_SLICE_BYTES)
                digest = hashlib.sha256(body).hexdigest()
                if _hash_in_hex(member.name.rsplit("/", 1)[-1]) != digest:
                    raise TrustError("a slice that is not what its name says: damaged")
                found[digest] = body
    except (
        tarfile.TarError,
        ValueError,
        ArithmeticError,
        EOFError,
        OSError,
        RecursionError,
    ) as error:
        raise TrustError("no tar archive") from error
    return found


def _list_of(folder: Path, key: ListedKey, now_s: int) -> tuple[RevocationList, list[Refusal]]:
    key_id = _key_id(key.kid)
    below = folder / (base64.urlsafe_b64encode(key_id).decode("ascii") or _UNKNOWN_KEY)
    if not below.is_dir():
        below = folder / below.name.rstrip("=")
    partitions = _partitions(below / "partitions.json")
    available: dict[str, bytes] = {}
    refusals = []
    for path in sorted(below.rglob("*.tar.gz")):
        try:
            available |= slices_in_archive(read_bounded(path))
        except TrustError as error:
            refusals.append(Refusal(str(path), str(error)))
    entries = []
    for partition_path, expires_s, listed in _listed(key, partitions):
        if expires_s <= now_s:
            continue
        body = available.get(_hash_in_hex(listed.hash))
        try:
            entries.append(_entry(partition_path, expires_s, listed, body, key.mode))
        except MalformedError as error:
            refusals.append(Refusal(f"key {key.kid}, slice {listed.hash[:64]}", str(error)))
    return RevocationList(key_id, key.mode, key.hash_types, tuple(entries)), refusals


def _partitions(path: Path) -> list[Partition]:
    try:
        return msgspec.json.decode(read_bounded(path), type=list[Partition])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"{path.name}: {error}"
        raise TrustError(msg) from error


def _listed(
    key: ListedKey, partitions: Iterable[Partition]
) -> Iterator[tuple[str, int, ListedSlice]]:
    """Yield path, expiry and slice of everything that the partitions name."""
    latest_s = None if key.expires is None else seconds(key.expires)
    for partition in partitions:
        before = {
            Mode.POINT: "",
            Mode.VECTOR: partition.x or "",
            Mode.COORDINATE: (partition.x or "") + (partition.y or ""),
        }[key.mode]
        for chunk, by_expiry in partition.chunks.items():
            for expires, listed in by_expiry.items():
                expires_s = seconds(expires)
                yield (
                    (before + chunk).lower(),
                    expires_s if latest_s is None else min(expires_s, latest_s),
                    listed,
                )


def _entry(
    path: str, expires_s: int, listed: ListedSlice, body: bytes | None, mode: Mode
) -> SliceEntry:
    if body is None:
        raise MalformedError("no archive holds it")
    if len(path) != PATH_LENGTH[mode] or set(path) - set("0123456789abcdef"):
        raise MalformedError("its place does not fit the mode")
    read = read_bloom_filter if listed.type is SliceType.BLOOM_FILTER else read_prefix_list
    read(body)
    return SliceEntry(path, listed.type, expires_s, body)


def _key_id(text: str) -> bytes:
    if text == _UNKNOWN_KEY:
        return ANY_KEY
    compact = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        key_id = base64.urlsafe_b64decode(compact + "=" * (-len(compact) % 4))
    except (binascii.Error, ValueError) as error:
        raise TrustError("its key id is not base64") from error
    if len(key_id) != KEY_ID_BYTES:
        raise TrustError("its key id has another length than 8 bytes")
    return key_id


def _hash_in_hex(text: str) -> str:
    """Return a SHA-256 in hexadecimal, whether the text holds it so or in base64; else empty."""
    if len(text) == 64:
        return text.lower()
    compact = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return base64.urlsafe_b64decode(compact + "=" * (-len(compact) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        inflated = stream.decompress(data, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise TrustError("no gzip archive") from error
    if not stream.eof:
        raise TrustError("an archive that is cut off or inflates beyond all slices")
    return inflated
