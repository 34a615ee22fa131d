"""`stamps.csv`: what a recording's folder says of its frames.

One row per frame in order of capture, under the header
`file,captured_ns,sequence,encoding,width_px,height_px,clear`. Older recordings have no
last column: none of them was blurred.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated

import msgspec

from scanner.camera.port import Encoding
from scanner.errors import CameraError

STAMPS_FILE = "stamps.csv"
MAX_RECORDED_FRAMES = 1_000_000
_MAX_STAMPS_BYTES = 128 << 20

ALL_CLEAR = "all"
"""What `Stamp.clear` says of a frame that was recorded as it was captured."""
Point = tuple[int, int]
Region = tuple[Point, ...]
"""The corners of a convex part of a picture, in pixels."""


class Stamp(msgspec.Struct, frozen=True):
    """One row of `stamps.csv`: one frame without its pixels.

    `clear` is `all`, or names the regions outside of which the frame was blurred, as
    `x y x y x y;x y …`: none if it is empty.
    """

    file: str
    captured_ns: int
    sequence: int
    encoding: Encoding
    width_px: int
    height_px: int
    clear: Annotated[str, msgspec.Meta(pattern=r"^(all|[0-9 ;]{0,8000})$")] = ALL_CLEAR

    @property
    def blurred(self) -> bool:
        """Whether anything in the frame was made unrecognisable."""
        return self.clear != ALL_CLEAR


_COLUMNS = Stamp.__struct_fields__
_COLUMNS_BEFORE = _COLUMNS[:-1]


def header() -> bytes:
    """Return the first line of the file."""
    return ",".join(_COLUMNS).encode() + b"\n"


def line(stamp: Stamp) -> bytes:
    """Return one frame's line."""
    return (
        f"{stamp.file},{stamp.captured_ns},{stamp.sequence},{stamp.encoding.value},"
        f"{stamp.width_px},{stamp.height_px},{stamp.clear}\n"
    ).encode()


def written(regions: Iterable[Region]) -> str:
    """Return regions as `Stamp.clear` has them.

    >>> written([((8, 9), (20, 9), (20, 30)), ((0, 0), (5, 0), (5, 5))])
    '8 9 20 9 20 30;0 0 5 0 5 5'
    """
    return ";".join(" ".join(f"{x} {y}" for x, y in region) for region in regions)


def is_recording(folder: Path) -> bool:
    """Return whether `folder` claims to hold a recording; `RecordedCamera.open` judges it."""
    return (folder / STAMPS_FILE).is_file()


def read_stamps(folder: Path) -> list[Stamp]:
    """Return the recording's stamps, ascending; file names stay inside the folder.

    :raises CameraError: there are none, or they are malformed, out of order or too many.
    """
    path = folder / STAMPS_FILE
    try:
        if path.stat().st_size > _MAX_STAMPS_BYTES:
            raise _unusable(folder, "its stamps file is oversized")
        with path.open(newline="", encoding="utf-8") as file:
            stamps = list(_stamps(file))
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise _unusable(folder, f"{STAMPS_FILE} is not text") from error
    except ValueError as error:
        raise _unusable(folder, str(error)) from error
    if not 0 < len(stamps) <= MAX_RECORDED_FRAMES:
        many = f"more than {MAX_RECORDED_FRAMES}" if stamps else "no"
        raise _unusable(folder, f"it holds {many} frames")
    for earlier, later in pairwise(stamps):
        if later.captured_ns < earlier.captured_ns or later.sequence <= earlier.sequence:
            raise _unusable(folder, f"{later.file} was captured before {earlier.file}")
    if any(Path(s.file).name != s.file or s.file in {"", ".", ".."} for s in stamps):
        raise _unusable(folder, "a frame lies outside the folder")
    return stamps


def _stamps(file: Iterable[str]) -> Iterator[Stamp]:
    rows = csv.reader(file)
    try:
        columns = _columns(next(rows, []))
        for row in islice(rows, MAX_RECORDED_FRAMES + 1):
            yield _stamp(columns, row)
    except UnicodeDecodeError:
        raise
    except (csv.Error, ValueError) as error:
        msg = f"line {rows.line_num} of {STAMPS_FILE}: {error}"
        raise ValueError(msg) from error


def _columns(row: list[str]) -> tuple[str, ...]:
    columns = tuple(row)
    if columns not in (_COLUMNS, _COLUMNS_BEFORE):
        msg = f"the columns are not {','.join(_COLUMNS)}"
        raise ValueError(msg)
    return columns


def _stamp(columns: tuple[str, ...], row: list[str]) -> Stamp:
    if len(row) != len(columns):
        msg = f"{len(row)} values, {len(columns)} wanted"
        raise ValueError(msg)
    values = dict(zip(columns, row, strict=True))
    try:
        return msgspec.convert(values, Stamp, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$.", "`")) from error


def _unusable(folder: Path, why: str) -> CameraError:
    msg = f"{folder} holds no recording that can be played: {why}"
    return CameraError(msg, hint="name a folder that was recorded whole")
