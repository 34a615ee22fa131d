"""What a journal says after a power cut: reopened as the daemon would, then read entry by entry."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec

from admission.errors import WireError
from admission.journal_record import PassageRecord, unpack_record
from appliance.records import open_database
from cache.journal.catalogue import list_files, read_file
from cache.journal.frame import Frame
from cache.journal.medium import PosixMedium
from cache.journal.outbox import watermarks
from cache.journal.recovery import recover
from cache.journal.retired import retired_names
from cache.journal.scan import scan

NEW_JOURNAL = bytes(range(16))
DATABASE_EVERY = 10

Said = tuple[str, int]
"""Which lane wrote an entry, at which millisecond of its monotonic clock."""


class Reopened(msgspec.Struct):
    """What is there: the passages by sequence, and whether the journal was ended."""

    passages: dict[int, Said]
    retired: bool


class Reopening:
    """Lays images out in a folder and opens the journal in it.

    Files that were read once are not read again: most are the same at the next cut.
    """

    def __init__(self, folder: Path, state: str) -> None:
        self._folder = folder
        self._state = state
        self._known: dict[bytes, dict[int, Said]] = {}
        self._cuts = 0

    def reopened(self, images: dict[str, bytes]) -> Reopened:
        """Return what the daemon would find.

        :raises CacheError: if the journal cannot be opened: then everything is lost.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        journal, medium = self._folder / "journal", PosixMedium()
        journal.mkdir(parents=True)
        for path, data in images.items():
            place = self._folder / Path(path).relative_to(self._state)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        recover(medium, journal, NEW_JOURNAL, self._watermarks())
        retired = retired_names(medium.names(journal))
        passages: dict[int, Said] = {}
        for folder in (journal / name for name in retired):
            passages |= self._passages(folder)
        return Reopened(passages | self._passages(journal), bool(retired))

    def _watermarks(self) -> dict[bytes, int]:
        """Return what the local database says, as the daemon asks it; of some cuts only.

        Opening it takes as long as everything else together.
        """
        self._cuts += 1
        if self._cuts % DATABASE_EVERY:
            return {}

        async def known() -> dict[bytes, int]:
            async with open_database(self._folder) as database:
                return await watermarks(database)

        return asyncio.run(known())

    def _passages(self, folder: Path) -> dict[int, Said]:
        medium = PosixMedium()
        found: dict[int, Said] = {}
        for file in list_files(medium, folder):
            # What an older file holds from here on, this one supersedes.
            found = {one: said for one, said in found.items() if one < file.first_sequence}
            found |= self._read(read_file(medium, file), file.first_sequence)
        return found

    def _read(self, data: bytes, first: int) -> dict[int, Said]:
        if data not in self._known:
            self._known[data] = {
                frame.sequence: said
                for frame in scan(data, first)
                if isinstance(frame, Frame) and (said := _said(frame)) is not None
            }
        return self._known[data]


def _said(frame: Frame) -> Said | None:
    try:
        record = unpack_record(frame.packed)
    except WireError:
        return None
    if not isinstance(record, PassageRecord):
        return None
    return record.passage.lane, record.passage.monotonic_ms
