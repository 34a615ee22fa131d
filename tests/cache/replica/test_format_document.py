"""Protects docs/replica-format.md: it suffices to write a reader that shares no code with ours."""

from __future__ import annotations

import hashlib
import struct
import zlib
from datetime import date, timedelta
from pathlib import Path

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from admission.hours import Hours
from admission.identity import PersonKey, identity_digester, permit_keys
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    RosterEntry,
    TestResult,
    WatchEntry,
    Withdrawal,
)
from cache.replica.layout import (
    CREDENTIALS_1,
    OFFICERS_1,
    PERMITS_1,
    PERSONS_2,
    ROSTER_1,
    WATCH_1,
)
from tests.cache.replica.releases import HASH_KEY, SIGNER, Release, facts_of, write

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


def look_up(data: bytes, key: int, layout_wanted: int = 1) -> int | None:
    magic, version, kind, layout, width = struct.unpack_from("<8sHHHH", data)
    assert (magic, version, kind, layout) == (b"CHOTSEG\0", 2, 1, layout_wanted)
    bucket_bits, hash_bits = data[16], data[17]
    rows, size = struct.unpack_from("<QQ", data, 20)
    assert size == len(data)
    assert struct.unpack_from("<I", data, 4092)[0] == zlib.crc32(data[:4092])
    row_pages = -(-rows * width // PAGE)
    index_pages = -(-4 * (2**bucket_bits + 1) // PAGE)
    table_at = PAGE * (1 + row_pages + index_pages)
    assert struct.unpack_from("<I", data, 80)[0] == zlib.crc32(data[table_at:])
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


def key_of_document(number: int) -> int:
    hashed = hashlib.blake2b(b"D" + f"{number:012d}".encode(), digest_size=8, key=HASH_KEY)
    return int.from_bytes(hashed.digest(), "little")


def hour(packed: int) -> int | None:
    return packed + 438_287 if packed else None


def test_it_reads_tests_and_declarations_of_layout_2(tmp_path: Path) -> None:
    person = PersonFacts(
        doses=2,
        tested_h=453_300,
        test_result=TestResult.POSITIVE,
        declared_h=453_312,
        exposure=True,
        identity=identity_digester(HASH_KEY)("Nguyễn Văn An", date(1987, 1, 18)),
    )
    write(tmp_path / "s", {key_of_document(5): PERSONS_2.pack(person)}, PERSONS_2)
    record = look_up((tmp_path / "s").read_bytes(), key_of_document(5), 2)
    assert record is not None
    assert hour(record >> 80 & 0x3FFFF) == person.tested_h
    assert (record >> 98 & 3, hour(record >> 100 & 0x3FFFF)) == (2, person.declared_h)
    assert (record >> 118 & 1, record >> 119 & 1) == (0, 1)
    said = hashlib.blake2b(digest_size=2, key=HASH_KEY, person=b"chot identity")
    said.update(b"NGUYEN VAN AN\n1987-01-18")
    assert record >> 120 == int.from_bytes(said.digest(), "little")


def test_it_reads_every_permit_of_a_person(tmp_path: Path) -> None:
    permits = [
        Permit(CredentialStatus.ACTIVE, 453_300 + n, 453_372, 1 << n, 760 + n, Hours(n, 600, n + 1))
        for n in range(3)
    ]
    keys = permit_keys(PersonKey(key_of_document(9)))
    write(
        tmp_path / "s",
        {key: PERMITS_1.pack(permit) for key, permit in zip(keys, permits, strict=False)},
        PERMITS_1,
    )
    data, key, read = (tmp_path / "s").read_bytes(), key_of_document(9), []
    while (record := look_up(data, key, 4)) is not None:
        read.append(record)
        key = key + 0x9E3779B97F4A7C15 & 2**64 - 1
    assert [hour(record >> 2 & 0x3FFFF) for record in read] == [p.from_h for p in permits]
    assert {hour(record >> 20 & 0x3FFFF) for record in read} == {453_372}
    assert [record >> 38 & 0x7FFF for record in read] == [1, 2, 4]
    assert [record >> 53 & 0x3FFF for record in read] == [760, 761, 762]
    hours = [record >> 67 for record in read]
    assert [(h & 2047, h >> 11 & 2047, h >> 22) for h in hours] == [
        (n, 600, n + 1) for n in (0, 1, 2)
    ]


def test_it_reads_the_other_datasets(tmp_path: Path) -> None:
    key, day = key_of_document(3), date(2021, 9, 30)
    number = (day - date(2019, 12, 31)).days
    revoked = CredentialStatus.REVOKED
    for record, layout, bits in (
        (Withdrawal(revoked, 453_300), CREDENTIALS_1, 1 | 15_013 << 2),
        (RosterEntry(revoked, day, None, Hours(480, 1_020)), ROSTER_1, None),
        (WatchEntry(revoked, day), WATCH_1, 1 | number << 2),
        (Officer(revoked, 4_016, day, 760), OFFICERS_1, 1 | 4_016 << 2 | number << 29 | 760 << 42),
    ):
        write(tmp_path / "s", {key: layout.pack(record)}, layout)  # type: ignore[arg-type]
        shift = 480 | 1_020 << 11 | 127 << 22
        expected = 1 | number << 2 | shift << 28 if bits is None else bits
        assert look_up((tmp_path / "s").read_bytes(), key, layout.id) == expected


def test_it_finds_the_documents(tmp_path: Path) -> None:
    release = Release(tmp_path, 3, documents={"orders": b"stay at home"})
    head = read_head(release.envelope(), SIGNER.public_key().public_bytes_raw())
    named = head["documents"]["orders"]  # type: ignore[index]
    data = release.files[named["sha256"].hex()]
    assert (hashlib.sha256(data).digest(), len(data)) == (named["sha256"], named["size"])
