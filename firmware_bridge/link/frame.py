"""Frames on the cable: COBS between zero bytes, closed by a CRC, never longer than 64 bytes.

`00 | COBS( header payload crc ) | 00`, where header is version and type (one nibble each), the
session (u16, little-endian) and the sequence (u8), and crc is CRC-16/GENIBUS over header and
payload (polynomial 0x1021, initial value 0xFFFF, not reflected, final XOR 0xFFFF, check value
0xD64E), big-endian. The zero in front ends whatever noise came before; empty frames are skipped.

The final XOR matters: without it a sound frame's residue is zero, and a closing delimiter flipped
to 0x01 (in COBS: one more zero byte) would leave a longer frame whose CRC still matches.

This envelope is the same in every version of the protocol, so that two sides of different versions
can still tell each other so.
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from typing import Final

import msgspec
from cobs import cobs

from firmware_bridge.errors import FrameError

VERSION: Final = 2
DELIMITER: Final = b"\0"
MAX_FRAME_BYTES: Final = 64
"""Longest frame with both its delimiters: what a board has to set aside to receive one."""
MAX_PAYLOAD_BYTES: Final = 55
CRC_INITIAL: Final = 0xFFFF
CRC_FINAL_XOR: Final = 0xFFFF
CRC_RESIDUE: Final = 0x1D0F
"""What the CRC register holds after a sound frame with its own CRC."""

_HEADER = struct.Struct("<BHB")
_CRC = struct.Struct(">H")
_OVERHEAD = _HEADER.size + _CRC.size
_MAX_ENCODED = MAX_FRAME_BYTES - 2


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One frame's content. `kind` is 0 to 15, `session` 0 to 65535, `sequence` 0 to 255."""

    kind: int
    session: int
    sequence: int
    payload: bytes = b""
    version: int = VERSION


def encode(frame: Frame) -> bytes:
    """Return the frame's bytes for the cable, with both delimiters.

    :raises FrameError: if the payload is longer than `MAX_PAYLOAD_BYTES`.
    """
    if len(frame.payload) > MAX_PAYLOAD_BYTES:
        msg = f"a payload of {len(frame.payload)} bytes is over the limit of {MAX_PAYLOAD_BYTES}"
        raise FrameError(msg)
    first = frame.version << 4 | frame.kind
    body = _HEADER.pack(first, frame.session, frame.sequence) + frame.payload
    sealed = body + _CRC.pack(crc_hqx(body, CRC_INITIAL) ^ CRC_FINAL_XOR)
    return DELIMITER + bytes(cobs.encode(sealed)) + DELIMITER


def decode(encoded: bytes) -> Frame:
    """Return the frame whose bytes stood between two delimiters.

    :raises FrameError: if the length, the COBS code or the CRC is wrong.
    """
    if len(encoded) > _MAX_ENCODED:
        raise FrameError("longer than any frame")
    try:
        sealed = bytes(cobs.decode(encoded))
    except cobs.DecodeError as error:
        raise FrameError("not a COBS code") from error
    if len(sealed) < _OVERHEAD:
        raise FrameError("shorter than any frame")
    if crc_hqx(sealed, CRC_INITIAL) != CRC_RESIDUE:
        raise FrameError("the CRC does not match")
    first, session, sequence = _HEADER.unpack_from(sealed)
    payload = sealed[_HEADER.size : -_CRC.size]
    return Frame(first & 0x0F, session, sequence, payload, first >> 4)


class Decoder:
    """Takes bytes as they come, gives frames; holds at most one frame's bytes.

    After garbage it is back in step at the next zero byte. `rejected` counts what was between two
    delimiters and was no frame.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._partial = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that `data` completes, in order. Bytes that are none are counted."""
        frames: list[Frame] = []
        *ended, rest = data.split(DELIMITER)
        for piece in ended:
            self._gather(piece)
            self._close(frames)
        self._gather(rest)
        return frames

    def reset(self) -> None:
        """Forget a frame that has begun: the cable was opened anew."""
        self._partial.clear()
        self._skipping = False

    def _gather(self, piece: bytes) -> None:
        if self._skipping:
            return
        if len(self._partial) + len(piece) > _MAX_ENCODED:
            self._partial.clear()
            self._skipping = True
        else:
            self._partial += piece

    def _close(self, frames: list[Frame]) -> None:
        if self._skipping:
            self._skipping = False
            self.rejected += 1
            return
        if not self._partial:
            return
        encoded = bytes(self._partial)
        self._partial.clear()
        try:
            frames.append(decode(encoded))
        except FrameError:
            # Noise on a cable is no event of the program: it is counted, and the sender repeats.
            self.rejected += 1
