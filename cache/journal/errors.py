"""Errors of the journal.

JournalError (cache.errors)
├── JournalUnavailable  entries cannot be made durable now; `in_doubt` says whether this one may
│   │                   nevertheless turn up in the journal
│   ├── JournalFull     the disk, or what the journal may take of it, is used up
│   ├── JournalTimeout  not durable within the caller's bound
│   ├── JournalOverflow more entries are waiting than the queue may hold
│   └── JournalClosed   the journal is closing or closed
├── JournalLocked       another process has this directory open
├── JournalDamaged      what is on the medium cannot be continued or read
├── AnchorError         the journal's signed anchor is damaged or cannot be read
├── EntryTooLarge       an entry longer than the wire allows
└── LocalStateError     what can be rebuilt of the journal could not be read or kept
"""

from __future__ import annotations

from cache.errors import JournalError

__all__ = [
    "AnchorError",
    "EntryTooLarge",
    "JournalClosed",
    "JournalDamaged",
    "JournalError",
    "JournalFull",
    "JournalLocked",
    "JournalOverflow",
    "JournalTimeout",
    "JournalUnavailable",
    "LocalStateError",
]


class JournalUnavailable(JournalError):  # noqa: N818 - a state of the medium
    """An entry was not made durable, so the gate must not open.

    `in_doubt` is False where the entry is certain never to stand in the journal, and True where
    the writer had already begun on it: it may then turn up, although nobody was told so.
    """

    def __init__(self, message: str, *, hint: str = "", in_doubt: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.in_doubt = in_doubt


class JournalFull(JournalUnavailable):
    """The disk is full, or the journal's budget is: nothing is ever overwritten to make room."""


class JournalTimeout(JournalUnavailable):
    """An entry was not durable within the caller's bound."""


class JournalOverflow(JournalUnavailable):
    """More entries are waiting than the queue may hold. Never in doubt."""


class JournalClosed(JournalUnavailable):
    """The journal is closing or closed. Never in doubt."""


class JournalLocked(JournalError):  # noqa: N818 - a state
    """Another process has this directory open."""


class JournalDamaged(JournalError):  # noqa: N818 - a state
    """What is on the medium cannot be continued or read."""


class AnchorError(JournalError):
    """The journal's anchor is damaged or cannot be read. The gate goes on, and replaces it."""


class EntryTooLarge(JournalError):  # noqa: N818 - names the fault
    """An entry is longer than `admission.wire.MAX_PASSAGE_BYTES`."""


class LocalStateError(JournalError):
    """What can be rebuilt of the journal (watermark, index, counts) could not be read or kept."""
