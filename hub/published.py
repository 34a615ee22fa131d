"""What the publisher knows of the published head besides the head: the store's revisions, and ages.

The notes lie in a small file beside the head. They are written before it, of the head that is
there and of the one that comes, so that they are right whichever a power cut leaves. Missing or
damaged, they cost a comparison of everything, and ages begin anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cache.replica.durable import write_durably
from cache.replica.head import Blob, Dataset, Head

_DIGEST_CHARACTERS = 32
_DOCUMENTS = ("documents", "orders")
"""All documents are made of two parts of the store; each has its revision."""


class Note(msgspec.Struct, frozen=True):
    """Of one dataset as one head names it.

    `revision` is the store's of what it says, None where nobody counts. The others are moments, in
    ns since the Unix epoch, or 0: since when the base serves, the oldest inline change waits, the
    oldest delta that is no day's is there, and the following base is named. The first `days` of
    the deltas are whole days'; `changed` is how many rows all deltas speak of. `snapshot` is the
    following base's.
    """

    revision: int | None = None
    based_ns: int = 0
    waiting_ns: int = 0
    hours_ns: int = 0
    following_ns: int = 0
    days: int = 0
    changed: int = 0
    snapshot: Blob | None = None


class Notes(msgspec.Struct):
    """All notes: by name and by what stands for the content, and since when files are not named."""

    said: dict[str, dict[str, Note]] = msgspec.field(default_factory=dict)
    retired: dict[str, int] = msgspec.field(default_factory=dict)

    def of(self, head: Head | None) -> dict[str, Note]:
        """Return the notes of what this head names, by name."""
        contents = {} if head is None else _contents(head)
        found = {name: self.said.get(name, {}).get(stands) for name, stands in contents.items()}
        return {name: note for name, note in found.items() if note is not None}


class NotesFile:
    """Where the notes lie."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Notes:
        """Return the notes, empty ones if there are none that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Notes)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return Notes()

    def write(self, notes: Notes) -> None:
        """Replace the notes.

        :raises OSError: if the file cannot be written.
        """
        write_durably(self._path, msgspec.json.encode(notes))


def noted(
    before: Head | None, known: Mapping[str, Note], head: Head, new: Mapping[str, Note]
) -> dict[str, dict[str, Note]]:
    """Return what to note of two heads, one of which will be there after a power cut."""
    said: dict[str, dict[str, Note]] = {}
    for one, notes in ((before, known), (head, new)):
        for name, stands in ({} if one is None else _contents(one)).items():
            if name in notes:
                said.setdefault(name, {})[stands] = notes[name]
    return said


def _contents(head: Head) -> dict[str, str]:
    """Return what stands for each dataset's content; for all documents together, their hashes."""
    documents = "".join(f"{name}={d.name};" for name, d in sorted(head.documents.items()))
    return {name: _digest(d) for name, d in head.datasets.items()} | dict.fromkeys(
        _DOCUMENTS, hashlib.sha256(documents.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    )


def _digest(dataset: Dataset) -> str:
    packed = msgspec.msgpack.encode(dataset)
    return hashlib.sha256(packed).hexdigest()[:_DIGEST_CHARACTERS]
