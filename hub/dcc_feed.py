"""EU material from files: document signer certificates, and batches of revoked certificates.

Nothing here verifies where a file came from: whoever runs the hub takes trust lists and batches
from the EU's gateway or a national backend and checks their signatures before they come here
(docs/certificates.md).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from admission.credentials.dcc_revocations import KIND_OF, HashType
from admission.credentials.dcc_signers import Signer, signer_of
from admission.errors import TrustError
from admission.identity import Identifier

MAX_FILE_BYTES = 16 << 20
MAX_FILES = 100_000
MAX_BATCH_ENTRIES = 1_000
"""Of dgc-gateway; a batch with more is none of its own."""
HASH_BYTES = 16

CERTIFICATE_SUFFIXES = frozenset({".der", ".cer", ".crt", ".pem", ".json"})
BATCH_SUFFIXES = frozenset({".json"})

COLUMNS = ("kind", "number")
"""The columns of a list of withdrawals that batches fill."""

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,30000})-----END CERTIFICATE")
_DER_SEQUENCE = b"\x30"
_CERTIFICATE_KEYS = frozenset({"rawData", "certificate", "x5c", "x5a"})
_SIGNER_TYPES = frozenset({None, "DSC"})
_MAX_JSON_DEPTH = 8


class Refusal(msgspec.Struct, frozen=True):
    """One file, or one thing within it, that could not be used, and why."""

    source: str
    reason: str


class Batch(msgspec.Struct, frozen=True):
    """One batch. `rows` are the names under which certificates are revoked until `expires_s`."""

    country: str
    expires_s: int
    rows: tuple[Identifier, ...]


class _BatchEntry(msgspec.Struct):
    hash: str


class _BatchDocument(msgspec.Struct, rename="camel"):
    country: str
    expires: datetime
    hash_type: HashType
    entries: list[_BatchEntry]
    kid: str = ""


def files_of(paths: Sequence[Path], suffixes: frozenset[str]) -> list[Path]:
    """Return the files themselves, and of folders all files below with one of the suffixes.

    :raises TrustError: if there is none, or more than `MAX_FILES`.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            below = path.rglob("*")
            found += sorted(p for p in below if p.suffix.lower() in suffixes and p.is_file())
        else:
            found.append(path)
        if len(found) > MAX_FILES:
            msg = f"these are more than {MAX_FILES:,} files"
            raise TrustError(msg)
    if not found:
        names = ", ".join(sorted(suffixes))
        raise TrustError("there is no file to read here", hint=f"looked for: {names}")
    return found


def read_bounded(path: Path, limit_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the file's bytes.

    :raises TrustError: if it cannot be read or is longer than the limit.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        msg = f"cannot be read: {error.strerror}"
        raise TrustError(msg) from error
    if len(data) > limit_bytes:
        msg = f"longer than {limit_bytes >> 20} MiB"
        raise TrustError(msg)
    return data


def signers_in(files: Iterable[Path]) -> tuple[list[Signer], list[Refusal]]:
    """Return the signers of all certificates in the files, and what could not be used.

    Each failure is handled by itself. A certificate that is there twice counts once.
    """
    signers: dict[Signer, None] = {}
    refusals = []
    for path in files:
        try:
            certificates = certificates_in(read_bounded(path))
        except TrustError as error:
            refusals.append(Refusal(str(path), str(error)))
            continue
        for number, der in enumerate(certificates, start=1):
            try:
                signers[signer_of(der)] = None
            except TrustError as error:
                place = f"{path}, certificate {number}" if len(certificates) > 1 else str(path)
                refusals.append(Refusal(place, str(error)))
    return list(signers), refusals


def certificates_in(data: bytes) -> list[bytes]:
    """Return the certificates of a file, in DER: one in DER, any number in PEM or JSON.

    JSON is the gateway's trust list (`rawData`, entries of other types than DSC left out), a list
    of base64 texts, or either of them deeper inside.

    :raises TrustError: if there is none, or one that is no base64.
    """
    if data[:1] == _DER_SEQUENCE:
        return [data]
    encoded: list[bytes | str] = list(_PEM.findall(data))
    if not encoded:
        try:
            encoded = list(_texts(msgspec.json.decode(data), _MAX_JSON_DEPTH))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise TrustError("neither DER nor PEM nor JSON") from error
    if not encoded:
        raise TrustError("there is no certificate in it")
    return [_from_base64(text) for text in encoded]


def read_batch(data: bytes) -> Batch:
    """Return a batch of the gateway: the JSON inside its CMS message (dgc-gateway, BatchDto).

    :raises TrustError: if it is none, is larger than a batch may be, or one of its hashes is not
        the first 16 bytes of a SHA-256.
    """
    try:
        document = msgspec.json.decode(data, type=_BatchDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"no batch of revocations: {error}"
        raise TrustError(
            msg, hint="take the JSON out of the CMS message: openssl cms -verify"
        ) from error
    if len(document.entries) > MAX_BATCH_ENTRIES:
        msg = f"a batch holds at most {MAX_BATCH_ENTRIES:,} entries"
        raise TrustError(msg)
    hashes = [_from_base64(entry.hash) for entry in document.entries]
    if any(len(found) != HASH_BYTES for found in hashes):
        raise TrustError("a hash of another length than 16 bytes")
    return Batch(
        document.country,
        seconds(document.expires),
        tuple(Identifier(KIND_OF[document.hash_type], found.hex()) for found in hashes),
    )


def batches_in(files: Iterable[Path], now_s: int) -> tuple[list[Batch], list[Refusal]]:
    """Return the batches that count at `now_s`, and what could not be used, expired ones too."""
    batches, refusals = [], []
    for path in files:
        try:
            batch = read_batch(read_bounded(path))
        except TrustError as error:
            refusals.append(Refusal(str(path), str(error)))
            continue
        if batch.expires_s <= now_s:
            refusals.append(Refusal(str(path), "expired"))
        else:
            batches.append(batch)
    return batches, refusals


def withdrawals_csv(batches: Iterable[Batch]) -> tuple[bytes, int]:
    """Return the rows as CSV for the register of withdrawn credentials, and how many there are.

    The same rows in any order, and any number of times, give the same bytes.
    """
    rows = sorted({(row.kind.value, row.value) for batch in batches for row in batch.rows})
    lines = [",".join(row) for row in (COLUMNS, *rows)]
    return "".join(f"{line}\n" for line in lines).encode("ascii"), len(rows)


def seconds(moment: datetime) -> int:
    """Return seconds since the Unix epoch; a time without an offset is in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(aware.timestamp())


def _texts(value: Any, depth: int, key: str = "") -> Iterator[str]:
    """Yield the texts that are certificates by where they stand."""
    if isinstance(value, str):
        if key in _CERTIFICATE_KEYS or key == "[]":
            yield value
    elif isinstance(value, list) and depth:
        inner = key if key in _CERTIFICATE_KEYS else "[]"
        for member in value:
            yield from _texts(member, depth - 1, inner)
    elif isinstance(value, dict) and depth and value.get("certificateType") in _SIGNER_TYPES:
        for name, member in value.items():
            yield from _texts(member, depth - 1, name)


def _from_base64(text: bytes | str) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode("ascii", "replace")
    compact = b"".join(raw.split()).translate(bytes.maketrans(b"-_", b"+/"))
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4), validate=True)
    except binascii.Error as error:
        raise TrustError("not base64") from error
