"""Codes that come in parts: which part one symbol is of a whole."""

from __future__ import annotations

import msgspec

MAX_PARTS = 16
"""A structured append counts its symbols in 4 bits (ISO/IEC 18004, 8)."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """What a symbol says of its place in a sequence: the `index`-th, from 0, of `count`.

    `id` tells sequences apart; for a QR code it is the parity of the whole message (0 to 255).
    """

    index: int
    count: int
    id: str
