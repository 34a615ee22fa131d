"""The HTTP source against a real server on the loopback: bounded, conditional, and mapped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from appliance.hub_source import HubSource
from cache.errors import SourceError
from cache.replica.head import MAX_HEAD_BYTES
from tests.appliance.hub_server import Server, answering, serving


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


async def test_an_unchanged_head_is_not_sent_again(
    server: tuple[Server, str], source: HubSource
) -> None:
    served, _ = server
    served.head = answering(body=b"one", headers={"ETag": '"1"'})
    assert await source.head() == b"one"
    served.head = answering(status=304)
    assert await source.head() == b"one"
    assert served.requests[-1].headers["If-None-Match"] == '"1"'
    served.head = answering(body=b"two")
    assert await source.head() == b"two"
    assert await source.head() == b"two"
    assert "If-None-Match" not in served.requests[-1].headers, "no tag came with this body"


@pytest.mark.parametrize("status", [204, 304, 403, 404, 500, 503])
async def test_other_statuses_are_no_head(
    server: tuple[Server, str], source: HubSource, status: int
) -> None:
    server[0].head = answering(status=status)
    with pytest.raises(SourceError, match=str(status)):
        await source.head()


async def test_an_endless_head_is_cut_off(server: tuple[Server, str], source: HubSource) -> None:
    server[0].head = answering(body=bytes(MAX_HEAD_BYTES))
    assert len(await source.head()) == MAX_HEAD_BYTES
    server[0].head = lambda r: server[0].streamed(r, bytes(MAX_HEAD_BYTES + 1), hang=True)
    with pytest.raises(SourceError, match="larger"):
        await source.head()


async def test_a_packed_body_is_refused_unpacked_by_nobody(
    server: tuple[Server, str], source: HubSource
) -> None:
    server[0].head = answering(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceError, match="coded"):
        await source.head()
    assert server[0].requests[0].headers["Accept-Encoding"] == "identity"


async def test_a_silent_server_is_given_up(server: tuple[Server, str], source: HubSource) -> None:
    server[0].head = lambda r: server[0].streamed(r, b"x", hang=True)
    with pytest.raises(SourceError, match="in time"):
        await source.head()


async def test_redirects_end(server: tuple[Server, str], source: HubSource) -> None:
    server[0].head = answering(status=302, headers={"Location": "/base/replica/head"})
    with pytest.raises(SourceError):
        await source.head()
    assert len(server[0].requests) < 6


async def test_no_server_is_a_source_error(session: aiohttp.ClientSession) -> None:
    for address in ("http://127.0.0.1:9", "http://", "nonsense"):
        with pytest.raises(SourceError):
            await HubSource(session, address, timeout_s=0.5).head()
