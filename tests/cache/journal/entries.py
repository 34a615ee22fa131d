"""Entries to put into a journal, and how to read one back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from admission.credential import CredentialKind
from admission.instant import ClockTrust
from admission.passage import Passage, chained, genesis
from admission.reading import Symbology
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
        wall_ns=1_631_318_400_000_000_000 + number,
        monotonic_ns=number,
        boot_id="boot-1",
        clock_trust=ClockTrust.SYNCHRONISED,
    )


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


async def all_entries(medium: Medium | None, directory: Path, through: int) -> list[Entry]:
    reader = JournalReader(directory, medium)
    entries: list[Entry] = []
    while len(entries) < through:
        entries += await reader.read(len(entries), through, max_entries=100, max_bytes=1 << 20)
    return entries
