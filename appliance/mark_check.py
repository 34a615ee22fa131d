"""Whether a high-water mark of the hub may move the watermark here, and where to. Pure.

A mark that passed its signature is the hub's word; here it is held against what this journal is.
The chain hash of one entry stands for all before it that were sent in one chain; where a batch does
not follow from the one before, the hub flags it.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from admission.passage import CHAIN_HASH_BYTES
from admission.upload import Mark
from appliance.errors import HistoryContradicted, HubUnavailable

UNKNOWN = bytes(CHAIN_HASH_BYTES)
"""Stands for the chain hash of a place that cannot be read: nothing can be held against it."""
_REPLAY_HINT = "if the hub's clock was set back, wait; else somebody serves its old answers"
_FAULT_HINT = "see the hub's log: it has to be of this version or later"
_COPY_HINT = (
    "`chot journal verify`; if the journal was put back from a copy, keep its folder aside and "
    "start with an empty one"
)


class Move(Enum):
    """What becomes of the watermark."""

    FORWARD = "forward"
    """To the mark, or it stays where it is."""
    BACK = "back"
    """The hub was restored from an older copy: what it lacks is to be sent again."""


class Local(msgspec.Struct, frozen=True):
    """What this gate knows when a mark arrives.

    :ivar acknowledged: through which entry the hub held the journal by its last mark.
    :ivar marked_ns: the hub's clock in that mark, 0 if it is not known.
    :ivar last: the last durable entry's sequence.
    :ivar void_ns: marks from before this time of the hub's clock count no more: it was put back to
        an older copy then, and does not hold what it said before.
    :ivar ended: whether the journal was ended and may have lost its last entries.
    """

    device: str
    journal: bytes
    acknowledged: int
    marked_ns: int
    last: int
    void_ns: int = 0
    ended: bool = False

    def named(self, mark: Mark) -> None:
        """Return if the mark is about this device's journal.

        :raises HubUnavailable: if it is about another.
        """
        if mark.device != self.device:
            raise HubUnavailable("the hub's mark is another device's", hint=_FAULT_HINT)
        if mark.journal != self.journal:
            raise HubUnavailable("the hub's mark is another journal's", hint=_FAULT_HINT)

    def judge(self, mark: Mark, chain_hash: bytes) -> Move:
        """Return which way the mark moves the watermark.

        :param chain_hash: the one of the entry here that the mark names; `UNKNOWN` if it cannot be
            read any more.
        :raises HistoryContradicted: if the hub holds another history than lies here.
        :raises HubUnavailable: if the mark is not new.
        """
        self.named(mark)
        if mark.through > self.last and not self.ended:
            msg = (
                f"the hub holds entries through {mark.through}, but the journal here ends at "
                f"{self.last}: its newest entries were taken away"
            )
            raise HistoryContradicted(msg, hint=_COPY_HINT)
        if mark.through <= self.last and _differ(mark.chain_hash, chain_hash):
            msg = (
                f"entry {mark.through} or one before it is not what the hub holds: "
                "the journal was altered"
            )
            raise HistoryContradicted(msg, hint=_COPY_HINT)
        if mark.through >= self.acknowledged and mark.wall_ns >= self.void_ns:
            return Move.FORWARD
        if mark.through < self.acknowledged and mark.wall_ns > self.marked_ns:
            return Move.BACK
        msg = (
            f"the hub's mark is an old one, through {mark.through}: a later one said "
            f"{self.acknowledged}"
        )
        raise HubUnavailable(msg, hint=_REPLAY_HINT)


def _differ(held: bytes, here: bytes) -> bool:
    """Return whether both ends know the entry, each as another one.

    An empty place at the hub is one that could not be read here when it was sent.
    """
    return UNKNOWN not in {held, here} and held != here
