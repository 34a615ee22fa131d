"""The segment writer: order of operations, rotation, and every way in which a disk can refuse."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from admission.journal_record import PassageRecord, unpack_record
from admission.journal_record import opened as opened_record
from admission.sealing import Opener, SealSession
from cache.journal.errors import JournalFull, JournalUnavailable
from cache.journal.frame import FRAME_HEAD_BYTES, HEADER_BYTES
from cache.journal.recorder import draft_of
from cache.journal.segment_file import SegmentWriter
from cache.journal.verification import entries_of, verify
from tests.cache.journal.entries import JOURNAL, a_writer, an_entry, drafts
from tests.cache.journal.simulated_disk import SimulatedDisk

DIRECTORY = Path("journal")


def opened(disk: SimulatedDisk, rotate_bytes: int = 1_000) -> SegmentWriter:
    return a_writer(disk, DIRECTORY, rotate_bytes=rotate_bytes)


def failing(operation: str, number: int = errno.ENOSPC) -> object:
    def before(name: str, _: int) -> None:
        if name == operation:
            raise OSError(number, "injected")

    return before


def packed_in(disk: SimulatedDisk) -> list[bytes]:
    return [frame.packed for frame in entries_of(DIRECTORY, 10_000, disk)]


def test_a_new_file_is_durable_by_name_before_an_entry_counts() -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    disk.operations.clear()
    writer.append_group(drafts([b"one"]))
    assert disk.operations == [
        "create",
        "preallocate",
        "write",
        "sync",
        "rename",
        "sync_directory",
        "write",
        "sync",
    ]


def test_one_group_costs_one_write_and_one_sync() -> None:
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=1 << 20)
    writer.prepare()
    disk.operations.clear()
    assert writer.append_group(drafts([b"entry"] * 50)).last_sequence == 50
    assert disk.operations == ["write", "sync"]


def test_a_full_file_is_followed_by_one_that_continues_the_chain() -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    for number in range(20):
        writer.append_group(drafts([bytes([number]) * 300]))
    report = verify(DIRECTORY, disk)
    assert report.sound
    assert (report.first_sequence, report.last_sequence, report.entries) == (1, 20, 20)
    assert report.files == 7  # three entries of 348 bytes go beyond 1,000


def test_short_writes_are_completed() -> None:
    disk = SimulatedDisk()
    disk.short_writes = True
    opened(disk).append_group(drafts([b"a" * 500, b"b" * 500]))
    assert packed_in(disk) == [b"a" * 500, b"b" * 500]


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename", "sync_directory"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_whatever_fails_the_chain_goes_on_when_the_medium_is_back(
    operation: str, number: int
) -> None:
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=100)  # every group begins a file: all operations occur
    writer.append_group(drafts([b"x" * 200]))
    disk.before = failing(operation, number)  # type: ignore[assignment]
    for _ in range(3):
        with pytest.raises(JournalUnavailable) as caught:
            writer.append_group(drafts([b"lost"]))
        assert caught.value.hint
        assert writer.position.last_sequence == 1
    disk.before = lambda name, count: None
    assert writer.append_group(drafts([b"kept"])).last_sequence == 2
    assert packed_in(disk) == [b"x" * 200, b"kept"]
    assert verify(DIRECTORY, disk).sound


@pytest.mark.parametrize(("operation", "in_doubt"), [("create", False), ("sync", True)])
def test_doubt_is_told_from_certainty(operation: str, in_doubt: bool) -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    if in_doubt:
        writer.prepare()
    disk.before = failing(operation)  # type: ignore[assignment]
    with pytest.raises(JournalUnavailable) as caught:
        writer.append_group(drafts([b"entry"]))
    assert caught.value.in_doubt is in_doubt


def test_refused_attempts_leave_no_litter() -> None:
    disk = SimulatedDisk()
    writer = opened(disk)
    writer.append_group(drafts([b"one"]))
    disk.before = failing("sync")  # type: ignore[assignment]
    for _ in range(50):
        with pytest.raises(JournalUnavailable):
            writer.append_group(drafts([b"two"]))
    assert len(disk.names(DIRECTORY)) <= 2


def test_nothing_is_written_behind_a_failed_sync() -> None:
    """After a failed sync the page cache shows what the medium may never have got (fsyncgate)."""
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=1 << 20)
    writer.append_group(drafts([b"one"]))
    (old,) = disk.names(DIRECTORY)
    before = disk.content(DIRECTORY / old)
    disk.before = failing("sync", errno.EIO)  # type: ignore[assignment]
    with pytest.raises(JournalUnavailable):
        writer.append_group(drafts([b"two"]))
    disk.before = lambda name, count: None
    writer.append_group(drafts([b"three"]))
    assert disk.content(DIRECTORY / old) == before.rstrip(b"\0")
    assert len(disk.names(DIRECTORY)) == 2


def test_a_file_is_of_its_full_length_from_the_start_and_trimmed_when_it_is_left() -> None:
    disk = SimulatedDisk()
    writer = opened(disk, rotate_bytes=10_000)
    writer.append_group(drafts([b"x" * 100]))
    (name,) = disk.names(DIRECTORY)
    assert disk.size(DIRECTORY / name) == 10_000
    writer.close()
    assert disk.size(DIRECTORY / name) == HEADER_BYTES + FRAME_HEAD_BYTES + 100


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EOPNOTSUPP])
def test_where_nothing_can_be_set_aside_entries_are_kept_all_the_same(number: int) -> None:
    disk = SimulatedDisk()
    disk.before = failing("preallocate", number)  # type: ignore[assignment]
    writer = opened(disk)
    for count in range(1, 10):
        assert writer.append_group(drafts([b"x" * 200])).last_sequence == count
    assert len(packed_in(disk)) == 9


def test_a_medium_that_fails_while_space_is_set_aside_is_told_of() -> None:
    disk = SimulatedDisk()
    disk.before = failing("preallocate", errno.EIO)  # type: ignore[assignment]
    with pytest.raises(JournalUnavailable):
        opened(disk).append_group(drafts([b"x"]))


def test_the_budget_is_never_exceeded_and_nothing_is_overwritten() -> None:
    disk = SimulatedDisk()
    writer = a_writer(disk, DIRECTORY, rotate_bytes=1_000, budget_bytes=5_000)
    kept: list[bytes] = []
    for number in range(13):
        kept.append(bytes([number]) * 300)
        writer.append_group(drafts(kept[-1:]))
        assert folder_bytes(disk) <= 5_000
    with pytest.raises(JournalFull) as caught:
        writer.append_group(drafts([b"one too many" * 25]))
    assert (caught.value.in_doubt, bool(caught.value.hint)) == (False, True)
    assert packed_in(disk) == kept
    oldest = min(disk.names(DIRECTORY))
    freed = disk.size(DIRECTORY / oldest)
    disk.remove(DIRECTORY / oldest)
    writer.space.give_back(freed)
    writer.append_group(drafts([b"again"]))
    assert packed_in(disk)[-1] == b"again"
    assert folder_bytes(disk) <= writer.space.used_bytes <= 5_000


def test_a_budget_counts_what_was_there_before() -> None:
    disk = SimulatedDisk()
    first = opened(disk)
    for _ in range(8):
        first.append_group(drafts([b"x" * 400]))
    with pytest.raises(JournalFull):
        a_writer(disk, DIRECTORY, budget_bytes=3_700).append_group(drafts([b"x" * 400]))


def folder_bytes(disk: SimulatedDisk) -> int:
    return sum(disk.size(DIRECTORY / name) for name in disk.names(DIRECTORY))


def test_every_file_begins_with_the_session_that_its_seals_open_with() -> None:
    disk, hub = SimulatedDisk(), X25519PrivateKey.generate()
    writer = a_writer(disk, DIRECTORY, recipient=hub.public_key)
    passages = [an_entry(number) for number in range(1, 15)]
    for passage in passages:
        position = writer.append_group([draft_of(passage)])
    found = [unpack_record(record) for record in packed_in(disk)]
    assert position.last_sequence == len(found)
    session, people = None, []
    for record in found:
        if isinstance(record, SealSession):
            session = Opener(hub).begin(record, JOURNAL)
        elif isinstance(record, PassageRecord):
            people.append(opened_record(record, session).person)
    assert people == [passage.person for passage in passages]
    starts = [int(name[:19]) for name in disk.names(DIRECTORY)]
    assert len(starts) > 2
    assert all(isinstance(found[start - 1], SealSession) for start in starts)


def test_another_recipient_begins_another_file() -> None:
    disk, keys = SimulatedDisk(), [None, None, *(X25519PrivateKey.generate() for _ in range(2))]
    now: list[X25519PrivateKey | None] = [None]
    writer = a_writer(disk, DIRECTORY, recipient=lambda: now[0] and now[0].public_key())
    for key in keys:
        now[0] = key
        for _ in range(2):
            writer.append_group([draft_of(an_entry(1))])
    kinds = [type(unpack_record(record)).__name__[0] for record in packed_in(disk)]
    assert "".join(kinds) == "PPPP" + "SPP" * 2
    assert len(disk.names(DIRECTORY)) == 3


def test_a_key_that_is_none_leaves_personal_data_out() -> None:
    disk = SimulatedDisk()
    small_order = X25519PublicKey.from_public_bytes(bytes(32))
    writer = a_writer(disk, DIRECTORY, recipient=lambda: small_order)
    writer.append_group([draft_of(an_entry(7))])
    (record,) = map(unpack_record, packed_in(disk))
    assert isinstance(record, PassageRecord)
    assert opened_record(record, None).person is None


class FailingMedium(RuleBasedStateMachine):
    """Appends, failures of every operation and restarts, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = SimulatedDisk()
        self.writer = opened(self.disk, rotate_bytes=400)
        self.acknowledged: dict[int, bytes] = {}

    @rule(group=st.lists(st.binary(min_size=1, max_size=120), min_size=1, max_size=4))
    def append(self, group: list[bytes]) -> None:
        try:
            last = self.writer.append_group(drafts(group)).last_sequence
        except JournalUnavailable:
            return
        fresh = dict(enumerate(group, start=last - len(group) + 1))
        assert not fresh.keys() & self.acknowledged.keys()
        self.acknowledged |= fresh

    @rule(
        operation=st.sampled_from(["create", "write", "sync", "rename", "sync_directory", "none"]),
        truncates=st.booleans(),
    )
    def failures(self, operation: str, truncates: bool) -> None:
        def before(name: str, _: int) -> None:
            if name == operation or (name == "truncate" and not truncates):
                raise OSError(errno.EIO, "injected")

        self.disk.before = before

    @rule()
    def restart(self) -> None:
        self.disk.before = lambda name, count: None
        self.writer = opened(self.disk, rotate_bytes=400)

    @invariant()
    def every_acknowledged_entry_stands_once(self) -> None:
        found = {f.sequence: f.packed for f in entries_of(DIRECTORY, 10_000, self.disk)}
        assert self.acknowledged.items() <= found.items()
        assert verify(DIRECTORY, self.disk).sound


TestFailingMedium = FailingMedium.TestCase
TestFailingMedium.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
