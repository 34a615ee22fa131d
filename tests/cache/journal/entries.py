"""Entries to put into a journal, and how to read one back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from admission.credential import CredentialKind
from admission.instant import ClockTrust
from admission.journal_record import Followup, PassageRecord, opened, unpack_record
from admission.passage import Passage, chained, genesis
from admission.reading import Symbology
from admission.sealing import OpenedSession, Opener, SealSession
from admission.verdict import Card, Outcome, Reason
from admission.wire import Entry
from cache.journal.frame import (
    HEADER_BYTES,
    Header,
    frame_at,
    pack_frame,
    pack_header,
    pack_pruned_run,
)
from cache.journal.medium import Medium
from cache.journal.reader import JournalReader
from cache.journal.recorder import Draft, Recipient, Recorder
from cache.journal.recovery import recover
from cache.journal.segment_file import SegmentWriter
from cache.journal.space import Space

JOURNAL = bytes(range(16))


def an_entry(number: int = 1, *, lane: str = "lane-1") -> Passage:
    return Passage(
        site="site-1",
        lane=lane,
        source="camera-1",
        symbology=Symbology.QR_CODE,
        kind=CredentialKind.PERSONAL_QR,
        code_digest=number.to_bytes(16, "big"),
        person=number,
        outcome=Outcome.ADMIT,
        card=Card.GREEN,
        reasons=(Reason.CARD_OPENS,),
        directive=15,
        rulebook="hcmc@1",
        release=1,
        wall_ns=1_631_318_400_000_000_000 + number * 1_000_000,
        monotonic_ns=number * 1_000_000,
        boot_id="boot-1",
        clock_trust=ClockTrust.SYNCHRONISED,
    )


def a_writer(
    medium: Medium,
    directory: Path,
    *,
    rotate_bytes: int = 1_000,
    budget_bytes: int = 1 << 30,
    recipient: Recipient = lambda: None,
    journal: bytes = JOURNAL,
) -> SegmentWriter:
    """Return the writer of the journal in this directory, continued or begun."""
    recovery = recover(medium, directory, journal)
    recorder = Recorder(recipient, os.urandom, recovery.position.journal)
    space = Space(budget_bytes, recovery.used_bytes)
    return SegmentWriter(
        medium, directory, recovery.position, recorder, space, rotate_bytes=rotate_bytes
    )


def drafts(records: list[bytes]) -> list[Draft]:
    """Return what is to be written so that these records stand in the file."""
    return [Draft(record) for record in records]


def file_bytes(packed: list[bytes], *, first: int = 1) -> tuple[bytes, list[int]]:
    """Return an intact file of these entries, and where each frame ends (header included)."""
    chain_hash = genesis(JOURNAL)
    data = pack_header(Header(JOURNAL, first, chain_hash))
    ends = [len(data)]
    for sequence, entry in enumerate(packed, start=first):
        chain_hash = chained(chain_hash, sequence, entry)
        data += pack_frame(sequence, chain_hash, entry)
        ends.append(len(data))
    return data, ends


def pruned(data: bytes, first: int, last: int) -> bytes:
    """Return the file's bytes with the entries `first` to `last` taken out as a pruned run."""
    kept, before, behind = b"", data[:HEADER_BYTES], b""
    for offset, sequence, chain_hash, end in _frames(data):
        if sequence < first:
            before += data[offset:end]
        elif sequence > last:
            behind += data[offset:end]
        elif sequence == last:
            kept = pack_pruned_run(last, chain_hash)
    return before + kept + behind


def _frames(data: bytes) -> Iterator[tuple[int, int, bytes, int]]:
    offset = HEADER_BYTES
    while frame := frame_at(data, offset):
        yield offset, frame.sequence, frame.chain_hash, frame.end
        offset = frame.end


def sealed_for(
    hub: X25519PrivateKey, journal: bytes, entries: Iterable[Entry]
) -> list[Passage | Followup]:
    """Return what entries hold, opened with the hub's key; sessions are left out."""
    session: OpenedSession | None = None
    held: list[Passage | Followup] = []
    for entry in entries:
        match unpack_record(entry.packed):
            case SealSession() as begun:
                session = Opener(hub).begin(begun, journal)
            case PassageRecord() as record:
                held.append(opened(record, session))
            case Followup() as followup:
                held.append(followup)
    return held


async def all_entries(medium: Medium | None, directory: Path, through: int) -> list[Entry]:
    reader = JournalReader(directory, medium)
    entries: list[Entry] = []
    while len(entries) < through:
        entries += await reader.read(len(entries), through, max_entries=100, max_bytes=1 << 20)
    return entries
