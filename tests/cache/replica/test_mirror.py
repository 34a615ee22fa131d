"""Mirrors and their check protect that a release travels whole, and that damage is named."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

from cache.errors import SegmentError, StoreError
from cache.replica import durable
from cache.replica.build import RowSet, write_segment
from cache.replica.contents import Contents
from cache.replica.head import Blob, Dataset, DeltaFile, Document
from cache.replica.layout import WATCH_1
from cache.replica.merkle import LEAF_BYTES
from cache.replica.mirror import write_mirror
from cache.replica.source import FileKind, path_of
from cache.replica.verification import Condition, files_of, verify

DOCUMENT, DELTA = b"orders", b"a delta"


@pytest.fixture
def held(tmp_path: Path) -> tuple[Path, Contents]:
    """A gate's folder of files, and what they are to be."""
    folder = tmp_path / "segments"
    folder.mkdir()
    rows = RowSet(WATCH_1)
    for number in range(60_000):
        rows.add(number * 0x0001_2345_6789_ABCD % (1 << 64), bytes(2))
    built = write_segment(folder / "made", rows, bytes(8))
    (folder / "made").rename(folder / f"{built.root.hex()}.segment")
    (folder / f"{built.root.hex()}.leaves").write_bytes(built.leaves)
    names = {}
    for kind, data in ((FileKind.DOCUMENT, DOCUMENT), (FileKind.DELTA, DELTA)):
        names[kind] = hashlib.sha256(data)
        (folder / f"{names[kind].hexdigest()}.{kind}").write_bytes(data)
    delta = DeltaFile(Blob(names[FileKind.DELTA].digest(), len(DELTA)), 0, 3)
    dataset = Dataset(built.root, built.size, built.rows, built.layout, deltas=(delta,), through=3)
    document = Document(names[FileKind.DOCUMENT].digest(), len(DOCUMENT))
    return folder, Contents({"watch": dataset}, {"orders": document})


def conditions(folder: Path, contents: Contents) -> dict[FileKind, Condition]:
    return {f.file.kind: f.condition for f in verify(folder, contents, lambda size: None)}


def mirrored(folder: Path, contents: Contents, to: Path, metadata: bytes = b"{}") -> None:
    write_mirror(
        to,
        envelope=b"head",
        files=[file for _, file, _ in files_of(contents)],
        source=lambda file: file.within(folder),
        metadata={"1.root.json": metadata},
        progress=lambda size: None,
    )


def test_a_sound_release_is_sound_and_every_byte_is_counted(held: tuple[Path, Contents]) -> None:
    folder, contents = held
    told: list[int] = []
    found = list(verify(folder, contents, told.append))
    assert {finding.condition for finding in found} == {Condition.SOUND}
    assert sum(told) == sum(file.size for _, file, _ in files_of(contents))


def test_damage_is_named_by_its_leaf(held: tuple[Path, Contents]) -> None:
    folder, contents = held
    (path,) = folder.glob("*.segment")
    data = bytearray(path.read_bytes())
    data[3 * LEAF_BYTES + 5] ^= 1
    path.write_bytes(data)
    (found,) = (f for f in verify(folder, contents, lambda size: None) if f.leaves)
    assert (found.name, found.condition, found.leaves) == ("watch", Condition.DAMAGED, (3,))
    path.with_suffix(".leaves").unlink()
    assert conditions(folder, contents)[FileKind.SEGMENT] is Condition.OTHER
    path.unlink()
    assert conditions(folder, contents)[FileKind.SEGMENT] is Condition.MISSING


@pytest.mark.parametrize("kind", [FileKind.DELTA, FileKind.DOCUMENT])
def test_a_file_that_is_another_one_is_named(held: tuple[Path, Contents], kind: FileKind) -> None:
    folder, contents = held
    (path,) = folder.glob(f"*.{kind}")
    path.write_bytes(b"something else")
    assert conditions(folder, contents)[kind] is Condition.OTHER


def test_what_no_file_can_be_read_from_is_named(held: tuple[Path, Contents]) -> None:
    folder, contents = held
    (path,) = folder.glob("*.document")
    path.unlink()
    path.mkdir()
    assert conditions(folder, contents)[FileKind.DOCUMENT] is Condition.UNREADABLE


def test_a_mirror_holds_every_file_where_an_upstream_serves_it(
    held: tuple[Path, Contents], tmp_path: Path
) -> None:
    folder, contents = held
    mirrored(folder, contents, tmp_path / "usb" / "replica")
    for _, file, _ in files_of(contents):
        copy = tmp_path / "usb" / "replica" / path_of(file.kind, file.name)
        assert copy.read_bytes() == file.within(folder).read_bytes()
    assert (tmp_path / "usb" / "replica" / "head").read_bytes() == b"head"
    assert (tmp_path / "usb" / "replica" / "metadata" / "1.root.json").read_bytes() == b"{}"
    assert [path.name for path in (tmp_path / "usb").iterdir()] == ["replica"]


def test_a_damaged_file_makes_no_mirror_and_costs_none(
    held: tuple[Path, Contents], tmp_path: Path
) -> None:
    folder, contents = held
    mirrored(folder, contents, tmp_path / "replica", b"first")
    (path,) = folder.glob("*.delta")
    path.write_bytes(b"another")
    with pytest.raises(SegmentError, match="damaged"):
        mirrored(folder, contents, tmp_path / "replica", b"second")
    assert (tmp_path / "replica" / "metadata" / "1.root.json").read_bytes() == b"first"


def test_a_full_medium_says_so_and_leaves_the_mirror_before(
    held: tuple[Path, Contents], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, contents = held
    mirrored(folder, contents, tmp_path / "replica", b"first")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable.os, "write", full)
    with pytest.raises(StoreError, match="No space left"):
        mirrored(folder, contents, tmp_path / "replica", b"second")
    monkeypatch.undo()
    assert (tmp_path / "replica" / "metadata" / "1.root.json").read_bytes() == b"first"
    mirrored(folder, contents, tmp_path / "replica", b"second")
    assert (tmp_path / "replica" / "metadata" / "1.root.json").read_bytes() == b"second"


@pytest.mark.parametrize("breaks", [KeyboardInterrupt, OSError])
def test_what_was_copied_before_an_end_is_not_left_on_the_medium(
    held: tuple[Path, Contents], tmp_path: Path, breaks: type[BaseException]
) -> None:
    folder, contents = held

    def stop(size: int) -> None:
        raise breaks

    with pytest.raises((KeyboardInterrupt, StoreError)):
        write_mirror(
            tmp_path / "usb" / "replica",
            envelope=b"head",
            files=[file for _, file, _ in files_of(contents)],
            source=lambda file: file.within(folder),
            metadata={},
            progress=stop,
        )
    assert list((tmp_path / "usb").iterdir()) == []


def test_a_file_that_is_not_there_to_copy_is_named_as_such(
    held: tuple[Path, Contents], tmp_path: Path
) -> None:
    folder, contents = held
    (path,) = folder.glob("*.delta")
    path.unlink()
    with pytest.raises(SegmentError, match=r"delta cannot be read: No such file"):
        mirrored(folder, contents, tmp_path / "replica")
