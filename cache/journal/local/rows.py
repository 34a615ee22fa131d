"""A checksum in every row: SQLite has none, and a bit that turned over must not become a count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import google_crc32c
import msgspec

_pack = msgspec.msgpack.Encoder().encode


def with_crc(*columns: Any) -> tuple[Any, ...]:
    """Return a row's columns and, as the last one, their CRC32C."""
    return (*columns, _crc(columns))


def checked(row: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the columns of a row that `with_crc` made, None if it is not that row any more."""
    *columns, crc = row
    return tuple(columns) if crc == _crc(tuple(columns)) else None


def _crc(columns: tuple[Any, ...]) -> int:
    return cast("int", google_crc32c.value(_pack(columns)))
