"""What the published head was made from: the store's revisions, so that only changes are built."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cache.replica.durable import write_durably
from cache.replica.head import Head


class _Record(msgspec.Struct, frozen=True):
    """`contents` are the datasets' roots, in hexadecimal, that the revisions belong to."""

    revisions: dict[str, int]
    contents: dict[str, str]


class PublishedRevisions:
    """A small file beside the head. Missing, damaged or out of step, it costs a new build."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, head: Head) -> dict[str, int]:
        """Return the revisions of what this head names."""
        try:
            record = msgspec.json.decode(self._path.read_bytes(), type=_Record)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}
        named = _contents(head)
        return {
            name: revision
            for name, revision in record.revisions.items()
            if record.contents.get(name) == named.get(name)
        }

    def write(self, head: Head, revisions: dict[str, int]) -> None:
        """Note the revisions of what this head names.

        :raises OSError: if the file cannot be written.
        """
        record = _Record(revisions, _contents(head))
        write_durably(self._path, msgspec.json.encode(record))


def _contents(head: Head) -> dict[str, str]:
    """Return what stands for each dataset's content; for all documents together, their hashes."""
    documents = "".join(f"{name}={d.name};" for name, d in sorted(head.documents.items()))
    return {name: d.name for name, d in head.datasets.items()} | {
        "documents": documents,
        "orders": documents,
    }
