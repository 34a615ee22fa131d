"""A reader made from docs/replica-format.md alone: it shares no code with ours.

It checks as it reads, by assertion, and is made for small files.
"""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from datetime import date, timedelta

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.standing import CredentialStatus, PersonFacts, Product, TestResult

PAGE = 4096


def read_head(data: bytes, public_key: bytes) -> dict[str, object]:
    version, key_id, payload, signature = msgpack.unpackb(data)
    assert version == 3
    assert key_id == hashlib.sha256(public_key).digest()[:8]
    signed = b"chot head" + bytes([0, 3]) + payload
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    return msgpack.unpackb(payload)  # type: ignore[no-any-return]


def root_of(data: bytes) -> bytes:
    level = [
        hashlib.sha256(b"\0" + data[at : at + 65_536]).digest()
        for at in range(0, len(data), 65_536)
    ]
    while len(level) > 1:
        pairs = [b"".join(level[at : at + 2]) for at in range(0, len(level), 2)]
        level = [p if len(p) == 32 else hashlib.sha256(b"\1" + p).digest() for p in pairs]
    return level[0]


def whole(size: int) -> int:
    return -(-size // PAGE) * PAGE


def parts_of(data: bytes) -> dict[str, int]:
    """Check the whole file and return where its parts begin, and the header's numbers."""
    magic, version, kind, layout, width = struct.unpack_from("<8sHHHH", data)
    assert (magic, version, kind) == (b"CHOTSEG\0", 2, 1)
    assert struct.unpack_from("<I", data, 4092)[0] == zlib.crc32(data[:4092])
    bucket_bits, hash_bits, code_bytes, tables = data[16:20]
    rows, size = struct.unpack_from("<QQ", data, 20)
    wide_rows, *sizes = struct.unpack_from("<9I", data, 44)
    assert size == len(data)
    assert not any(data[84:4092])
    assert not any(sizes[tables:])
    lengths = (rows * width, 24 * wide_rows, 4 * sum(sizes), 4 * (2**bucket_bits + 1))
    at = [PAGE]
    for length in lengths:
        at.append(at[-1] + whole(length))
    crcs = data[at[-1] :]
    assert len(crcs) == whole((at[-1] - PAGE) // PAGE * 4)
    assert struct.unpack_from("<I", data, 80)[0] == zlib.crc32(crcs)
    for page, start in enumerate(range(PAGE, at[-1], PAGE)):
        assert struct.unpack_from("<I", crcs, 4 * page)[0] == zlib.crc32(data[start : start + PAGE])
    return {
        **dict(zip(("rows_at", "wide_at", "tables_at", "index_at"), at, strict=False)),
        "layout": layout,
        "width": width,
        "bucket_bits": bucket_bits,
        "hash_bits": hash_bits,
        "code_bytes": code_bytes,
        "tables": tables,
    }


def look_up(data: bytes, key: int, layout_wanted: int = 1) -> int | None:
    parts = parts_of(data)
    assert parts["layout"] == layout_wanted
    bucket_bits, hash_bits, width = parts["bucket_bits"], parts["hash_bits"], parts["width"]
    bucket = key >> 64 - bucket_bits if bucket_bits else 0
    first, end = struct.unpack_from("<II", data, parts["index_at"] + 4 * bucket)
    stored = (key << bucket_bits & 2**64 - 1) >> 64 - hash_bits
    for row in range(first, end):
        at = PAGE + row * width
        if int.from_bytes(data[at : at + hash_bits // 8], "big") == stored:
            rest = data[at + hash_bits // 8 : at + width]
            if parts["code_bytes"] == 0:
                return int.from_bytes(rest, "little")
            record = decode(data, parts, rest, key)
            if record is not None:
                return record
    return None


GROUP_AT = (0, 30, 51, 64, 72, 92)


def decode(data: bytes, parts: dict[str, int], rest: bytes, key: int) -> int | None:
    """Return the record of a row of layout 8, or None if it is somebody else's."""
    sizes = struct.unpack_from(f"<{parts['tables']}I", data, 48)
    code = int.from_bytes(rest[: parts["code_bytes"]], "little")
    record = int.from_bytes(rest[parts["code_bytes"] :], "little") << 112
    if code >= math.prod(sizes):
        at = parts["wide_at"] + 24 * (code - math.prod(sizes))
        (whole_key,) = struct.unpack_from("<Q", data, at)
        return (
            int.from_bytes(data[at + 8 : at + 24], "little") if whole_key >> 2 == key >> 2 else None
        )
    table_at = parts["tables_at"]
    for size, group_at in zip(sizes, GROUP_AT, strict=True):
        code, place = divmod(code, size)
        record |= struct.unpack_from("<I", data, table_at + 4 * place)[0] << group_at
        table_at += 4 * size
    return record


def hour(packed: int) -> int | None:
    return packed + 438_287 if packed else None


def read_person(record: int) -> PersonFacts:
    """Return what a record of layout 8 says."""

    def bits(at: int, width: int) -> int:
        return record >> at & (1 << width) - 1

    def day(at: int) -> date | None:
        return date(2019, 12, 31) + timedelta(days=bits(at, 13)) if bits(at, 13) else None

    return PersonFacts(
        status=CredentialStatus(bits(0, 2)),
        vulnerable=bool(bits(2, 1)),
        isolation_until=day(3),
        district=bits(16, 14),
        doses=bits(30, 4),
        product=Product(bits(34, 4)),
        last_dose=day(38),
        recovered=day(51),
        born=date(1869 + bits(64, 8), 1, 1) if bits(64, 8) else None,
        tested_h=hour(bits(72, 18)),
        test_result=TestResult(bits(90, 2)),
        declared_h=hour(bits(92, 18)),
        symptoms=bool(bits(110, 1)),
        exposure=bool(bits(111, 1)),
        identity=bits(112, 16),
    )
