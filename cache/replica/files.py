"""The files of one appliance's replica: what is here, what is missing, what may go.

<root>.segment      the rows of a dataset's base
<root>.leaves       its leaf hashes: damage at rest is confined to its leaf, and mended
<sha256>.delta      what has changed since, of each delta that a kept head names
<sha256>.document   a document
….part              a download under way: the next one goes on behind it
….tmp               something being written: worthless after a restart
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from cache.errors import SegmentError, StoreError
from cache.replica.contents import Contents
from cache.replica.download import LEAVES, PART, File, Part, keep, store_error
from cache.replica.durable import TEMPORARY, make_directory, remove
from cache.replica.generation import Generation
from cache.replica.head import Dataset, Document, Head
from cache.replica.heal import damaged_leaves, mend, signed_leaves, stored_leaves
from cache.replica.merkle import merkle_root
from cache.replica.regular import open_regular
from cache.replica.source import FileKind

RESERVED_BYTES = 64 << 20
"""Free space that a download never takes: the journal lives on the same medium."""
_OURS = frozenset({LEAVES, PART, *(f".{kind}" for kind in FileKind)})


class Missing(msgspec.Struct, frozen=True):
    """What of a release is not here, complete and sound: each file once."""

    files: tuple[File, ...]
    bases: tuple[Dataset, ...]


class ReplicaFiles:
    """The directory of one appliance's segments, deltas and documents. Its methods block."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def prepare(self) -> None:
        """Create the directory, and remove what was being written when the machine stopped.

        :raises OSError: if that fails.
        """
        make_directory(self.directory)
        for stray in self.directory.glob("*" + TEMPORARY):
            remove(stray)

    def missing(self, contents: Contents, active: Generation | None) -> Missing:
        """Return what of these contents is not here.

        :param active: what serves; its sound parts are not looked at on the disk.
        """
        bases = {}
        files = {}
        for dataset in contents.datasets.values():
            serving = active.sound(dataset) if active else None
            if serving is None and not self.holds(File.of(FileKind.SEGMENT, dataset)):
                bases[dataset.name] = dataset
            for delta in dataset.deltas:
                if serving is None or delta not in serving.dataset.deltas:
                    files[delta.file.name] = File.of(FileKind.DELTA, delta.file)
        for document in contents.documents.values():
            if active is None or active.document(document) is None:
                files[document.name] = File.of(FileKind.DOCUMENT, document)
        absent = [file for file in files.values() if not self.holds(file)]
        return Missing(tuple(absent), tuple(bases.values()))

    def holds(self, file: File) -> bool:
        """Return whether a file lies here complete, every byte as its head says."""
        try:
            if file.kind is FileKind.SEGMENT:
                digest = merkle_root(stored_leaves(self.directory, file))
            else:
                with open_regular(file.within(self.directory)) as opened:
                    digest = hashlib.file_digest(opened, "sha256").digest()
        except OSError:
            return False
        return digest.hex() == file.name

    def receive(self, file: File) -> Part:
        """Return the open file that a download goes into; use it as a context manager.

        :raises StoreError: if there is no room or the file cannot be created.
        """
        part = Part(self.directory, file)
        try:
            self.require_room(file.size - part.written)
        except StoreError:
            part.close()
            raise
        return part

    def require_room(self, size: int) -> None:
        """Return if so many bytes fit beside what the journal needs.

        :raises StoreError: if they do not.
        """
        try:
            free = shutil.disk_usage(self.directory).free
        except OSError as error:
            raise store_error("measure the free space", error) from error
        if free < size + RESERVED_BYTES:
            msg = f"{size} bytes do not fit: {free} are free, {RESERVED_BYTES} reserved"
            raise StoreError(msg, hint="free space on the appliance's disk")

    def damaged_leaves(self, segment: File) -> list[int] | None:
        """Return which leaves of a stored segment are damaged; None if it cannot be mended."""
        return damaged_leaves(self.directory, segment)

    def signed_leaves(self, segment: File) -> list[bytes] | None:
        """Return the hashes of a segment's leaves, if they are kept here."""
        return signed_leaves(self.directory, segment)

    def mend(self, segment: File, leaves: Mapping[int, bytes]) -> int:
        """Put fetched leaves into a stored segment; return how many pages came to differ.

        :raises SegmentError: if what came of it is not the signed one.
        :raises StoreError: if there is no room, or it cannot be written.
        """
        self.require_room(segment.size)
        try:
            return mend(self.directory, segment, leaves)
        except OSError as error:
            raise store_error("mend a segment", error) from error

    def keep_segment(self, path: Path, file: File) -> None:
        """Give a segment that was made here its name, if it is this one; else remove it.

        :raises SegmentError: if it is another one.
        :raises StoreError: if it cannot be made durable.
        """
        try:
            try:
                keep(path, self.directory, file)
            except SegmentError:
                remove(path)
                raise
        except OSError as error:
            raise store_error("keep a segment", error) from error

    def discard(self, file: File) -> None:
        """Have nothing under a file's name.

        :raises StoreError: if it cannot be removed.
        """
        try:
            remove(file.within(self.directory))
        except OSError as error:
            raise store_error("remove a file", error) from error

    def drop_parts(self, contents: Contents) -> None:
        """Remove downloads under way of files that these contents do not name.

        :raises StoreError: if a file cannot be removed.
        """
        wanted = names_of(contents.datasets.values(), contents.documents)
        try:
            for path in self.directory.glob("*" + PART):
                if path.name.partition(".")[0] not in wanted:
                    remove(path)
        except OSError as error:
            raise store_error("remove an old download", error) from error

    def prune(self, heads: Iterable[Head]) -> None:
        """Remove files that none of these heads names. A mapped one lives until it is let go.

        :raises StoreError: if a file cannot be removed.
        """
        kept = set[str]()
        for head in heads:
            kept |= names_of(head.datasets.values(), head.documents)
        try:
            for path in self.directory.iterdir():
                if path.suffix in _OURS and path.name.partition(".")[0] not in kept:
                    remove(path)
        except OSError as error:
            raise store_error("remove an old file", error) from error


def names_of(datasets: Iterable[Dataset], documents: Mapping[str, Document]) -> set[str]:
    """Return the names of all files that these stand for."""
    names = {document.name for document in documents.values()}
    for dataset in datasets:
        names.add(dataset.name)
        names |= {delta.file.name for delta in dataset.deltas}
        names |= {dataset.snapshot.name} if dataset.snapshot else set()
        if dataset.following is not None:
            names |= {dataset.following.name, dataset.following.recipe.name}
    return names
