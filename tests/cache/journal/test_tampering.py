"""Tampering: whatever somebody without the device's key does to the files is found.

Everything is done as well as it can be: CRCs are right, and chains are computed anew to the end.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from admission.passage import chained, genesis
from cache.journal.anchor import ANCHOR_NAME, intact_anchor, write_anchor
from cache.journal.catalogue import JournalFile, list_files
from cache.journal.frame import Frame, Header, pack_frame, pack_header
from cache.journal.pruning import Done, FilePruner, Limits
from cache.journal.retention import Keeping
from cache.journal.scan import scan
from cache.journal.verification import FaultKind, Keys, Report, verify
from cache.journal.witness import stated_mark
from tests.cache.journal.anchored import DEVICE, DIRECTORY, HUB, STRANGER, Gate, a_gate
from tests.cache.journal.simulated_disk import SimulatedDisk

KEYS = Keys(DEVICE.public_key(), (HUB.public_key(),))
PLACES = st.integers(0, 10_000)
SEEDS = st.integers(0, 5)


def checked(disk: SimulatedDisk) -> Report:
    return verify(DIRECTORY, disk, keys=KEYS)


def kinds(disk: SimulatedDisk) -> set[FaultKind]:
    return {fault.kind for fault in checked(disk).faults}


def files_of(disk: SimulatedDisk) -> list[JournalFile]:
    return list_files(disk, DIRECTORY)


def frames_of(disk: SimulatedDisk, file: JournalFile) -> list[Frame]:
    findings = scan(disk.content(file.path), file.first_sequence)
    return [finding for finding in findings if isinstance(finding, Frame)]


def rebuild(disk: SimulatedDisk, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the entries, and give them the hashes that follow, file by file to the very end."""
    contents = [[frame.packed for frame in frames_of(disk, file)] for file in files_of(disk)]
    counts = [len(packed) for packed in contents]
    entries = change([packed for content in contents for packed in content])
    for file in files_of(disk):
        disk.remove(file.path)
    sequence, chain_hash = 1, genesis(bytes(range(16)))
    for count in [*counts[:-1], len(entries)]:
        data = pack_header(Header(bytes(range(16)), sequence, chain_hash))
        path = DIRECTORY / f"{sequence:019d}.journal"
        for packed in entries[:count]:
            chain_hash = chained(chain_hash, sequence, packed)
            data += pack_frame(sequence, chain_hash, packed)
            sequence += 1
        entries = entries[count:]
        disk.create(path)
        disk.overwrite(path, data)


def another(packed: bytes) -> bytes:
    return packed[:-1] + bytes((packed[-1] ^ 1,))


