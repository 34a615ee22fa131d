"""The outbox: through which entry the hub has acknowledged the journal, and what it signed for it.

The watermark lives in the journal's local database. It can be rebuilt: without it everything is
sent again, and the hub, which knows each entry by device, journal and sequence, takes nothing
twice.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, Self

from admission.upload import MAX_MARK_BYTES
from cache.journal.local.database import LocalDatabase
from cache.journal.local.rows import checked, with_crc

_FIND = "SELECT * FROM watermark WHERE journal = ?"
_ALL = "SELECT * FROM watermark"
_KEEP = "INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?)"


class Growing(Protocol):
    """What the outbox needs of a journal."""

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        ...

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        ...


class Outbox:
    """The watermark of one journal. Create it with `open`; it ends with its database."""

    def __init__(
        self, database: LocalDatabase, journal: Growing, through: int | None, mark: bytes
    ) -> None:
        self._database = database
        self._journal = journal
        self._through = through or 0
        self._mark = mark
        self._known = through is not None
        self._changed = asyncio.Condition()

    @classmethod
    async def open(cls, database: LocalDatabase, journal: Growing, *, ended: bool = False) -> Self:
        """Return the outbox of this journal.

        :param ended: whether the journal is a retired one: what it lost was acknowledged, then.
        :raises LocalStateError: if the database cannot be read.
        """
        async with database.transaction(write=False) as raw:
            rows = list(await raw.execute_fetchall(_FIND, (journal.journal_id,)))
        row = checked(rows[0]) if rows else None
        if row is None:  # nothing is known, or what stands there is damaged
            return cls(database, journal, None, b"")
        _, through, mark = row
        if ended:
            return cls(database, journal, min(through, journal.last_sequence), mark)
        if through > journal.last_sequence:
            # The journal was put back to an older state. All is sent again, and the hub shows which
            # sequences have been used twice.
            return cls(database, journal, None, b"")
        return cls(database, journal, through, mark)

    @property
    def known(self) -> bool:
        """Whether anything is on record: if not, the hub may have more than nothing."""
        return self._known

    @property
    def mark(self) -> bytes:
        """The last high-water mark as the hub signed it, empty if there is none."""
        return self._mark

    @property
    def acknowledged_through(self) -> int:
        """Sequence of the last entry that the hub has acknowledged, 0 if there is none."""
        return self._through

    @property
    def pending(self) -> int:
        """How many durable entries the hub has not acknowledged."""
        return max(0, self._journal.last_sequence - self._through)

    async def acknowledge(self, through: int, mark: bytes = b"") -> None:
        """Move the watermark forward to `through`, wake those who wait for it, keep it on disk.

        :param mark: what the hub signed, verified; empty leaves the last one in its place.
        :raises ValueError: if that is backwards, beyond the journal's end, or no mark at all.
        :raises LocalStateError: if it could not be kept; it then holds until the process ends.
        """
        if not self._through <= through <= self._journal.last_sequence:
            msg = f"the watermark cannot go from {self._through} to {through}"
            raise ValueError(msg)
        await self._move(through, mark or self._mark)

    async def set_back(self, through: int, mark: bytes) -> None:
        """Move the watermark back: the hub has lost what it had, and has signed that.

        :param mark: what the hub signed, verified.
        :raises ValueError: if that is not backwards, or no mark at all.
        :raises LocalStateError: if it could not be kept; it then holds until the process ends.
        """
        if not 0 <= through < self._through or not mark:
            msg = f"the watermark cannot be set back from {self._through} to {through}"
            raise ValueError(msg)
        await self._move(through, mark)

    async def wait_acknowledged(self, through: int) -> None:
        """Return once the hub has acknowledged every entry up to and including `through`."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._through >= through)

    async def _move(self, through: int, mark: bytes) -> None:
        if len(mark) > MAX_MARK_BYTES:
            msg = f"a mark of {len(mark)} bytes is over the limit of {MAX_MARK_BYTES}"
            raise ValueError(msg)
        self._through, self._mark, self._known = through, mark, True
        async with self._changed:
            self._changed.notify_all()
        async with self._database.transaction() as raw:
            await raw.execute(_KEEP, with_crc(self._journal.journal_id, through, mark))


async def watermarks(database: LocalDatabase) -> dict[bytes, int]:
    """Return through which sequence the hub acknowledged each journal, by id; {} if unknown.

    Read before the journal is opened, which must know what it may not give out again.

    :raises LocalStateError: if the database cannot be read.
    """
    async with database.transaction(write=False) as raw:
        rows = [checked(row) for row in await raw.execute_fetchall(_ALL)]
    return {row[0]: row[1] for row in rows if row is not None}
