"""All that a dataset is to say, as columns. Needs numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
from numpy.typing import NDArray

from cache.replica.column_types import Keys
from cache.replica.layout import Layout

Progress = Callable[[int], None]
"""Called with how much is done, now and then and at the end."""


class Rows(msgspec.Struct, frozen=True):
    """All rows of one dataset: keys ascending, each once, and a record for each.

    `records` are n × record_bytes bytes, or, of a coded layout, n × 2 words of 64 bits.
    """

    layout: Layout[Any]
    keys: Keys
    records: NDArray[Any]


class Source(Protocol):
    """Where all rows of some datasets come from: a register, or everybody on record."""

    @property
    def names(self) -> tuple[str, ...]:
        """The datasets that it is the whole of."""
        ...

    @property
    def revision(self) -> int | None:
        """The store's revision of what is read, or None where nobody counts."""
        ...

    def rows(
        self, hash_key: bytes, scratch: Path, progress: Progress | None
    ) -> Iterator[tuple[str, Rows]]:
        """Yield each dataset's rows. Those of one should be let go before the next are drawn.

        :param scratch: a folder for files that go at the end.
        :param progress: called with the identifiers taken so far.
        :raises LayoutError: if a record does not fit its layout.
        :raises BuildError: if two records of one identifier contradict each other.
        """
        ...
