"""What passes between the lanes' loop and the writer's thread: tickets there, groups back."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

import msgspec

from admission.journal_record import pack_public, pack_sealed
from admission.passage import Passage
from cache.journal.errors import JournalUnavailable
from cache.journal.recorder import Draft
from cache.journal.recovery import Position


class Ticket(Draft):
    """An entry for which somebody waits. It is told apart by identity.

    :ivar receipt: belongs to the loop; the thread does not touch it.
    :ivar deadline: until when the waiter waits, in the loop's time.
    :ivar since_ns: monotonic, when the wait began.
    :ivar unsecured: whether the waiter acts without it: it is tried until it is durable.
    """

    __slots__ = ("deadline", "receipt", "since_ns", "unsecured")

    def __init__(
        self,
        entry: Passage,
        receipt: asyncio.Future[int],
        deadline: float,
        since_ns: int,
        unsecured: bool,
    ) -> None:
        self.public = pack_public(entry)
        self.personal = pack_sealed(entry)
        self.receipt = receipt
        self.deadline = deadline
        self.since_ns = since_ns
        self.unsecured = unsecured


class GivenUp(Enum):
    """What became of an entry whose waiter has given it up."""

    TAKEN_BACK = auto()
    """It is certain never to stand in the journal."""
    KEPT = auto()
    """It may yet become durable; that it came late is then noted behind it."""
    SETTLED = auto()
    """The group that held it has ended already: the report is on its way."""


class Group(msgspec.Struct, frozen=True):
    """How one group ended: durable from `first_sequence` on in the tickets' order, or `error`.

    `followups` are those that were written behind the tickets, `withheld` how many tickets became
    durable after their waiter had given them up and holds (see `FollowupKind`). `commit_ns` is the
    time that the medium took, `position` where the journal stands since.
    """

    tickets: tuple[Ticket, ...]
    first_sequence: int
    error: JournalUnavailable | None
    commit_ns: int
    position: Position
    followups: int = 0
    withheld: int = 0
