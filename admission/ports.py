"""The ports: what the daemon needs of clock, knowledge, log, hardware and screen.

Doors implement these; simulators and tests stand behind the same ports and pass the same contract
suites (`tests/contracts/`).
"""

from __future__ import annotations

from typing import Protocol

from admission.credential import Credential
from admission.instant import Instant
from admission.journal_record import Followup
from admission.passage import Passage
from admission.signal import Signal
from admission.standing import Standing
from admission.verdict import LaneState, Verdict


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> Instant:
        """Return the present moment. `monotonic_ns` never runs backwards within one `boot_id`."""
        ...


class Book(Protocol):
    """What is known about people."""

    def standing_of(
        self, credential: Credential, now: Instant, *, permits: bool = True
    ) -> Standing:
        """Return the standing in microseconds, without awaiting anything. Never raises.

        Every identifier of the credential, and the subject of its pass, is looked up in all that
        is known here; what is on record of them answers together (`standing.combined`), and a
        second number hides nothing that the first one would show. Numbers of one person lead to one
        record, each with a status of its own. Where the record says the year of birth alone, and
        name and birth date are declared in full and are those on record (`Standing.differs`), the
        facts take the declared date. Officers are looked up for a pass only; a signed credential's
        revocation also where it names nobody. Where people, the watch list or revocations cannot be
        read, the look-up is UNREADABLE.

        :param permits: whether movement permits are asked for: where none are, none are looked up.
        """
        ...


class Journal(Protocol):
    """What happened here."""

    async def append(
        self, entry: Passage, *, timeout_s: float | None = None, unsecured: bool = False
    ) -> int:
        """Return the entry's sequence once it is durable on the medium.

        Sequences begin at 1 and ascend; those between two entries are the journal's own, of what
        followed on entries and of keys.

        :param timeout_s: how long to wait, in place of the journal's own bound.
        :param unsecured: whether the caller acts even if this raises, by the site's policy: the
            entry is then not taken back at the bound, but kept and tried until it is durable.
        :raises Exception: the implementation's own error if it was not made durable in time; the
            entry then does not count as appended, and only declared policy opens a gate. One
            whose attribute `in_doubt` is true says that the entry may yet become durable: where
            `unsecured` was asked for, that it is being tried.
        """
        ...

    def follow(self, followup: Followup) -> None:
        """Let the journal note what followed on an earlier entry, soon. Returns at once.

        Never raises: what cannot be kept is counted.
        """
        ...

    async def flush(self) -> None:
        """Return once every followup that was taken until now is durable."""
        ...


class Bridge(Protocol):
    """Lamps, buzzer and gate."""

    async def show(self, signal: Signal, *, entry: int = 0) -> None:
        """Return once the hardware has acknowledged the signal, which then ends by itself.

        :param entry: the journal's sequence of the admission that opens a gate (32 bits), by which
            the gate will say whether somebody passed; 0 if there is none.
        :raises Exception: the implementation's own error if nobody acknowledged within the bound.
        """
        ...

    @property
    def alive(self) -> bool:
        """Whether the hardware has answered within its heartbeat limit."""
        ...


class Screen(Protocol):
    """The kiosk, and any other place where people read the verdict."""

    def publish(self, lane: str, verdict: Verdict, holder: str) -> None:
        """Show a verdict at once, without waiting for any viewer. `holder` is already masked."""
        ...

    def lane_state(self, lane: str, state: LaneState) -> None:
        """Show that a lane serves or is out of order, until the next state."""
        ...
