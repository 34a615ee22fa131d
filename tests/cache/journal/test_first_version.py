"""Files of the first version, with all in the clear: proved, anchored and pruned as any."""

from __future__ import annotations

from random import Random

import msgspec

from admission.journal_record import PassageRecord, unpack_record
from admission.passage import Event, chained, genesis
from admission.wire import pack_passage
from cache.journal.anchor import intact_anchor
from cache.journal.catalogue import file_at, list_files
from cache.journal.frame import FIRST_VERSION, VERSION, Header, pack_frame, pack_header
from cache.journal.pruning import Done, FilePruner, Limits
from cache.journal.retention import Keeping
from cache.journal.scan import scan
from cache.journal.verification import Keys, verify
from cache.journal.walk import every_frame
from cache.journal.witness import stated_mark
from tests.cache.journal.anchored import DEVICE, DIRECTORY, HUB, Gate
from tests.cache.journal.entries import JOURNAL, an_entry
from tests.cache.journal.simulated_disk import SimulatedDisk

KEYS = Keys(DEVICE.public_key(), (HUB.public_key(),))
OLD = 6


def an_old_disk() -> SimulatedDisk:
    """Return a disk with one file as the first version wrote it: scans, and one officer's act."""
    disk, chain_hash = SimulatedDisk(), genesis(JOURNAL)
    data = pack_header(Header(JOURNAL, 1, chain_hash, FIRST_VERSION))
    for sequence in range(1, OLD + 1):
        event = Event.OVERRIDE if sequence == 4 else Event.SCAN
        packed = pack_passage(msgspec.structs.replace(an_entry(sequence), event=event))
        chain_hash = chained(chain_hash, sequence, packed)
        data += pack_frame(sequence, chain_hash, packed)
    path = file_at(DIRECTORY, 1).path
    disk.create(path)
    disk.overwrite(path, data)
    return disk


def a_gate_that_was_updated() -> Gate:
    gate = Gate(an_old_disk(), Random(0))
    gate.write(30)
    gate.acknowledge(gate.position.last_sequence)
    gate.keeper.write()
    return gate


def test_a_journal_goes_on_over_an_update_and_says_from_where_it_is_vouched_for() -> None:
    gate = a_gate_that_was_updated()
    report = verify(DIRECTORY, gate.disk, keys=KEYS)
    assert report.sound
    assert report.entries == gate.position.last_sequence > OLD
    anchor = intact_anchor(gate.disk, DIRECTORY)
    assert anchor is not None
    assert anchor.found_through == OLD


def test_an_old_file_is_pruned_as_any_and_its_acts_can_be_read_for_as_long_as_they_stay() -> None:
    gate = a_gate_that_was_updated()
    files = FilePruner(DIRECTORY, gate.keeper, Keeping(0, 10_000, 0), gate.medium)
    for _ in files.steps(Limits(stated_mark(gate.mark), 1 << 41), Done()):
        pass
    assert verify(DIRECTORY, gate.disk, keys=KEYS).sound
    first = list_files(gate.disk, DIRECTORY)[0]
    header = next(scan(gate.disk.content(first.path), 1))
    assert isinstance(header, Header)
    assert header.version == VERSION  # a run says nothing to a reader of the first one
    frame = next(every_frame(DIRECTORY, gate.disk))
    record = unpack_record(frame.packed)
    assert frame.sequence == 4
    assert isinstance(record, PassageRecord)
    assert record.plain is not None
    assert record.plain.person == 4
