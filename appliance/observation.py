"""What a lane tells of its scans, and to whom."""

from __future__ import annotations

from typing import Protocol

import msgspec

from admission.credential import Credential
from admission.passage import Passage
from admission.reading import Reading
from admission.standing import Officer
from admission.verdict import Alert, Verdict


class Scan(msgspec.Struct, frozen=True):
    """One finished scan, for metrics and the technician's table. Durations in nanoseconds.

    `judged` is the law's verdict, which stands in the journal under `sequence`, or nowhere if that
    is None; `shown` is what people were told. `lit` says that the board has acknowledged.
    `stamps_ns` were taken when the lane took the reading up, had judged it, had its entry durable,
    and had its light. `entry` is what stands in the journal, or would; `officer` is whose badge it
    was, if it was one.
    """

    lane: str
    reading: Reading
    credential: Credential
    judged: Verdict
    sequence: int | None
    shown: Verdict
    lit: bool
    stamps_ns: tuple[int, int, int, int]
    entry: Passage | None = None
    officer: Officer | None = None

    @property
    def read_ns(self) -> int:
        """From the capture to the lane's taking the reading up: decoding and queueing."""
        return self.stamps_ns[0] - self.reading.captured_ns

    @property
    def decide_ns(self) -> int:
        """Parsing, looking up, deciding."""
        return self.stamps_ns[1] - self.stamps_ns[0]

    @property
    def journal_ns(self) -> int:
        """Until the entry was durable, or had failed."""
        return self.stamps_ns[2] - self.stamps_ns[1]

    @property
    def actuate_ns(self) -> int:
        """Until the board had acknowledged, or had failed to."""
        return self.stamps_ns[3] - self.stamps_ns[2]

    @property
    def reading_to_light_ns(self) -> int | None:
        """From the frame's capture to the board's acknowledgement; None without a light."""
        return self.stamps_ns[3] - self.reading.captured_ns if self.lit else None


UNBELIEVED = "unbelieved"
"""The kind of what a board told of an admission that this journal does not know, or told twice."""


class Happening(msgspec.Struct, frozen=True):
    """What a lane's board told of its gate.

    `kind` is one of a fixed few (`gate_metrics.KINDS`). `sequence` is where it stands in the
    journal: that of the admission on which it followed, or its own `entry`'s; None where it is only
    counted. `count` is how often it happened.
    """

    lane: str
    kind: str
    alert: Alert | None = None
    sequence: int | None = None
    entry: Passage | None = None
    count: int = 1


class Observer(Protocol):
    """Whoever wants to know what a lane did. Must return at once."""

    def scanned(self, scan: Scan) -> None:
        """Take note of a finished scan."""
        ...

    def repeated(self, lane: str) -> None:
        """Take note of a further sighting of a code that already has its verdict."""
        ...

    def turned_away(self, lane: str) -> None:
        """Take note of a reading that an out-of-order lane did not serve."""
        ...

    def happened(self, happening: Happening) -> None:
        """Take note of what a board told of its gate."""
        ...

    def failed(self, lane: str, step: str, error: Exception) -> None:
        """Take note of a step that raised: `decide`, `journal` or `actuate`."""
        ...


class Act(msgspec.Struct, frozen=True):
    """What became of an officer's decision.

    `sequence` is its entry's, None if that could not be made: the gate did not move then. `lit`
    says that the board has acknowledged; without it an ADMIT has opened nothing.
    """

    sequence: int | None
    lit: bool
