"""Releases from any static web server: the replica's source over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from cache.errors import SourceError
from cache.replica.head import MAX_HEAD_BYTES
from cache.replica.source import ByteSink

HEAD_PATH = "replica/head"
SEGMENT_PATH = "replica/segments/{name}.segment"
DOCUMENT_PATH = "replica/documents/{name}.document"
CHUNK_BYTES = 1 << 18
MAX_REDIRECTS = 3
SLOWEST_BYTES_PER_S = 16_384
"""A download slower than this on the whole is given up: it may be held open on purpose."""


class HubSource:
    """Implements `cache.replica.source.ReplicaSource` with one client session.

    :param base_url: where the hub's static files are, such as `https://hub.example/`.
    :param timeout_s: longest wait for a connection, and for the next bytes of an answer.
    """

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, *, timeout_s: float = 10.0
    ) -> None:
        self._session = session
        self._base = base_url.rstrip("/") + "/"
        self._timeout_s = timeout_s
        self._known_tag: str | None = None
        self._known_head = b""

    async def head(self) -> bytes:
        """Return the head; one that the server says is unchanged comes from memory.

        :raises SourceError: if it is not to be had, or larger than a head may be.
        """
        headers = {"If-None-Match": self._known_tag} if self._known_tag else {}
        async with self._get(HEAD_PATH, headers, self._timeout_s) as response:
            if response.status == 304 and self._known_tag:
                return self._known_head
            _require_ok(response)
            body = bytearray()
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                body += chunk
                if len(body) > MAX_HEAD_BYTES:
                    raise SourceError("the upstream's head is larger than a head may be")
            # The tag only counts together with the body that it came with.
            self._known_head, self._known_tag = bytes(body), response.headers.get("ETag")
            return self._known_head

    async def segment(self, name: str, size: int, to: ByteSink) -> None:
        """Write a segment of exactly `size` bytes to `to`; see `ReplicaSource.segment`.

        :raises SourceError: if it is not to be had, or of another size.
        """
        await self._file(SEGMENT_PATH.format(name=name), size, to)

    async def document(self, name: str, size: int, to: ByteSink) -> None:
        """Write a document of exactly `size` bytes to `to`; see `ReplicaSource.document`.

        :raises SourceError: if it is not to be had, or of another size.
        """
        await self._file(DOCUMENT_PATH.format(name=name), size, to)

    async def _file(self, path: str, size: int, to: ByteSink) -> None:
        total_s = 3 * self._timeout_s + size / SLOWEST_BYTES_PER_S
        received = 0
        async with self._get(path, {}, total_s) as response:
            _require_ok(response)
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                received += len(chunk)
                if received > size:
                    break
                # A slow card may hold a write up; the lanes share this loop.
                await asyncio.to_thread(to.write, chunk)
        if received != size:
            msg = f"the upstream sent {received} bytes of a file of {size}"
            raise SourceError(msg)

    @asynccontextmanager
    async def _get(
        self, path: str, headers: dict[str, str], total_s: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the response, every failure of the client mapped to `SourceError`."""
        timeout = aiohttp.ClientTimeout(
            total=total_s, sock_connect=self._timeout_s, sock_read=self._timeout_s
        )
        try:
            async with self._session.get(
                self._base + path,
                # Unpacking is not bounded by what the head declares, so nothing comes packed.
                headers={"Accept-Encoding": "identity", **headers},
                timeout=timeout,
                max_redirects=MAX_REDIRECTS,
                auto_decompress=False,
            ) as response:
                yield response
        except TimeoutError as error:
            raise SourceError("the upstream does not answer in time") from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            msg = f"the upstream cannot be reached: {type(error).__name__}"
            raise SourceError(msg, hint="check the network and the hub's address") from error


def _require_ok(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        msg = f"the upstream answers with status {response.status}"
        raise SourceError(msg)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceError("the upstream sends a coded body although none was asked for")
