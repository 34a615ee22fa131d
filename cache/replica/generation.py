"""One release as this gate serves it: what was opened of it, and what is missing."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cache.errors import ReplicaError, SegmentError
from cache.replica.activate import open_stored, open_tested, read_file, table_of
from cache.replica.contents import Contents
from cache.replica.download import File
from cache.replica.head import Dataset, Document, SignedHead
from cache.replica.names import PERSONS, kind_of
from cache.replica.source import FileKind
from cache.replica.table import Table


class Serving(msgspec.Struct, frozen=True):
    """A dataset that answers, as its head named it."""

    dataset: Dataset
    table: Table


class Generation(msgspec.Struct, frozen=True):
    """One release that may answer: its signed head and what was opened of its contents.

    `segments` holds None for a dataset that cannot be used; `documents` holds the bytes of those
    that are sound. Only a generation from the disk lacks any.
    """

    signed: SignedHead
    contents: Contents
    segments: dict[str, Table | None]
    documents: dict[str, bytes]

    @property
    def named_documents(self) -> dict[str, bytes]:
        """The bytes of every document that its head names, empty for one that is not here.

        No document is empty. Whoever reads them has to know that there is one: a revocation or an
        order that is not here is not one that was lifted.
        """
        return dict.fromkeys(self.contents.documents, b"") | self.documents

    @property
    def bases(self) -> dict[str, Table | None]:
        """Its bases alone, without what has changed since."""
        return {
            name: None if table is None else Table(table.segment)
            for name, table in self.segments.items()
        }

    @property
    def damaged_pages(self) -> int:
        """Damaged pages found in its segments."""
        return sum(s.damaged_pages for s in self.segments.values() if s is not None)

    @property
    def numbers(self) -> dict[str, int]:
        """The number of the last change that counts, by kind of dataset."""
        return {kind_of(name): d.through for name, d in self.contents.datasets.items()}

    @property
    def missing(self) -> int:
        """How many datasets and documents are not here."""
        closed = sum(segment is None for segment in self.segments.values())
        return closed + len(self.contents.documents) - len(self.documents)

    @property
    def complete(self) -> bool:
        """Whether every dataset and document is here."""
        return not self.missing

    def sound(self, dataset: Dataset) -> Serving | None:
        """Return what answers over a dataset's base, if no page of it was found damaged."""
        for name, table in self.segments.items():
            named = self.contents.datasets[name]
            if table is not None and _base(named) == _base(dataset):
                return None if table.damaged_pages else Serving(named, table)
        return None

    def document(self, document: Document) -> bytes | None:
        """Return the bytes of a document that it holds."""
        for name, data in self.documents.items():
            if self.contents.documents[name] == document:
                return data
        return None


def opened(
    directory: Path,
    signed: SignedHead,
    contents: Contents,
    hash_key_id: bytes,
    active: Generation | None,
) -> Generation:
    """Return the generation of a head all of whose files are here; what serves already stays open.

    :raises SegmentError: if a segment, delta or document is not sound.
    :raises DeltaError: if what has changed since a base is not what its head says.
    :raises LayoutError: if a record layout is unknown here.
    """
    segments: dict[str, Table | None] = {}
    for name, dataset in contents.datasets.items():
        kept = active.sound(dataset) if active else None
        table = kept.table if kept else Table(open_tested(directory, dataset, hash_key_id))
        applied = kept.dataset.deltas if kept else ()
        segments[name] = _counted(table_of(directory, dataset, table, applied))
    generation = Generation(signed, contents, segments, _documents(directory, contents, active))
    if not generation.complete:
        raise SegmentError("a document is not the one that its head names")
    return generation


def stored(
    directory: Path, signed: SignedHead, contents: Contents, hash_key_id: bytes
) -> tuple[Generation, tuple[ReplicaError, ...]]:
    """Return what is usable of a stored generation at boot, and why the rest is not.

    :raises ReplicaError: if its `persons` are not usable: nobody could be judged by it.
    """
    segments: dict[str, Table | None] = {}
    errors: list[ReplicaError] = []
    for name, dataset in contents.datasets.items():
        try:
            base = Table(open_stored(directory, dataset, hash_key_id))
            segments[name] = _counted(table_of(directory, dataset, base, ()))
        except ReplicaError as error:
            if name == PERSONS:
                raise
            segments[name] = None
            errors.append(error)
    generation = Generation(signed, contents, segments, _documents(directory, contents, None))
    return generation, tuple(errors)


def _counted(table: Table) -> Table:
    """Return it with its rows counted, which reads pages of the base: on the loop, lanes wait."""
    _ = table.rows
    return table


def _base(dataset: Dataset) -> tuple[bytes, int, int, int]:
    return dataset.root, dataset.size, dataset.rows, dataset.layout


def _documents(directory: Path, contents: Contents, active: Generation | None) -> dict[str, bytes]:
    documents: dict[str, bytes] = {}
    for name, document in contents.documents.items():
        data = active.document(document) if active else None
        if data is None:
            data = read_file(directory, File.of(FileKind.DOCUMENT, document))
        if data is not None:
            documents[name] = data
    return documents
