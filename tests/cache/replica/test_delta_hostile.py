"""Whatever stands in place of a delta file: an error of this package, or a delta within bounds."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
import zstandard

from cache.errors import DeltaError
from cache.replica.delta import (
    MAX_DELTA_ROWS,
    MAX_UNPACKED_BYTES,
    MAX_WINDOW_BYTES,
    Delta,
    read_delta,
)
from cache.replica.layout import CREDENTIALS_1, PERSONS_3, Layout
from cache.replica.table import Table
from tests.cache.replica.tables import BASE, delta_file, segment_of

ROWS = 40
BASE_ROWS = {n << 40: (n % 3).to_bytes(16, "little") for n in range(1, ROWS + 1)}
CHANGES: dict[int, bytes | None] = {
    1 << 40: bytes(15) + b"\xab",
    2 << 40: b"\x07" + bytes(15),
    9 << 40: (5 << 30).to_bytes(16, "little"),
    13 << 40: b"\xff" * 16,
    20 << 40: None,
    33 << 50: b"\x55" * 16,
    44 << 50: b"\xaa" * 16,
}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return Table(segment_of(tmp_path_factory.mktemp("base"), BASE_ROWS, PERSONS_3))


@pytest.fixture(scope="module")
def file(table: Table) -> bytes:
    first = read(delta_file(table, {55 << 50: bytes(16)}, 1), through=1)
    return delta_file(table.with_deltas([first], {}), CHANGES | {55 << 50: None}, 2)


def read(
    data: bytes, after: int = 0, through: int = 2, layout: Layout[Any] = PERSONS_3, rows: int = ROWS
) -> Delta:
    return read_delta(data, base=BASE, layout=layout, rows=rows, after=after, through=through)


def unpacked(file: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(file)


def packed(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(body)


def flips(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        for bit in range(8):
            yield data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def bounded(data: bytes, table: Table) -> bool:
    """Return whether the data is a delta; it is then one within bounds, and look-ups end."""
    try:
        delta = read(data, after=1)
    except DeltaError:
        return False
    for ranks in (delta.ranks, delta.removed, delta.shared):
        assert np.all(np.diff(ranks.astype(np.int64)) > 0)
        assert not len(ranks) or ranks[-1] < ROWS
    assert len(delta.values) == len(delta.masks) == len(delta.ranks)
    assert len(delta.records) == len(delta.keys)
    assert not len(delta.masks) or int(delta.masks.max()) < 128
    later = Table(table.segment, [delta], overlay=None, after=1)
    for key in CHANGES:
        record = later.find(key)
        assert record is None or len(record) == 16
    return True


def test_every_truncation_is_refused(file: bytes, table: Table) -> None:
    assert bounded(file, table)
    assert not any(bounded(file[:size], table) for size in range(len(file)))
    assert not bounded(file + b"\0", table)
    body = unpacked(file)
    assert not any(bounded(packed(body[:size]), table) for size in range(len(body)))
    assert not bounded(packed(body + b"\xc0"), table)


def test_no_flipped_bit_of_the_file_gives_more_than_an_error(file: bytes, table: Table) -> None:
    for data in flips(file):
        bounded(data, table)


def test_no_flipped_bit_of_what_is_packed_gives_more_than_an_error(
    file: bytes, table: Table
) -> None:
    outcomes = [bounded(packed(body), table) for body in flips(unpacked(file))]
    assert not all(outcomes)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x28\xb5\x2f\xfd",
        bytes(4_096),
        struct.pack("<II", 0x184D2A50, 8) + bytes(8),
        zstandard.ZstdCompressor(level=1).compress(bytes(MAX_UNPACKED_BYTES + 1)),
        zstandard.ZstdCompressor(write_content_size=False).compress(bytes(99)),
        zstandard.ZstdCompressor().compress(b""),
        # Nesting, and counts of what does not follow.
        packed(b"\x91" * 5_000_000),
        packed(b"\x81\xa7version" + b"\x81\xa1a" * 5_000_000),
        packed(b"\x81\xa7changed\xdd\xff\xff\xff\xff"),
        packed(b"\x81\xa7changed\xdd\x00\x00\x00\x7f"),
        packed(b"\x81\xa5added\xc6\xff\xff\xff\xff"),
        packed(b"\xdf\xff\xff\xff\xff"),
        packed(b"\xdd\xff\xff\xff\xff"),
        packed(b"\x81\xa7version\xc9\xff\xff\xff\xff\x01"),
        packed(b"\xc1"),
    ],
    ids=lambda data: f"{len(data)}-bytes",
)
def test_bombs_are_refused_before_memory_is_set_aside(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DeltaError):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


def test_a_frame_that_holds_more_than_it_says_is_refused() -> None:
    frame = bytearray(zstandard.ZstdCompressor(level=1).compress(bytes(5_000)))
    size = zstandard.get_frame_parameters(bytes(frame)).content_size
    at = bytes(frame).index((size - 256).to_bytes(2, "little"))
    frame[at : at + 2] = (100).to_bytes(2, "little")
    with pytest.raises(DeltaError):
        read(bytes(frame))


@pytest.mark.parametrize("log", [23, 24, 31])
def test_a_window_beyond_the_limit_is_never_set_aside(log: int) -> None:
    # Frame header, window, content size, and one last block that repeats a byte 999 times.
    frame = b"\x28\xb5\x2f\xfd\x80" + bytes([log - 10 << 3]) + (999).to_bytes(4, "little")
    frame += (999 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"\x80"
    assert zstandard.get_frame_parameters(frame).window_size == 1 << log
    assert MAX_WINDOW_BYTES == 1 << 23
    with pytest.raises(DeltaError, match="window" if log > 23 else "Validation"):
        read(frame)


Edit = Callable[[dict[str, Any]], object]


def planes(keys: list[int]) -> bytes:
    gaps = np.diff(np.array([0, *keys], np.uint64)).astype(">u8")
    return gaps.view(np.uint8).reshape(-1, 8).T.tobytes()


@pytest.mark.parametrize(
    ("reason", "edit"),
    [
        ("version", lambda d: d.update(version=2)),
        ("not on this base", lambda d: d.update(base=bytes(32))),
        ("not on this base", lambda d: d.update(layout=1)),
        ("not on this base", lambda d: d.update(after=0)),
        ("not on this base", lambda d: d.update(through=3)),
        ("not a delta", lambda d: d.update(through=-1)),
        ("not a delta", lambda d: d.update(unknown=1)),
        ("not a delta", lambda d: d.pop("shared")),
        ("not a delta", lambda d: d.update(changed=d["changed"] * 40)),
        ("not a delta", lambda d: d["changed"][0].append(0)),
        ("not a delta", lambda d: d["changed"][0].__setitem__(0, 128)),
        ("not a delta", lambda d: d["changed"][0].__setitem__(0, 0)),
        ("masks", lambda d: d.update(changed=d["changed"][::-1])),
        ("no row", lambda d: d["changed"].insert(0, [1, [b"", b""], [[b"", b""]]])),
        ("not one column", lambda d: d["changed"][0][2].append([b"", b""])),
        ("not one column", lambda d: d["records"].pop()),
        ("twice", lambda d: d["changed"][1].__setitem__(1, d["changed"][0][1])),
        ("does not have", lambda d: d["changed"][0].__setitem__(1, [b"\x28", b""])),
        ("does not have", lambda d: d.update(removed=[b"\xff", b"\xff\xff\xff\xff"])),
        ("shortest", lambda d: d.update(removed=[b"\xff", b"\xfe\0\0\0"])),
        ("cut off", lambda d: d.update(removed=[b"\xff", b"\xff\0\0"])),
        ("cut off", lambda d: d.update(removed=[b"\x01", b"\xff\0\0\0"])),
        ("cut off", lambda d: d["changed"][0][2][0].__setitem__(1, b"\0" * 5)),
        ("does not fit", lambda d: d["changed"][0].__setitem__(2, [[b"", b"\xff\xff\xff\xff"]])),
        ("ascending", lambda d: d["changed"][0].__setitem__(2, [[b"\1\0\0\0\1\0\0\0", b"\0"]])),
        ("table", lambda d: d["changed"][0].__setitem__(2, [[b"\1\0\0", b"\0"]])),
        ("outside", lambda d: d["changed"][0].__setitem__(2, [[b"\1\0\0\0", b"\1"]])),
        ("keys", lambda d: d.update(added=planes([33 << 50, 33 << 50 | 3]))),
        ("keys", lambda d: d.update(added=planes([1 << 63]) * 2)),
        ("keys", lambda d: d.update(added=b"\xff" * 16)),
        ("cut off", lambda d: d.update(added=d["added"][:-1])),
        ("cut off", lambda d: d.update(added=planes([1 << 50]))),
        ("both", lambda d: d.update(dropped=d["added"])),
        ("both", lambda d: d.update(removed=d["changed"][0][1])),
        (
            f"more than {MAX_DELTA_ROWS}",
            lambda d: d.update(dropped=bytes(8 * (MAX_DELTA_ROWS + 1))),
        ),
        (f"more than {MAX_DELTA_ROWS}", lambda d: d.update(shared=[bytes(MAX_DELTA_ROWS), b""])),
    ],
)
def test_what_contradicts_itself_or_its_base_is_refused(
    reason: str, edit: Edit, file: bytes
) -> None:
    body = msgpack.unpackb(unpacked(file))
    edit(body)
    with pytest.raises(DeltaError, match=reason):
        read(packed(msgpack.packb(body)), after=1)


def test_bits_that_a_plain_layout_does_not_have_are_refused(tmp_path: Path) -> None:
    table = Table(segment_of(tmp_path, {8: bytes(3)}, CREDENTIALS_1))
    body = msgpack.unpackb(unpacked(delta_file(table, {8: b"\1\0\0"}, 2)))
    assert read(packed(msgpack.packb(body)), layout=CREDENTIALS_1, rows=1).rows == 1
    for column, reason in (
        ([b"", b"\1\0\x10"], "does not have"),
        ([b"", b"\1\0"], "cut off"),
        ([bytes(4), b"\1\0\0"], "cut off"),
    ):
        body["changed"][0][2] = [column]
        with pytest.raises(DeltaError, match=reason):
            read(packed(msgpack.packb(body)), layout=CREDENTIALS_1, rows=1)
    body["changed"][0][0] = 2
    with pytest.raises(DeltaError, match="groups"):
        read(packed(msgpack.packb(body)), layout=CREDENTIALS_1, rows=1)
