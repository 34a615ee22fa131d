"""What a lane writes down: the entry before the gate moves, what followed on it afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec

from admission.instant import Instant
from admission.journal_record import Followup, FollowupKind
from admission.passage import Passage
from admission.ports import Journal
from admission.verdict import Outcome
from appliance.journal_table import WhenUnavailable

STAND_S: Final = 1.0
"""How long a medium may take before what followed is believed to the journal's own memory."""
_NS_PER_MS = 1_000_000


class Written(msgspec.Struct, frozen=True):
    """What became of an entry.

    `sequence` is where it stands durably, None if it does not, or not yet. `may_act` says whether
    the gate may move: it stands, or the site's policy does not wait for it.
    """

    sequence: int | None
    may_act: bool


NOTHING_WRITTEN = Written(None, may_act=False)


class EntryLog:
    """The journal as one lane uses it. Never raises.

    :param policy: what the site wants while the medium does not take entries in time.
    :param failed: told of each entry that could not be made durable in time.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        policy: WhenUnavailable = WhenUnavailable.HOLD,
        failed: Callable[[Exception], None],
    ) -> None:
        self._journal = journal
        self._unsecured = policy is WhenUnavailable.ADMIT
        self._failed = failed

    async def write(self, entry: Passage | None) -> Written:
        """Return once the entry is durable, or the bound has passed. None is never written."""
        if entry is None:
            return NOTHING_WRITTEN
        try:
            sequence = await self._journal.append(entry, unsecured=self._unsecured)
        except Exception as error:  # noqa: BLE001 - a broken disk holds the lane, not the daemon
            self._failed(error)
            # Only an entry that the journal goes on trying to write may be acted on.
            kept = self._unsecured and bool(getattr(error, "in_doubt", False))
            return Written(None, may_act=kept)
        return Written(sequence, may_act=True)

    def lit(
        self, written: Written, shown: Outcome, *, lit: bool, began: Instant, now: Instant
    ) -> None:
        """Note whether the board did what was to be shown.

        An ADMIT gets a note in either case, anything else only if nobody saw it.
        """
        if written.sequence is None or (lit and shown is not Outcome.ADMIT):
            return
        kind = FollowupKind.ACTUATED if lit else FollowupKind.NOT_ACTUATED
        self.follow(kind, written.sequence, now.monotonic_ns - began.monotonic_ns)

    def follow(self, kind: FollowupKind, about: int, after_ns: int) -> None:
        """Note what followed on the entry `about`."""
        self._journal.follow(Followup(kind, about, max(0, after_ns) // _NS_PER_MS))

    async def stand(self) -> None:
        """Return once all that followed until now is durable, or the bound has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STAND_S):
                await self._journal.flush()
