"""The form that all lists of trusted keys and of revocations share.

One msgpack map, `{"format": "chot-…/1", "entries": […]}`, bounded before a byte of it is believed.
What is wrong with the whole refuses it; what is wrong with one entry is its reader's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from admission.errors import TrustError, WireError
from admission.wire import unpack_bounded

ANEW = "make it anew and put it at the hub: chot hub document put"


class DocumentForm(msgspec.Struct, frozen=True):
    """One kind of document: the name of its format, what it lists in words, and its limits."""

    format: str
    listed: str
    max_bytes: int
    max_entries: int

    def read(self, data: bytes) -> list[Any]:
        """Return the entries, none of them checked.

        :raises TrustError: if the document is oversized, damaged, of another format or too long.
        """
        try:
            content = unpack_bounded(data, self.max_bytes)
        except WireError as error:
            msg = f"not a list of {self.listed}: {error}"
            raise TrustError(msg, hint=ANEW) from error
        entries = content.get("entries") if isinstance(content, dict) else None
        if not isinstance(entries, list) or content.get("format") != self.format:
            msg = f"not a list of {self.listed} of the format {self.format}"
            raise TrustError(msg, hint=ANEW)
        self._check_count(entries)
        return entries

    def write(self, entries: Sequence[Any]) -> bytes:
        """Return the document of these entries.

        :raises TrustError: if gates would not read so much.
        """
        self._check_count(entries)
        data = msgspec.msgpack.encode({"format": self.format, "entries": entries})
        if len(data) > self.max_bytes:
            msg = f"{self.listed} of {len(data):,} bytes are over the limit of {self.max_bytes:,}"
            raise TrustError(msg, hint="leave out what nobody here presents")
        return data

    def _check_count(self, entries: Sequence[Any]) -> None:
        if len(entries) > self.max_entries:
            msg = f"{len(entries):,} {self.listed} are over the limit of {self.max_entries:,}"
            raise TrustError(msg, hint="leave out what nobody here presents")
