"""What every upstream of a replica does, whether a hub over HTTP or a folder on a medium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.hub_source import HubSource
from cache.errors import ReplicaError, SourceError
from cache.replica.directory_source import DirectorySource
from cache.replica.head import MAX_HEAD_BYTES
from cache.replica.source import FileKind, ReplicaSource, path_of
from tests.hub.doors import a_hub

NAME = "ab" * 32
WHOLE = bytes(range(251)) * 1_500


class Bytes:
    """A sink that keeps what it takes, up to a limit."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.taken = b""
        self._limit = limit

    def write(self, data: bytes, /) -> None:
        if len(self.taken) + len(data) > self._limit:
            raise SourceError("more than declared")
        self.taken += data


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    folder = tmp_path / "replica"
    for kind in FileKind:
        path = folder / path_of(kind, NAME)
        path.parent.mkdir(parents=True)
        path.write_bytes(WHOLE)
    (folder / "metadata").mkdir()
    (folder / "metadata" / "timestamp.json").write_bytes(b"{}")
    (folder / "head").write_bytes(b"one")
    return folder


@pytest.fixture(params=["hub", "folder"])
async def source(request: pytest.FixtureRequest, mirror: Path) -> AsyncIterator[ReplicaSource]:
    if request.param == "folder":
        yield DirectorySource(mirror)
        return
    async with a_hub(mirror) as hub:
        yield HubSource(hub.session, hub.url, timeout_s=2)


async def test_the_head_is_what_lies_there_now(source: ReplicaSource, mirror: Path) -> None:
    assert await source.head() == b"one"
    (mirror / "head").write_bytes(b"another")
    assert await source.head() == b"another"
    (mirror / "head").write_bytes(bytes(MAX_HEAD_BYTES + 1))
    with pytest.raises(SourceError):
        await source.head()
    (mirror / "head").unlink()
    with pytest.raises(SourceError):
        await source.head()


@pytest.mark.parametrize("kind", FileKind)
async def test_a_file_comes_from_any_byte_on(source: ReplicaSource, kind: FileKind) -> None:
    for start in (0, 1, 300_000, len(WHOLE) - 1):
        sink = Bytes()
        await source.file(kind, NAME, len(WHOLE), sink, start=start)
        assert sink.taken == WHOLE[start:]


@pytest.mark.parametrize("size", [1, len(WHOLE) - 1, len(WHOLE) + 1])
async def test_a_file_of_another_size_is_a_source_error(source: ReplicaSource, size: int) -> None:
    for start in (0, size - 1):
        sink = Bytes(size - start)
        with pytest.raises(ReplicaError):
            await source.file(FileKind.DELTA, NAME, size, sink, start=start)


async def test_a_file_that_is_not_there_is_a_source_error(source: ReplicaSource) -> None:
    for start in (0, 5):
        with pytest.raises(SourceError):
            await source.file(FileKind.RECIPE, "cd" * 32, 10, Bytes(), start=start)
    with pytest.raises(SourceError):
        await source.part_of(FileKind.SEGMENT, "cd" * 32, 0, 1)


async def test_a_part_is_exactly_what_was_asked_for(source: ReplicaSource) -> None:
    for start, end in ((0, 1), (65_536, 131_072), (len(WHOLE) - 3, len(WHOLE))):
        assert await source.part_of(FileKind.SEGMENT, NAME, start, end) == WHOLE[start:end]
    for start, end in ((len(WHOLE) - 3, len(WHOLE) + 1), (len(WHOLE), len(WHOLE) + 5)):
        with pytest.raises(SourceError):
            await source.part_of(FileKind.SEGMENT, NAME, start, end)


async def test_metadata_is_there_whole_and_bounded(source: ReplicaSource) -> None:
    assert await source.metadata("timestamp.json", 2) == b"{}"
    for name, limit in (("2.root.json", 100), ("timestamp.json", 1)):
        with pytest.raises(SourceError):
            await source.metadata(name, limit)
