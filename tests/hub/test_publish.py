"""What the publisher lays out, a gate accepts; a failed release leaves the one before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from admission.credential import Credential, CredentialKind
from admission.identity import Identifier, IdentifierKind
from admission.instant import Instant
from admission.standing import Lookup, PersonFacts
from cache.replica.book import ReplicaBook
from cache.replica.head import Head, verify_head
from hub.errors import PublishError
from hub.files import KEPT_NS
from hub.keys import HubKeys, create_keys
from hub.publish import DEFAULT_VALID_S, Publisher
from hub.store.port import KnownIdentifier, Person
from tests.hub.released import tables_of
from tests.worlds import ManualClock


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HubKeys:
    return create_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def publisher(tmp_path: Path, keys: HubKeys) -> Publisher:
    return Publisher(tmp_path, keys)


def at(seconds: int) -> Instant:
    clock = ManualClock()
    clock.advance(seconds)
    return clock.now()


def people(count: int) -> list[Person]:
    everybody = []
    for number in range(count):
        facts = PersonFacts(doses=2, born=date(1980, 1, 1), district=number)
        document = Identifier(IdentifierKind.DOCUMENT, f"{number:012d}")
        qid = Identifier(IdentifierKind.QID, f"Q{number}")
        everybody.append(Person(number, (KnownIdentifier(document), KnownIdentifier(qid)), facts))
    return everybody


def segments(folder: Path) -> set[str]:
    return {p.name for p in (folder / "replica" / "segments").iterdir()}


def the_head(folder: Path, keys: HubKeys) -> Head:
    return verify_head((folder / "replica" / "head").read_bytes(), [keys.public_key]).head


def test_a_gate_finds_everyone_by_each_identifier(
    tmp_path: Path, publisher: Publisher, keys: HubKeys
) -> None:
    head = publisher.publish(people(200), now=at(0))
    assert head == the_head(tmp_path, keys) == publisher.published()
    assert {name: dataset.rows for name, dataset in head.datasets.items()} == {
        "persons": 200,
        "aliases": 200,
    }
    book = ReplicaBook(keys.hash_key)
    book.swap(tables_of(tmp_path, head), head)
    for person in people(200):
        for known in person.identifiers:
            shown = Credential(CredentialKind.PERSONAL_QR, (known.identifier,))
            standing = book.standing_of(shown, at(1))
            assert (standing.lookup, standing.facts) == (Lookup.FOUND, person.facts)


def test_sequences_rise_over_restarts_and_issue_times_never_fall(
    tmp_path: Path, publisher: Publisher, keys: HubKeys
) -> None:
    first = publisher.publish(people(3), now=at(100))
    second = publisher.revouch(at(130))
    back = Publisher(tmp_path, keys).revouch(at(50))  # the hub's clock was put back
    assert [h.sequence for h in (first, second, back)] == [1, 2, 3]
    assert first.issued_ns < second.issued_ns < back.issued_ns
    assert back.expires_ns - back.issued_ns == DEFAULT_VALID_S * 10**9
    assert first.datasets == second.datasets == back.datasets


def test_the_same_people_are_the_same_release(
    publisher: Publisher, tmp_path: Path, keys: HubKeys, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = publisher.publish(people(50), now=at(0))
    assert publisher.publish(reversed(people(50)), now=at(1)) == first
    elsewhere = Publisher(tmp_path_factory.mktemp("other"), keys)
    assert elsewhere.publish(reversed(people(50)), now=at(1)).datasets == first.datasets
    assert segments(tmp_path) == {f"{d.name}.segment" for d in first.datasets.values()}


def test_files_stay_for_downloads_under_way_and_no_longer(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.tables.FEW_ROWS", 0)  # so that every difference makes new bases
    heads = [publisher.publish(people(count), now=at(count)) for count in (1, 2, 3)]
    files = [{f"{d.name}.segment" for d in head.datasets.values()} for head in heads]
    assert segments(tmp_path) == files[0] | files[1] | files[2]
    publisher.publish(people(4), now=at(KEPT_NS // 10**9 - 10))
    assert files[0] | files[1] | files[2] < segments(tmp_path)
    last = publisher.publish(people(5), now=at(KEPT_NS // 10**9 + 10))
    assert files[2] <= segments(tmp_path)
    assert not segments(tmp_path) & (files[0] | files[1])
    assert {f"{d.name}.segment" for d in last.datasets.values()} <= segments(tmp_path)


def test_what_is_published_is_readable_by_a_web_server(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish(people(1), now=at(0))
    files = [tmp_path / "replica" / "head", *(tmp_path / "replica" / "segments").iterdir()]
    assert {f.stat().st_mode & 0o777 for f in files} == {0o644}


def contradicting() -> list[Person]:
    first, *others = people(3)
    facts = msgspec.structs.replace(first.facts, doses=0)
    return [first, *others, Person(9, first.identifiers, facts)]


def unfit() -> list[Person]:
    return [*people(3), Person(9, people(10)[9].identifiers, PersonFacts(doses=99))]


@pytest.mark.parametrize("rows", [contradicting(), unfit()], ids=["contradicting", "unfit"])
def test_rows_that_cannot_be_published_leave_the_release_before(
    publisher: Publisher, tmp_path: Path, rows: list[Person]
) -> None:
    head = publisher.publish(people(2), now=at(0))
    with pytest.raises(PublishError) as refusal:
        publisher.publish(rows, now=at(1))
    assert refusal.value.hint
    assert publisher.published() == head
    assert segments(tmp_path) == {f"{d.name}.segment" for d in head.datasets.values()}


def test_a_repeated_identical_row_is_one_row(publisher: Publisher) -> None:
    assert publisher.publish(people(5) * 2, now=at(0)).datasets["persons"].rows == 5


def test_a_full_disk_leaves_the_release_before(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = publisher.publish(people(2), now=at(0))

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    for call in ("write", "fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(f"cache.replica.durable.os.{call}", full)
            with pytest.raises(PublishError, match="No space left"):
                publisher.publish(people(3), now=at(1))
            with pytest.raises(PublishError, match="No space left"):
                publisher.revouch(at(2))
        assert publisher.published() == head
    assert not list(tmp_path.rglob("*.part"))


def test_nothing_can_be_vouched_for_before_the_first_release(publisher: Publisher) -> None:
    assert publisher.published() is None
    with pytest.raises(PublishError, match="nothing is published"):
        publisher.revouch(at(0))


def test_a_directory_of_another_hub_is_not_taken_over(
    publisher: Publisher, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    publisher.publish(people(1), now=at(0))
    stranger = Publisher(tmp_path, create_keys(tmp_path_factory.mktemp("other")))
    with pytest.raises(PublishError, match="not trusted"):
        stranger.publish(people(1), now=at(1))


def test_progress_is_told_by_the_way_and_at_the_end(publisher: Publisher) -> None:
    told: list[int] = []
    publisher.publish(people(11_000), now=at(0), progress=told.append)
    assert told == [16_384, 22_000]
    told.clear()
    publisher.publish([], now=at(1), progress=told.append)
    assert told == [0]


def test_publishers_take_turns_so_that_no_sequence_is_given_twice(
    tmp_path: Path, keys: HubKeys, publisher: Publisher
) -> None:
    publisher.publish(people(1), now=at(0))
    inside, go_on = threading.Event(), threading.Event()

    def slow_rows() -> Iterator[Person]:
        inside.set()
        assert go_on.wait(10)
        yield from people(2)

    heads: list[Head] = []
    builder = threading.Thread(
        target=lambda: heads.append(publisher.publish(slow_rows(), now=at(1)))
    )
    builder.start()
    assert inside.wait(10)
    other = Publisher(tmp_path, keys)
    voucher = threading.Thread(target=lambda: heads.append(other.revouch(at(2))))
    voucher.start()
    go_on.set()
    builder.join(10)
    voucher.join(10)
    assert sorted(head.sequence for head in heads) == [2, 3]
