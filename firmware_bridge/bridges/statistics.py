"""What a bridge counts, for metrics and for the technician."""

from __future__ import annotations

import msgspec

from firmware_bridge.link.events import Counters


class BridgeStatistics(msgspec.Struct, frozen=True):
    """What happened since the start (`counters` and the counts beside them only grow).

    `round_trip_ns` is the smoothed time from a message to its answer, None before the first.
    """

    counters: Counters
    rejected_frames: int
    """What lay between two delimiters and was no frame: length, COBS code or CRC."""
    openings: int
    """How often the port was opened; after the first, each is a reconnection."""
    failed_openings: int
    round_trip_ns: int | None
