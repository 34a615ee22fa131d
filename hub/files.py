"""The files that heads name: each written whole under its own name, kept while it may be fetched.

| folder       | file                | named by                                           |
|--------------|---------------------|----------------------------------------------------|
| `segments/`  | `<root>.segment`    | its Merkle root: a dataset's base                  |
| `snapshots/` | `<sha256>.snapshot` | the same rows, packed for the wire                 |
| `deltas/`    | `<sha256>.delta`    | what has changed since                             |
| `recipes/`   | `<sha256>.recipe`   | how a base becomes the next one                    |
| `documents/` | `<sha256>.document` | what else gates are told: orders, trust lists      |
| `.keys/`     | `<root>.keys`       | all bits of a base's keys: the publisher's own     |
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from cache.errors import DeltaError
from cache.replica.build import Built, write_rows
from cache.replica.column_types import Keys
from cache.replica.delta import Delta, read_delta
from cache.replica.durable import rename_durably, sync, write_durably
from cache.replica.head import Blob, Dataset, DeltaFile
from cache.replica.layout import layout_of
from cache.replica.segment import Segment
from cache.replica.snapshot_write import write_snapshot
from cache.replica.source import FileKind, path_of
from hub.rows import Rows

KEPT_NS = 2 * 3600 * 1_000_000_000
"""How long a file stays that no head names any more: a slow download may be under way."""
SMALL_BYTES = 1 << 18
"""A base smaller than this is fetched as it is, and built anew rather than followed by deltas."""
_PUBLIC = 0o644
_KEYS = ".keys"
_DIGEST_BYTES = 32


class ReplicaFiles:
    """The files beneath one `replica/` folder. Its methods block, and raise `OSError`."""

    def __init__(self, folder: Path, hash_key_id: bytes) -> None:
        self.folder = folder
        self._hash_key_id = hash_key_id

    def create(self) -> None:
        """Make the folders."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for kind in FileKind:
            self.path(kind, "").parent.mkdir(exist_ok=True)
        (self.folder / _KEYS).mkdir(mode=0o700, exist_ok=True)

    def path(self, kind: FileKind, name: str) -> Path:
        """Return where a file is."""
        return self.folder / path_of(kind, name)

    def write(self, kind: FileKind, data: bytes) -> Blob:
        """Keep these bytes under their SHA-256. The same bytes may be there already."""
        blob = Blob(hashlib.sha256(data).digest(), len(data))
        write_durably(self.path(kind, blob.name), data, mode=_PUBLIC)
        return blob

    def build(self, name: str, rows: Rows) -> Dataset:
        """Write a base of these rows.

        :param name: the dataset's: of those that are being built at once, each has its own.
        :raises BuildError: if the rows do not become a segment.
        """
        part = self.part(name)
        try:
            built = write_rows(part, rows.layout, rows.keys, rows.records, self._hash_key_id)
            return self.take(part, built, rows.keys)
        finally:
            part.unlink(missing_ok=True)

    def part(self, name: str) -> Path:
        """Return where a base of this dataset may be written before it has a name."""
        return self.path(FileKind.SEGMENT, name.replace("/", "+")).with_suffix(".part")

    def take(self, part: Path, built: Built, keys: Keys) -> Dataset:
        """Give a written base its name, with all bits of its keys beside it, and pack it."""
        part.chmod(_PUBLIC)
        sync(part)
        data = keys.astype("<u8").tobytes()
        write_durably(self._keys(built.root), data + hashlib.sha256(data).digest())
        path = self.path(FileKind.SEGMENT, built.root.hex())
        rename_durably(part, path)
        dataset = Dataset(built.root, built.size, built.rows, built.layout)
        if built.size < SMALL_BYTES:
            return dataset
        return msgspec.structs.replace(dataset, snapshot=self._snapshot(path, part))

    def _snapshot(self, segment: Path, part: Path) -> Blob:
        part = part.with_suffix(".packed")
        try:
            blob = write_snapshot(Segment.open(segment), part)
            part.chmod(_PUBLIC)
            sync(part)
            path = self.path(FileKind.SNAPSHOT, blob.name)
            rename_durably(part, path)
            return blob
        finally:
            part.unlink(missing_ok=True)

    def keys(self, root: bytes, rows: int) -> Keys:
        """Return the keys of a base by rank, all their bits.

        :raises DeltaError: if they are not there, or damaged.
        """
        try:
            data = np.memmap(self._keys(root), np.uint8, "r")
        except (OSError, ValueError) as error:
            raise DeltaError("the keys of the base are not there") from error
        keys, digest = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:].tobytes()
        if len(keys) != 8 * rows or hashlib.sha256(keys.data).digest() != digest:
            raise DeltaError("the keys of the base are damaged")
        return keys.view("<u8")

    def delta(self, dataset: Dataset, named: DeltaFile) -> Delta:
        """Return one of a dataset's deltas.

        :raises DeltaError: if its file is not the one that is named.
        """
        data = self.path(FileKind.DELTA, named.file.name).read_bytes()
        if hashlib.sha256(data).digest() != named.file.sha256:
            raise DeltaError("the delta is damaged")
        return read_delta(
            data,
            base=dataset.root,
            layout=layout_of(dataset.layout),
            rows=dataset.rows,
            after=named.after,
            through=named.through,
        )

    def prune(self, named: set[str], retired: dict[str, int], now_ns: int) -> None:
        """Remove what no head has named for so long that nobody may be fetching it.

        :param named: the files that are named now.
        :param retired: since when a file is not named any more; brought up to date.
        """
        there = set()
        for kind in FileKind:
            folder = self.path(kind, "").parent
            there |= {f"{folder.name}/{path.name}" for path in folder.glob(f"*.{kind}")}
        there |= {f"{_KEYS}/{path.name}" for path in (self.folder / _KEYS).glob("*.keys")}
        for file in there - named:
            if now_ns - retired.setdefault(file, now_ns) > KEPT_NS:
                with suppress(FileNotFoundError):
                    (self.folder / file).unlink()
                there.discard(file)
        for file in retired.keys() - (there - named):
            del retired[file]

    def _keys(self, root: bytes) -> Path:
        return self.folder / _KEYS / f"{root.hex()}.keys"


def files_of(dataset: Dataset) -> set[str]:
    """Return the files that a head names with this dataset, and the publisher's own beside them."""
    named = {path_of(FileKind.SEGMENT, dataset.name), f"{_KEYS}/{dataset.name}.keys"}
    named |= {path_of(FileKind.DELTA, delta.file.name) for delta in dataset.deltas}
    if dataset.snapshot:
        named.add(path_of(FileKind.SNAPSHOT, dataset.snapshot.name))
    if dataset.following:
        root = dataset.following.root.hex()
        named |= {path_of(FileKind.SEGMENT, root), f"{_KEYS}/{root}.keys"}
        named.add(path_of(FileKind.RECIPE, dataset.following.recipe.name))
    return named