def delete_file(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    disk.remove(files[place % len(files)].path)


def truncate_file(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    file = files[place % len(files)]
    frames = frames_of(disk, file)
    disk.overwrite(file.path, disk.content(file.path)[: frames[place % len(frames)].offset])


def cut_an_entry_out(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    file = files[place % len(files)]
    data, frames = disk.content(file.path), frames_of(disk, file)
    frame = frames[place % len(frames)]
    disk.overwrite(file.path, data[: frame.offset] + data[frame.end :])


def mark_as_pruned(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    file = files[place % len(files)]
    data, frames = disk.content(file.path), frames_of(disk, file)
    frame = frames[place % len(frames)]
    run = pack_frame(frame.sequence, frame.chain_hash, b"")
    disk.overwrite(file.path, data[: frame.offset] + run + data[frame.end :])


def exchange_files(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    one = files[place % len(files)].path
    other = files[(place + 1) % len(files)].path
    first, second = disk.content(one), disk.content(other)
    disk.overwrite(one, second)
    disk.overwrite(other, first)


def flip_a_byte(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    path = files[place % len(files)].path
    data = bytearray(disk.content(path))
    written = len(data.rstrip(b"\0"))  # what was set aside behind it says nothing
    data[place % written] ^= 1 + place % 255
    disk.overwrite(path, bytes(data))


def alter(disk: SimulatedDisk, place: int) -> None:
    def changed(entries: list[bytes]) -> list[bytes]:
        place_of_it = place % len(entries)
        entries[place_of_it] = another(entries[place_of_it])
        return entries

    rebuild(disk, changed)


def alter_within_its_file(disk: SimulatedDisk, place: int) -> None:
    files = files_of(disk)
    file = files[place % len(files)]
    frames = frames_of(disk, file)
    chosen = place % len(frames)
    header = next(scan(disk.content(file.path), file.first_sequence))
    assert isinstance(header, Header)
    chain_hash, data = header.chain_before, pack_header(header)
    for number, frame in enumerate(frames):
        packed = another(frame.packed) if number == chosen else frame.packed
        chain_hash = chained(chain_hash, frame.sequence, packed)
        data += pack_frame(frame.sequence, chain_hash, packed)
    disk.overwrite(file.path, data)


def insert(disk: SimulatedDisk, place: int) -> None:
    def changed(entries: list[bytes]) -> list[bytes]:
        entries.insert(place % len(entries), b"inserted")
        return entries

    rebuild(disk, changed)


def reorder(disk: SimulatedDisk, place: int) -> None:
    def changed(entries: list[bytes]) -> list[bytes]:
        count = len(entries) - 1
        places = [(place + step) % count for step in range(count)]
        first = next(n for n in places if entries[n] != entries[n + 1])
        entries[first], entries[first + 1] = entries[first + 1], entries[first]
        return entries

    rebuild(disk, changed)


def remove(disk: SimulatedDisk, place: int) -> None:
    def changed(entries: list[bytes]) -> list[bytes]:
        del entries[place % len(entries)]
        return entries

    rebuild(disk, changed)


def replace_the_anchor(disk: SimulatedDisk, place: int) -> None:
    alter(disk, place)
    anchor = intact_anchor(disk, DIRECTORY)
    assert anchor is not None
    last = frames_of(disk, files_of(disk)[-1])[-1]
    forged = type(anchor)(
        anchor.version,
        STRANGER.public_key().public_bytes_raw(),
        anchor.journal,
        last.sequence,
        last.chain_hash,
        0,
        anchor.pruned,
        b"",
    )
    write_anchor(disk, DIRECTORY, forged, STRANGER)


def damage_the_anchor(disk: SimulatedDisk, place: int) -> None:
    path = DIRECTORY / ANCHOR_NAME
    data = bytearray(disk.content(path))
    written = len(data.rstrip(b"\0"))  # what was set aside behind it says nothing
    data[place % written] ^= 1 + place % 255
    disk.overwrite(path, bytes(data))


def delete_the_anchor(disk: SimulatedDisk, place: int) -> None:
    delete_file(disk, place)
    disk.remove(DIRECTORY / ANCHOR_NAME)


def exchange_the_folder(disk: SimulatedDisk, place: int) -> None:
    other = Gate(SimulatedDisk(), Random(place), journal=b"\x77" * 16)
    other.write(20)
    for file in files_of(disk):
        disk.remove(file.path)
    for file in list_files(other.medium, DIRECTORY):
        disk.create(file.path)
        disk.overwrite(file.path, other.medium.read(file.path, 0, 1 << 20))


@functools.cache
def written(seed: int) -> SimulatedDisk:
    disk = a_gate(seed).disk
    assert checked(disk).sound
    return disk


WAYS = [
    delete_file,
    truncate_file,
    cut_an_entry_out,
    mark_as_pruned,
    exchange_files,
    flip_a_byte,
    alter,
    alter_within_its_file,
    insert,
    reorder,
    remove,
    replace_the_anchor,
    damage_the_anchor,
    delete_the_anchor,
    exchange_the_folder,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@settings(max_examples=15)
@given(seed=SEEDS, place=PLACES)
def test_tampering_is_found(
    way: Callable[[SimulatedDisk, int], None], seed: int, place: int
) -> None:
    disk = copy.deepcopy(written(seed))
    way(disk, place)
    assert not checked(disk).sound


@pytest.mark.parametrize(
    "way", [way for way in WAYS if way is not delete_the_anchor], ids=lambda way: way.__name__
)
@settings(max_examples=5)
@given(seed=SEEDS, place=PLACES)
def test_a_gate_that_starts_on_it_does_not_vouch_for_it(
    way: Callable[[SimulatedDisk, int], None], seed: int, place: int
) -> None:
    """A new anchor in the old one's place would be the tamperer's best friend."""
    disk = copy.deepcopy(written(seed))
    way(disk, place)
    gate = Gate(disk, Random(seed), journal=b"\x55" * 16)
    gate.write(3)
    gate.keeper.write()
    assert not checked(disk).sound


@settings(max_examples=15)
@given(seed=SEEDS, place=PLACES)
def test_an_alteration_is_found_by_the_hub_s_mark_where_the_anchor_is_not_known(
    seed: int, place: int
) -> None:
    """The anchor was signed anew by whoever has the device's key: the hub's mark still tells."""
    gate = a_gate(seed)
    held = gate.held
    alter(gate.disk, place % held)
    anchor = intact_anchor(gate.disk, DIRECTORY)
    assert anchor is not None
    last = frames_of(gate.disk, files_of(gate.disk)[-1])[-1]
    forged = type(anchor)(
        anchor.version,
        anchor.device,
        anchor.journal,
        last.sequence,
        last.chain_hash,
        0,
        anchor.pruned,
        anchor.mark,
    )
    write_anchor(gate.disk, DIRECTORY, forged, DEVICE)
    assert kinds(gate.disk) == {FaultKind.ALTERED}


def test_what_was_found_is_named() -> None:
    disk = a_gate().disk
    last = checked(disk).last_sequence
    newest = files_of(disk)[-1]
    disk.remove(newest.path)
    (fault,) = checked(disk).faults
    assert (fault.kind, fault.sequence) == (FaultKind.MISSING, newest.first_sequence)
    assert fault.lost == last - newest.first_sequence + 1


def test_a_front_beyond_what_was_pruned_is_missing() -> None:
    disk = a_gate().disk
    first, second, *_ = files_of(disk)
    disk.remove(first.path)
    (fault,) = checked(disk).faults
    assert (fault.kind, fault.sequence, fault.lost) == (
        FaultKind.MISSING,
        1,
        second.first_sequence - 1,
    )


def test_a_mark_that_the_hub_did_not_sign_is_named() -> None:
    disk = a_gate().disk
    stranger = Ed25519PrivateKey.from_private_bytes(b"\5" * 32).public_key()
    report = verify(DIRECTORY, disk, keys=Keys(DEVICE.public_key(), (stranger,)))
    assert [fault.kind for fault in report.faults] == [FaultKind.MARK]


@given(seed=SEEDS, later=st.integers(0, 12), cut=st.integers(0, 1_000))
@settings(max_examples=30)
def test_a_power_cut_is_no_tampering(seed: int, later: int, cut: int) -> None:
    """The anchor is older than the files, and the newest one's tail is torn."""
    gate = a_gate(seed)
    gate.write(later)
    newest = files_of(gate.disk)[-1].path
    data = gate.disk.content(newest)
    gate.disk.overwrite(newest, data + data[-200:][: cut % 200])
    assert checked(gate.disk).sound


def a_pruned_gate(seed: int) -> Gate:
    """Return a gate of whose older files only officers' acts and what followed on them are left."""
    gate = a_gate(seed)
    files = FilePruner(DIRECTORY, gate.keeper, Keeping(0, 10_000, 0), gate.medium)
    for _ in files.steps(Limits(stated_mark(gate.mark), 1 << 41), Done()):
        pass
    return gate


@functools.cache
def pruned(seed: int) -> SimulatedDisk:
    disk = a_pruned_gate(seed).disk
    report = checked(disk)
    assert report.sound
    assert report.pruned
    return disk


def unmark_as_pruned(disk: SimulatedDisk, place: int) -> None:
    """Let a pruned part begin later: as if less had been there."""
    file = files_of(disk)[0]
    data, frames = disk.content(file.path), frames_of(disk, file)
    frame = frames[place % len(frames)]
    header = pack_header(Header(bytes(range(16)), frame.sequence, bytes(32)))
    disk.remove(file.path)
    path = DIRECTORY / f"{frame.sequence:019d}.journal"
    disk.create(path)
    disk.overwrite(path, header + data[frame.offset :])


PRUNED_WAYS = [
    delete_file,
    truncate_file,
    cut_an_entry_out,
    mark_as_pruned,
    exchange_files,
    flip_a_byte,
    alter_within_its_file,
    damage_the_anchor,
    delete_the_anchor,
    exchange_the_folder,
    unmark_as_pruned,
]


@pytest.mark.parametrize("way", PRUNED_WAYS, ids=lambda way: way.__name__)
@settings(max_examples=10)
@given(seed=SEEDS, place=PLACES)
def test_tampering_with_a_pruned_journal_is_found(
    way: Callable[[SimulatedDisk, int], None], seed: int, place: int
) -> None:
    disk = copy.deepcopy(pruned(seed))
    way(disk, place)
    assert not checked(disk).sound
