"""What a door read: decoded text, its symbology, where and when."""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_TEXT_LENGTH = 8192
"""Characters of the longest text that a door hands on (a QR code holds at most 7,089 digits).

A longer text is cut to this length plus one by the door that read it, so that it is refused as
oversized rather than mistaken for its own beginning."""

MAX_PAYLOAD_BYTES = 16 * 7089
"""Bytes of the longest payload that a door hands on: sixteen QR codes full of digits."""


class Symbology(StrEnum):
    """How the text was written down."""

    QR_CODE = "qr_code"
    MICRO_QR = "micro_qr"
    RMQR = "rmqr"
    AZTEC = "aztec"
    DATA_MATRIX = "data_matrix"
    PDF417 = "pdf417"
    CODE_128 = "code_128"
    TYPED = "typed"
    """Keyed in by a person."""
    UNSTATED = "unstated"
    """A serial scanner that does not send AIM identifiers."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One sighting of a code by one source. A code held up to a camera yields one per frame.

    `text` is untrusted. `captured_ns` is the monotonic stamp of the frame's capture or of the
    line's last byte: latencies count from it. `rung` names the decode rung, empty elsewhere.
    `payload` holds the bytes that `text` was decoded from, where the door knows them: at most
    `MAX_PAYLOAD_BYTES`. Neither is written down anywhere as it is.
    """

    text: str
    symbology: Symbology
    source: str
    captured_ns: int
    rung: str = ""
    payload: bytes = b""

    @property
    def oversized(self) -> bool:
        """Whether the text is longer than any code this gate knows."""
        return len(self.text) > MAX_TEXT_LENGTH
