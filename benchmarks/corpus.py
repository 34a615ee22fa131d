"""Photographs to measure decoders on, and what is known of them.

A corpus is a folder with one folder for each set, and in it `manifest.json`: `items`, each with
`file`, `cat`, `n_codes`, the `texts` that are truly in the picture as far as anybody could read
them, and `unsure` ones that count neither way. An item with `skip` is left out.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import cv2
import msgspec
import numpy as np

from benchmarks.errors import CorpusError
from scanner.camera.port import Gray

MANIFEST = "manifest.json"
LONGEST_SIDE_PX = 1920
"""Photographs are brought down to a camera's frame before any clock starts."""


class Item(msgspec.Struct, frozen=True):
    """One picture of a manifest."""

    file: str
    cat: str
    n_codes: int
    texts: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    skip: bool = False


class Manifest(msgspec.Struct, frozen=True):
    """What `manifest.json` holds, as far as it is used here."""

    items: tuple[Item, ...]


class Photograph(msgspec.Struct, frozen=True):
    """One picture of a corpus. `name` is its path under the corpus's folder."""

    path: Path
    name: str
    category: str
    codes: int
    texts: tuple[str, ...]
    unsure: tuple[str, ...]

    @property
    def readable(self) -> bool:
        """Whether somebody has read a code in it."""
        return bool(self.texts)


def photographs(corpus: Path, sets: Collection[str] = ()) -> list[Photograph]:
    """Return the pictures of all sets of a corpus, or of the named ones, in a fixed order.

    :raises CorpusError: a set is not there, a manifest is malformed, or there are no pictures.
    """
    found = sorted(path.parent.name for path in corpus.glob(f"*/{MANIFEST}"))
    if missing := sorted(set(sets) - set(found)):
        msg = f"the corpus has no set {', '.join(missing)}"
        raise CorpusError(msg, hint=f"sets of {corpus}: {', '.join(found) or 'none'}")
    chosen = [
        photograph
        for name in found
        if not sets or name in sets
        for photograph in _set(corpus / name)
    ]
    if not chosen:
        msg = f"no photographs in {corpus}"
        raise CorpusError(msg, hint=f"it needs a folder for each set, with a {MANIFEST}")
    return chosen


def _set(folder: Path) -> list[Photograph]:
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (msgspec.DecodeError, OSError) as error:
        msg = f"{folder / MANIFEST} cannot be used: {error}"
        raise CorpusError(msg) from error
    return [
        Photograph(
            folder / item.file,
            f"{folder.name}/{item.file}",
            folder.name if item.cat == folder.name else f"{folder.name}/{item.cat}",
            item.n_codes,
            item.texts,
            item.unsure,
        )
        for item in manifest.items
        if not item.skip
    ]


def picture(photograph: Photograph) -> Gray:
    """Return the photograph in gray, its longest side brought down to `LONGEST_SIDE_PX`.

    :raises CorpusError: the file is not there, or no picture.
    """
    try:
        read = cv2.imread(str(photograph.path), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        msg = f"{photograph.path} is no picture: {error}"
        raise CorpusError(msg) from error
    if read is None:
        msg = f"{photograph.path} is no picture"
        raise CorpusError(msg)
    scale = LONGEST_SIDE_PX / max(read.shape)
    if scale < 1:
        read = cv2.resize(read, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(read, np.uint8)
