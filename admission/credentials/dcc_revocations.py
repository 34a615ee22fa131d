"""Revoked EU certificates as slices: what a gate holds where exact lists are not handed out.

A `trust_document` of the format `chot-dcc-revocations/1`, for each key id one entry `[kid, mode,
hash types, slices]`, a slice `[path, type, expires, data]` with the data as the EU's service made
them (`dcc_bloom`).

Path: the first characters of the hash in lower-case hexadecimal, as many as the mode takes; the
service calls them x, y and chunk. Point: 1 (chunk). Vector: 2 (x, chunk). Coordinate: 3 (x, y,
chunk). Source: dgca-revocation-distribution-service and dgca-verifier-app-android.

A slice can say of a certificate that was never revoked that it was: once in 10^12 look-ups at the
EU's setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from admission.credentials.dcc_bloom import (
    HASH_BYTES,
    Slice,
    read_bloom_filter,
    read_prefix_list,
)
from admission.credentials.trust_document import DocumentForm
from admission.errors import MalformedError, TrustError
from admission.identity import Identifier, IdentifierKind

FORM = DocumentForm("chot-dcc-revocations/1", "revocation lists", 16 << 20, 20_000)
"""As much as one document of a release: Bloom filters of 2.3 million hashes at 10^-12."""
MAX_SLICES = 200_000
KEY_ID_BYTES = 8
ANY_KEY = b""
"""In place of a key id: certificates of whatever key, the EU's UNKNOWN_KID."""

_NS = 1_000_000_000
_MAX_TIME_S = 1 << 36


class Mode(StrEnum):
    """How many characters of a hash lead to its slice. Values are the EU's names."""

    POINT = "POINT"
    VECTOR = "VECTOR"
    COORDINATE = "COORDINATE"


PATH_LENGTH = {Mode.POINT: 1, Mode.VECTOR: 2, Mode.COORDINATE: 3}


class HashType(StrEnum):
    """What a revocation's hash is taken over. Values are the EU's names."""

    SIGNATURE = "SIGNATURE"
    UCI = "UCI"
    COUNTRY_UCI = "COUNTRYCODEUCI"


KIND_OF = {
    HashType.SIGNATURE: IdentifierKind.DCC_SIGNATURE,
    HashType.UCI: IdentifierKind.DCC_UCI,
    HashType.COUNTRY_UCI: IdentifierKind.DCC_COUNTRY_UCI,
}


class SliceType(StrEnum):
    """What a slice is. Values are the EU's names."""

    BLOOM_FILTER = "BLOOMFILTER"
    PREFIX_LIST = "VARHASHLIST"


class SliceEntry(msgspec.Struct, frozen=True, array_like=True):
    """One slice of a list; it counts before `expires_s`, seconds since the Unix epoch."""

    path: str
    type: SliceType
    expires_s: int
    data: bytes


class RevocationList(msgspec.Struct, frozen=True, array_like=True):
    """What is revoked of the certificates that were signed under one key id."""

    key_id: bytes
    mode: Mode
    hash_types: tuple[HashType, ...]
    slices: tuple[SliceEntry, ...]


class _Chunks:
    """One list, ready to be asked."""

    def __init__(self, found: RevocationList) -> None:
        self.key_id = found.key_id
        self.path_length = PATH_LENGTH[found.mode]
        self.kinds = frozenset(KIND_OF[hash_type] for hash_type in found.hash_types)
        self.refused: list[str] = []
        self._slices: dict[str, list[tuple[int, Slice]]] = {}
        for number, part in enumerate(found.slices):
            try:
                decoded = _decoded(part, self.path_length)
            except MalformedError as error:
                self.refused.append(f"slice {number} of {found.key_id.hex()}: {error}")
            else:
                self._slices.setdefault(part.path, []).append((part.expires_s, decoded))

    def hold(self, value: str, now_s: int) -> bool:
        """Return whether a hash, in hexadecimal, is in an unexpired slice."""
        slices = self._slices.get(value[: self.path_length])
        if slices is None:
            return False
        element = bytes.fromhex(value)
        return any(now_s < expires_s and part.holds(element) for expires_s, part in slices)


class Revocations:
    """All lists in use. `refused` says of every list and slice that was left out why."""

    def __init__(self, lists: Iterable[RevocationList], refused: Iterable[str] = ()) -> None:
        chunks = [_Chunks(found) for found in lists]
        self._by_key_id: dict[bytes, list[_Chunks]] = {}
        for part in chunks:
            self._by_key_id.setdefault(part.key_id, []).append(part)
        self.refused = (*refused, *(reason for part in chunks for reason in part.refused))

    def __len__(self) -> int:
        return len(self._by_key_id)

    def holds(self, key_id: bytes, withdrawn_as: Sequence[Identifier], now_ns: int) -> bool:
        """Return whether a certificate is revoked: one of its names is in an unexpired slice.

        :param key_id: of the signature (`Proof.key_id`).
        :param withdrawn_as: the certificate's names (`Proof.withdrawn_as`); other kinds than the
            three of the EU are passed over.
        """
        lists = self._by_key_id
        asked = (*lists.get(key_id, ()), *(lists.get(ANY_KEY, ()) if key_id else ()))
        return any(
            identifier.kind in chunks.kinds
            and len(identifier.value) == HASH_BYTES * 2
            and chunks.hold(identifier.value, now_ns // _NS)
            for chunks in asked
            for identifier in withdrawn_as
        )


NOTHING_REVOKED = Revocations(())


def write_revocations(lists: Iterable[RevocationList]) -> bytes:
    """Return the document. The same lists, in any order, give the same bytes.

    :raises TrustError: if it would be larger than `read_revocations` reads.
    """
    ordered = sorted(lists, key=lambda found: (found.key_id, found.mode))
    entries = [
        [
            found.key_id,
            found.mode,
            sorted(found.hash_types),
            [
                [part.path, part.type, part.expires_s, part.data]
                for part in sorted(found.slices, key=msgspec.structs.astuple)
            ],
        ]
        for found in ordered
    ]
    return FORM.write(entries)


def read_revocations(data: bytes) -> Revocations:
    """Return the revocations of a document, without the lists and slices that are unusable.

    :raises TrustError: if the document as a whole is oversized, damaged or of another format.
    """
    lists, refused = [], []
    slices = 0
    for index, entry in enumerate(FORM.read(data)):
        try:
            found = _list(entry)
        except (msgspec.ValidationError, MalformedError) as error:
            refused.append(f"list {index}: {error}")
            continue
        slices += len(found.slices)
        if slices > MAX_SLICES:
            raise TrustError("the revocations hold more slices than a gate reads")
        lists.append(found)
    return Revocations(lists, refused)


def _list(entry: Any) -> RevocationList:
    found = msgspec.convert(entry, RevocationList, strict=True)
    if found.key_id != ANY_KEY and len(found.key_id) != KEY_ID_BYTES:
        raise MalformedError("its key id has another length than 8 bytes")
    return found


def _decoded(part: SliceEntry, path_length: int) -> Slice:
    if len(part.path) != path_length or set(part.path) - set("0123456789abcdef"):
        raise MalformedError("its path does not fit the mode")
    if not 0 <= part.expires_s < _MAX_TIME_S:
        raise MalformedError("its expiry is impossible")
    if part.type is SliceType.BLOOM_FILTER:
        return read_bloom_filter(part.data)
    return read_prefix_list(part.data)
