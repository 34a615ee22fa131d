"""Protects how files come over HTTP: whole or from some byte on, and only what was asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from appliance.hub_source import HubSource
from cache.errors import SourceError
from cache.replica.book import ReplicaBook
from cache.replica.replicate import Replicator
from cache.replica.source import FileKind
from cache.replica.status import Outcome
from tests.appliance.hub_server import Bytes, Server, answering, ranging, serving
from tests.cache.replica.releases import HASH_KEY, Release, a_store
from tests.worlds import ManualClock

NAME = "ab" * 32


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    async with serving() as served:
        yield served


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def source(server: tuple[Server, str], session: aiohttp.ClientSession) -> HubSource:
    return HubSource(session, server[1], timeout_s=0.5)


async def test_a_server_that_never_ends_is_given_up_and_what_came_is_not_lost(
    server: tuple[Server, str], session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.hub_source.SLOWEST_BYTES_PER_S", 10_000)
    source, sink = HubSource(session, server[1], timeout_s=0.1), Bytes()
    served = server[0]

    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not served.release.is_set():
                await response.write(b"x")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(served.release.wait(), 0.05)
        return response

    served.file = dripping
    with pytest.raises(SourceError, match="in time"):
        await source.file(FileKind.SEGMENT, NAME, 100, sink)
    assert 0 < len(sink.taken) < 100


@pytest.mark.parametrize("kind", FileKind)
async def test_a_file_comes_by_its_kind_and_name(
    server: tuple[Server, str], source: HubSource, kind: FileKind
) -> None:
    server[0].file = answering(body=bytes(600_000))
    sink = Bytes()
    await source.file(kind, NAME, 600_000, sink)
    assert sink.taken == bytes(600_000)
    assert server[0].requests[0].path == f"/base/replica/{kind}s/{NAME}.{kind}"
    assert "Range" not in server[0].requests[0].headers


@pytest.mark.parametrize("sent", [0, 999, 1_001, 500_000])
async def test_a_file_of_another_size_is_refused(
    server: tuple[Server, str], source: HubSource, sent: int
) -> None:
    server[0].file = answering(body=bytes(sent))
    sink = Bytes()
    with pytest.raises(SourceError, match="of 1000"):
        await source.file(FileKind.SEGMENT, NAME, 1_000, sink)
    assert len(sink.taken) <= 1_000


async def test_a_cut_in_mid_download_is_a_source_error(
    server: tuple[Server, str], source: HubSource
) -> None:
    server[0].file = lambda r: server[0].streamed(r, bytes(5_000), length=10_000)
    with pytest.raises(SourceError):
        await source.file(FileKind.SEGMENT, NAME, 10_000, Bytes())


WHOLE = bytes(range(250)) * 3


@pytest.mark.parametrize("knows_ranges", [True, False])
async def test_a_download_goes_on_where_it_was(
    server: tuple[Server, str], source: HubSource, knows_ranges: bool
) -> None:
    server[0].file = ranging(WHOLE) if knows_ranges else answering(body=WHOLE)
    sink = Bytes()
    await source.file(FileKind.SNAPSHOT, NAME, len(WHOLE), sink, start=700)
    assert sink.taken == WHOLE[700:]
    assert server[0].requests[0].headers["Range"] == "bytes=700-"


PARTIAL = {
    "another start": ("bytes 699-749/750", 51),
    "another end": ("bytes 700-748/750", 49),
    "another file": ("bytes 700-749/751", 50),
    "no range": ("", 50),
    "nonsense": ("bytes -/x", 50),
    "too little": ("bytes 700-749/750", 49),
    "too much": ("bytes 700-749/750", 51),
}


@pytest.mark.parametrize("lie", PARTIAL)
async def test_a_range_that_is_not_the_one_asked_for_is_refused(
    server: tuple[Server, str], source: HubSource, lie: str
) -> None:
    said, sent = PARTIAL[lie]
    server[0].file = answering(status=206, body=bytes(sent), headers={"Content-Range": said})
    sink = Bytes()
    with pytest.raises(SourceError):
        await source.file(FileKind.SNAPSHOT, NAME, 750, sink, start=700)
    assert len(sink.taken) <= 50
    if lie != "another file":
        with pytest.raises(SourceError):
            await source.part_of(FileKind.SEGMENT, NAME, 700, 750)


async def test_parts_of_a_file_come_as_ranges_only(
    server: tuple[Server, str], source: HubSource
) -> None:
    server[0].file = ranging(WHOLE)
    assert await source.part_of(FileKind.SEGMENT, NAME, 5, 9) == WHOLE[5:9]
    assert server[0].requests[-1].headers["Range"] == "bytes=5-8"
    server[0].file = answering(body=WHOLE)
    with pytest.raises(SourceError, match="status 200"):
        await source.part_of(FileKind.SEGMENT, NAME, 5, 9)


async def test_metadata_is_there_or_not_and_bounded(
    server: tuple[Server, str], source: HubSource
) -> None:
    server[0].file = answering(body=b"{}")
    assert await source.metadata("timestamp.json", 2) == b"{}"
    assert server[0].requests[-1].path == "/base/replica/metadata/timestamp.json"
    with pytest.raises(SourceError, match="0 to 1"):
        await source.metadata("timestamp.json", 1)
    for status in (403, 404):
        server[0].file = answering(status=status)
        with pytest.raises(SourceError, match=str(status)):
            await source.metadata("2.root.json", 100)


async def test_a_gate_replicates_over_http_and_survives_a_cut(
    tmp_path: Path, server: tuple[Server, str], source: HubSource
) -> None:
    release, book = Release(tmp_path, 200), ReplicaBook(HASH_KEY)
    store = a_store(tmp_path / "state")
    replicator = Replicator([source], store, book, ManualClock())
    served = server[0]
    served.head = answering(body=release.envelope(), headers={"ETag": '"1"'})
    served.file = lambda r: served.streamed(r, release.bytes[:9_000], length=len(release.bytes))
    assert await replicator.once() is Outcome.UNREACHABLE
    served.file = ranging(release.bytes)
    assert await replicator.once() is Outcome.ACTIVATED
    assert served.requests[-1].headers["Range"] == "bytes=9000-"
    assert book.rows == 200
