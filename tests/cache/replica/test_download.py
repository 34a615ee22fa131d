"""Files on their way in: exactly the declared bytes, gone on with after a break, whole or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cache.errors import SegmentError, SourceError
from cache.replica.download import File, Part
from cache.replica.source import FileKind
from tests.cache.replica.releases import (
    Release,
    a_store,
)


@pytest.fixture
def old(tmp_path: Path) -> Release:
    return Release(tmp_path, 200)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_download_takes_not_one_byte_more_or_less(state: Path, old: Release) -> None:
    store = a_store(state)
    store.open()
    file = File.of(FileKind.SEGMENT, old.dataset)
    with store.files.receive(file) as part:
        part.write(old.bytes[:-1])
        with pytest.raises(SourceError, match="longer"):
            part.write(b"xx")
        with pytest.raises(SegmentError, match="as long"):
            part.finish()
    assert list((state / "segments").iterdir()) == []


def test_a_download_goes_on_behind_what_is_here_and_is_judged_as_a_whole(
    state: Path, old: Release
) -> None:
    store = a_store(state)
    store.open()
    file = File.of(FileKind.SEGMENT, old.dataset)
    with store.files.receive(file) as part:
        part.write(old.bytes[:9_000])
    a_store(state).open()
    with store.files.receive(file) as part:
        assert part.begun_at == 9_000
        part.write(old.bytes[9_000:])
        part.finish()
    assert store.files.holds(file)


@pytest.mark.parametrize("harm", ["flipped", "too long", "a pipe", "a link"])
def test_what_lies_in_place_of_a_download_is_not_gone_on_with(
    state: Path, old: Release, harm: str
) -> None:
    store = a_store(state)
    store.open()
    file = File.of(FileKind.SEGMENT, old.dataset)
    path = state / "segments" / f"{file.name}.segment.part"
    match harm:
        case "flipped":
            path.write_bytes(b"x" + old.bytes[1:9_000])
        case "too long":
            path.write_bytes(old.bytes + b"x")
        case "a pipe":
            os.mkfifo(path)
        case "a link":
            (state / "elsewhere").write_bytes(b"kept")
            path.symlink_to(state / "elsewhere")
    with store.files.receive(file) as part:
        part.write(old.bytes[part.begun_at :])
        if harm == "flipped":
            with pytest.raises(SegmentError):
                part.finish()
        else:
            assert not part.begun_at
            part.finish()
    assert store.files.holds(file) == (harm != "flipped")
    assert not path.exists()
    assert harm != "a link" or (state / "elsewhere").read_bytes() == b"kept"


def test_a_second_part_never_shares_the_first_ones_file(tmp_path: Path, old: Release) -> None:
    with (
        Part(tmp_path, File.of(FileKind.SEGMENT, old.dataset)) as first,
        Part(tmp_path, File.of(FileKind.SEGMENT, old.dataset)) as second,
    ):
        first.write(b"abandoned")
        second.write(old.bytes)
        second.finish()
    assert (tmp_path / f"{old.dataset.name}.segment").read_bytes() == old.bytes
