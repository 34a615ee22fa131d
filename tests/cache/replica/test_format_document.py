"""docs/replica-format.md suffices to write a reader: this one shares no code with ours."""

from __future__ import annotations

import hashlib
import struct
import zlib
from datetime import date, timedelta
from pathlib import Path

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.cache.replica.releases import HASH_KEY, SIGNER, Release, facts_of

PAGE = 4096


def read_head(data: bytes, public_key: bytes) -> dict[str, object]:
    version, key_id, payload, signature = msgpack.unpackb(data)
    assert version == 2
    assert key_id == hashlib.sha256(public_key).digest()[:8]
    signed = b"chot head" + bytes([0, 2]) + payload
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


def look_up(data: bytes, key: int) -> int | None:
    magic, version, kind, layout, width = struct.unpack_from("<8sHHHH", data)
    assert (magic, version, kind, layout) == (b"CHOTSEG\0", 1, 1, 1)
    bucket_bits, hash_bits = data[16], data[17]
    rows, size = struct.unpack_from("<QQ", data, 20)
    assert size == len(data)
    assert struct.unpack_from("<I", data, 4092)[0] == zlib.crc32(data[:4092])
    row_pages = -(-rows * width // PAGE)
    index_pages = -(-4 * (2**bucket_bits + 1) // PAGE)
    table_at = PAGE * (1 + row_pages + index_pages)
    assert struct.unpack_from("<I", data, 140)[0] == zlib.crc32(data[table_at:])
    for page in range(row_pages + index_pages):
        crc = zlib.crc32(data[PAGE * (1 + page) : PAGE * (2 + page)])
        assert struct.unpack_from("<I", data, table_at + 4 * page)[0] == crc
    bucket = key >> 64 - bucket_bits if bucket_bits else 0
    first, end = struct.unpack_from("<II", data, PAGE * (1 + row_pages) + 4 * bucket)
    stored = (key << bucket_bits & 2**64 - 1) >> 64 - hash_bits
    for row in range(first, end):
        at = PAGE + row * width
        if int.from_bytes(data[at : at + hash_bits // 8], "big") == stored:
            return int.from_bytes(data[at + hash_bits // 8 : at + width], "little")
    return None


def test_a_reader_made_from_the_document_reads_our_release(tmp_path: Path) -> None:
    release = Release(tmp_path, 6_000)
    head = read_head(release.envelope(3), SIGNER.public_key().public_bytes_raw())
    dataset = head["datasets"]["persons"]  # type: ignore[index]
    assert (head["sequence"], dataset["rows"]) == (3, 6_000)
    assert dataset["size"] == len(release.bytes)
    assert dataset["root"] == root_of(release.bytes)
    key_id = hashlib.blake2b(b"chot hash key id", digest_size=8, key=HASH_KEY).digest()
    assert head["hash_key_id"] == release.bytes[36:44] == key_id
    for number in (0, 1, 77, 5_999):
        hashed = hashlib.blake2b(b"D" + f"{number:012d}".encode(), digest_size=8, key=HASH_KEY)
        record = look_up(release.bytes, int.from_bytes(hashed.digest(), "little"))
        assert record is not None
        facts = facts_of(number)
        assert record >> 2 & 15 == facts.doses
        born = date(1899, 12, 31) + timedelta(days=record >> 50 & 0xFFFF)
        assert born == facts.born
        assert record >> 66 == facts.district
    assert look_up(release.bytes, 12345) is None
