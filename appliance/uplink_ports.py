"""What the uplink needs around it: the journal, its watermark, and a way to the hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from admission.wire import Entry


class Answer(msgspec.Struct, frozen=True):
    """The hub's answer to one upload: status 200, and a body of bounded length."""

    body: bytes


class Transport(Protocol):
    """The way to the hub."""

    async def post_entries(self, body: bytes) -> Answer:
        """Return the hub's answer to one packed upload.

        :raises HubRefused: if it answered with another status than 200.
        :raises HubUnavailable: if there was no answer, or one out of bounds.
        """
        ...


class DurableEntries(Protocol):
    """The journal, as far as the uplink needs it."""

    @property
    def journal_id(self) -> bytes:
        """The journal's 16-byte id."""
        ...

    @property
    def last_sequence(self) -> int:
        """Sequence of the last durable entry, 0 if there is none."""
        ...

    async def wait_beyond(self, sequence: int) -> None:
        """Return once an entry after `sequence` is durable."""
        ...


class EntryReader(Protocol):
    """Reads entries back."""

    async def read(
        self, after: int, through: int, *, max_entries: int, max_bytes: int
    ) -> Sequence[Entry]:
        """Return entries `after` + 1 onwards, without gaps, at least one if there is one.

        A place that cannot be read any more has no bytes; its chain hash is zeros, if not known.
        """
        ...


class Watermark(Protocol):
    """The outbox."""

    @property
    def acknowledged_through(self) -> int:
        """Sequence of the last entry that the hub has acknowledged."""
        ...

    @property
    def pending(self) -> int:
        """How many durable entries the hub has not acknowledged."""
        ...

    @property
    def mark(self) -> bytes:
        """The last mark that was accepted, as it came; empty if there is none."""
        ...

    async def acknowledge(self, through: int, mark: bytes = b"") -> None:
        """Move the watermark forward, and keep the mark that moved it."""
        ...

    async def set_back(self, through: int, mark: bytes) -> None:
        """Move the watermark back: a mark says that the hub lacks what it had acknowledged."""
        ...
