"""What somebody without the device's key can do to a journal's files, done as well as it can be.

CRCs are right, and chains are computed anew to the end. Each way takes the disk and any number that
says where.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from admission.passage import chained, genesis
from cache.journal.anchor import ANCHOR_NAME, intact_anchor, write_anchor
from cache.journal.catalogue import JournalFile, list_files
from cache.journal.frame import Frame, Header, pack_frame, pack_header
from cache.journal.scan import scan
from tests.cache.journal.anchored import DIRECTORY, STRANGER, Gate
from tests.cache.journal.simulated_disk import SimulatedDisk

Way = Callable[[SimulatedDisk, int], None]


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
    data[place % len(data)] ^= 1 + place % 255
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
