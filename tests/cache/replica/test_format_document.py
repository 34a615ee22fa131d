"""Protects docs/replica-format.md: it suffices to write a reader that shares no code with ours."""

from __future__ import annotations

import hashlib
import struct
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from admission.hours import Hours
from admission.identity import (
    IdentifierKind,
    PersonKey,
    identity_digester,
    normalise,
    permit_keys,
    person_keyer,
)
from admission.standing import (
    CredentialStatus,
    Officer,
    Permit,
    PersonFacts,
    Product,
    RosterEntry,
    TestResult,
    WatchEntry,
    Withdrawal,
)
from cache.replica.alias import Alias
from cache.replica.build import write_rows
from cache.replica.coding_plan import CodingPlan
from cache.replica.keys import hash_key_id
from cache.replica.layout import (
    ALIASES_1,
    CREDENTIALS_1,
    OFFICERS_1,
    PERMITS_1,
    PERSONS_2,
    PERSONS_3,
    ROSTER_1,
    WATCH_1,
)
from cache.replica.planning import plan
from tests.cache.replica.independent_reader import (
    PAGE,
    hour,
    look_up,
    read_head,
    read_person,
    root_of,
)
from tests.cache.replica.releases import HASH_KEY, HASH_KEY_ID, SIGNER, Release, facts_of, write


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


def test_keys_and_digests_are_those_of_the_documents_examples() -> None:
    hash_key = bytes(range(32))
    assert hash_key_id(hash_key).hex() == "46745089ddbd309c"
    key_of = person_keyer(hash_key)
    key = key_of(normalise(IdentifierKind.DOCUMENT, " b 123-4567 "))
    assert key == 0x0E92_FDBE_F447_48D7
    assert (key >> 56, (key << 8 & 2**64 - 1) >> 24) == (14, 0x92_FDBE_F447)
    for card in ("DN 4 79 0123456789", "0123456789"):
        assert key_of(normalise(IdentifierKind.INSURANCE, card)) == 0xAFAD_7C6B_316E_BABD
    assert identity_digester(hash_key)("Đặng  Thị Ánh", date(1987, 1, 18)) == 26_592


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


def person(number: int) -> PersonFacts:
    return PersonFacts(
        status=CredentialStatus(number % 50 == 0),
        doses=number % 4,
        product=Product(number % 5),
        vulnerable=number % 7 == 0,
        last_dose=date(2021, 3, 1) + timedelta(days=number % 40),
        recovered=date(2020, 9, 1) + timedelta(days=number % 90) if number % 10 == 0 else None,
        born=date(1920 + number % 90, 1, 1),
        isolation_until=date(2021, 9, 1) if number % 30 == 0 else None,
        district=700 + number % 60,
        tested_h=453_300 + number % 50 if number % 3 else None,
        test_result=TestResult(number % 3),
        declared_h=453_312 + number % 20 if number % 2 else None,
        symptoms=number % 41 == 0,
        exposure=number % 43 == 0,
        identity=number * 7 & 0xFFFF,
    )


def test_it_reads_coded_persons_and_their_aliases(tmp_path: Path) -> None:
    people = {key_of_document(number): person(number) for number in range(300)}
    twin = next(iter(people)) ^ 4  # shares all stored bits with somebody
    people[twin] = person(999)
    rows = {key: PERSONS_3.pack(facts) for key, facts in people.items()}
    write(tmp_path / "all", rows, PERSONS_3)
    data = (tmp_path / "all").read_bytes()
    assert struct.unpack_from("<I", data, 44)[0] == 2
    # Tables of half of the people make wide rows of the others.
    ordered = sorted(rows)
    some = np.frombuffer(b"".join(rows[key] for key in ordered), np.uint64).reshape(-1, 2)
    keys = np.array(ordered, np.uint64)
    half = plan(PERSONS_3, keys[::2], some[::2])
    write_rows(tmp_path / "half", PERSONS_3, keys, some, HASH_KEY_ID, plan=half)
    rare = (tmp_path / "half").read_bytes()
    assert struct.unpack_from("<I", rare, 44)[0] > 10
    for key in [*ordered[::9], twin, twin ^ 4]:
        for each in (data, rare):
            record = look_up(each, key, 8)
            assert record is not None
            assert read_person(record) == people[key]
    assert look_up(data, twin ^ 8, 8) is None
    assert look_up(rare, 12345, 8) is None
    held = ordered[7]
    alias = Alias(CredentialStatus.REVOKED, held >> 2)
    write(tmp_path / "aliases", {key_of_document(5_000): ALIASES_1.pack(alias)}, ALIASES_1)
    said = look_up((tmp_path / "aliases").read_bytes(), key_of_document(5_000), 9)
    assert said is not None
    assert said & 3 == 1
    record = look_up(data, (said >> 2) * 4, 8)
    assert record is not None
    assert read_person(record) == people[held]


def test_the_documented_rows_are_the_written_ones(tmp_path: Path) -> None:
    # The page walks through this record and this row.
    facts = PersonFacts(
        doses=2,
        last_dose=date(2021, 8, 1),
        born=date(1980, 5, 4),
        district=7,
        tested_h=453_300,
        test_result=TestResult.NEGATIVE,
        declared_h=453_312,
        identity=4711,
    )
    first = 7 << 16 | 2 << 30 | 579 << 38
    second = 111 << 64 | 15_013 << 72 | 1 << 90 | 15_025 << 92 | 4711 << 112
    assert int.from_bytes(PERSONS_3.pack(facts), "little") == first | second
    pools = ((3, 5), (0, 7), (9,), (80, 81), (0,), (2, 4, 6))
    tables = tuple(np.array(pool, np.uint32) for pool in pools)
    record = 5 | 7 << 30 | 9 << 51 | 81 << 64 | 0 << 72 | 4 << 92 | 0xABCD << 112
    words = np.frombuffer(record.to_bytes(16, "little"), np.uint64).reshape(1, 2)
    keys = np.array([0x0123456789ABCDEF], np.uint64)
    by = CodingPlan(0, 48, 6, tables)
    write_rows(tmp_path / "s", PERSONS_3, keys, words, HASH_KEY_ID, plan=by)
    row = (tmp_path / "s").read_bytes()[PAGE:][:14]
    assert row.hex(" ") == "01 23 45 67 89 ab 0f 00 00 00 00 00 cd ab"


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
