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
from cache.replica.segment import Segment
from cache.replica.table import Table
from hub.errors import PublishError
from hub.keys import HubKeys, create_keys
from hub.publish import DEFAULT_VALID_S, Publisher
from tests.worlds import ManualClock

Rows = list[tuple[Identifier, PersonFacts]]


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


def people(count: int) -> Rows:
    rows = []
    for number in range(count):
        person = PersonFacts(doses=2, born=date(1980, 1, 1), district=number)
        rows.append((Identifier(IdentifierKind.DOCUMENT, f"{number:012d}"), person))
        rows.append((Identifier(IdentifierKind.QID, f"Q{number}"), person))
    return rows


def segments(folder: Path) -> set[str]:
    return {p.name for p in (folder / "replica" / "segments").iterdir()}


def the_head(folder: Path, keys: HubKeys) -> Head:
    return verify_head((folder / "replica" / "head").read_bytes(), [keys.public_key]).head


def test_a_gate_finds_everyone_by_each_identifier(
    tmp_path: Path, publisher: Publisher, keys: HubKeys
) -> None:
    head = publisher.publish(people(200), now=at(0))
    assert head == the_head(tmp_path, keys) == publisher.published()
    dataset = head.datasets["persons"]
    segment = Segment.open(tmp_path / "replica" / "segments" / f"{dataset.name}.segment")
    assert (dataset.rows, dataset.size) == (400, segment.header.size)
    book = ReplicaBook(keys.hash_key)
    book.swap({"persons": Table(segment)}, head)
    for identifier, facts in people(200):
        shown = Credential(CredentialKind.PERSONAL_QR, (identifier,))
        standing = book.standing_of(shown, at(1))
        assert (standing.lookup, standing.facts) == (Lookup.FOUND, facts)


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


def test_heads_from_a_clock_far_ahead_do_not_bind_those_that_follow(
    tmp_path: Path, publisher: Publisher, keys: HubKeys
) -> None:
    publisher.publish(people(3), now=at(365 * 86_400))
    right = Publisher(tmp_path, keys).revouch(at(100))  # the hub's clock was put right
    assert right.sequence == 2
    assert right.issued_ns == at(100).wall_ns


def test_the_same_people_are_the_same_release(publisher: Publisher, tmp_path: Path) -> None:
    first = publisher.publish(people(50), now=at(0))
    second = publisher.publish(reversed(people(50)), now=at(1))
    assert first.datasets == second.datasets
    assert segments(tmp_path) == {f"{first.datasets['persons'].name}.segment"}


def test_the_release_before_stays_for_downloads_under_way(
    publisher: Publisher, tmp_path: Path
) -> None:
    heads = [publisher.publish(people(count), now=at(count)) for count in (1, 2, 3)]
    kept = {f"{h.datasets['persons'].name}.segment" for h in heads[1:]}
    assert segments(tmp_path) == kept


def test_what_is_published_is_readable_by_a_web_server(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish(people(1), now=at(0))
    files = [tmp_path / "replica" / "head", *(tmp_path / "replica" / "segments").iterdir()]
    assert {f.stat().st_mode & 0o777 for f in files} == {0o644}


def contradicting() -> Rows:
    rows = people(3)
    return [*rows, (rows[0][0], msgspec.structs.replace(rows[0][1], doses=0))]


def unfit() -> Rows:
    return [*people(3), (people(1)[0][0], PersonFacts(doses=99))]


@pytest.mark.parametrize("rows", [contradicting(), unfit()], ids=["contradicting", "unfit"])
def test_rows_that_cannot_be_published_leave_the_release_before(
    publisher: Publisher, tmp_path: Path, rows: Rows
) -> None:
    head = publisher.publish(people(2), now=at(0))
    with pytest.raises(PublishError) as refusal:
        publisher.publish(rows, now=at(1))
    assert refusal.value.hint
    assert publisher.published() == head
    assert segments(tmp_path) == {f"{head.datasets['persons'].name}.segment"}


def test_a_repeated_identical_row_is_one_row(publisher: Publisher) -> None:
    assert publisher.publish(people(5) * 2, now=at(0)).datasets["persons"].rows == 10


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


def test_progress_is_told_every_ten_thousand_and_at_the_end(publisher: Publisher) -> None:
    told: list[int] = []
    publisher.publish(people(11_000), now=at(0), progress=told.append)
    assert told == [10_000, 20_000, 22_000]
    told.clear()
    publisher.publish([], now=at(1), progress=told.append)
    assert told == [0]


def test_publishers_take_turns_so_that_no_sequence_is_given_twice(
    tmp_path: Path, keys: HubKeys, publisher: Publisher
) -> None:
    publisher.publish(people(1), now=at(0))
    inside, go_on = threading.Event(), threading.Event()

    def slow_rows() -> Iterator[tuple[Identifier, PersonFacts]]:
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
