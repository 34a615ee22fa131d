"""Releases from any static web server: the replica's source over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from appliance.hub_client import HubRequests
from appliance.hub_failures import failure_of
from cache.errors import FileAbsent, SourceError
from cache.replica.head import MAX_HEAD_BYTES
from cache.replica.source import ByteSink, FileKind, path_of

REPLICA_PATH = "replica"
CHUNK_BYTES = 1 << 18
MAX_REDIRECTS = 3
SLOWEST_BYTES_PER_S = 16_384
"""A download slower than this on the whole is given up: it may be held open on purpose."""
_DENIED_HINT = (
    "the hub denies this gate, or its certificate has ended: `chot hub device list` there"
)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/(\*|[0-9]{1,19})")


class HubSource:
    """Implements `cache.replica.source.ReplicaSource` over one client of the hub.

    :param base_url: where the hub's static files are, such as `https://hub.example/`.
    :param timeout_s: longest wait for a connection, and for the next bytes of an answer.
    """

    def __init__(self, session: HubRequests, base_url: str, *, timeout_s: float = 10.0) -> None:
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
        async with self._get(f"{REPLICA_PATH}/head", headers, self._timeout_s) as response:
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

    async def file(
        self, kind: FileKind, name: str, size: int, to: ByteSink, *, start: int = 0
    ) -> None:
        """Write a file's bytes from `start` on to `to`; see `ReplicaSource.file`.

        A server that knows no ranges sends the whole; what is here already is let go by.

        :raises SourceError: if it is not to be had, or of another size.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        async with self._get(_url_path(kind, name), headers, self._total_s(size)) as response:
            skip = start
            if start and response.status == 206:
                _require_range(response, start, size, size)
                skip = 0
            else:
                _require_ok(response)
            received = start - skip
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                received += len(chunk)
                if received > size:
                    break
                news, skip = chunk[skip:], max(0, skip - len(chunk))
                if news:
                    # A slow card may hold a write up; the lanes share this loop.
                    await asyncio.to_thread(to.write, news)
        if received != size:
            msg = f"the upstream sent {received} bytes of a file of {size}"
            raise SourceError(msg)

    async def part_of(self, kind: FileKind, name: str, start: int, end: int) -> bytes:
        """Return some bytes of a file; see `ReplicaSource.part_of`.

        :raises SourceError: if exactly these are not to be had.
        """
        headers = {"Range": f"bytes={start}-{end - 1}"}
        async with self._get(_url_path(kind, name), headers, self._total_s(end - start)) as got:
            if got.status != 206:
                msg = f"the upstream answers a range with status {got.status}"
                raise SourceError(msg)
            _require_range(got, start, end, None)
            return await _bounded(got, end - start, end - start)

    async def metadata(self, name: str, limit_bytes: int) -> bytes:
        """Return a file of the trust metadata; see `ReplicaSource.metadata`.

        :raises SourceError: if it is not to be had, or too large.
        """
        total_s = self._total_s(limit_bytes)
        async with self._get(f"{REPLICA_PATH}/metadata/{name}", {}, total_s) as response:
            _require_ok(response)
            return await _bounded(response, 0, limit_bytes)

    def _total_s(self, size: int) -> float:
        return 3 * self._timeout_s + size / SLOWEST_BYTES_PER_S

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
            failure = failure_of(error)
            msg = f"the upstream cannot be reached: {failure.what}"
            raise SourceError(msg, hint=failure.hint) from error


def _url_path(kind: FileKind, name: str) -> str:
    return f"{REPLICA_PATH}/{path_of(kind, name)}"


async def _bounded(response: aiohttp.ClientResponse, least: int, most: int) -> bytes:
    """Return the body, of `least` to `most` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            break
    if not least <= len(body) <= most:
        msg = f"the upstream sent {len(body)} bytes or more, where {least} to {most} are expected"
        raise SourceError(msg)
    return bytes(body)


def _require_range(
    response: aiohttp.ClientResponse, start: int, end: int, size: int | None
) -> None:
    """Return if a partial answer holds the bytes asked for, of a file of this size."""
    said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    asked = (start, end - 1)
    if said is None or (int(said[1]), int(said[2])) != asked:
        raise SourceError("the upstream sends another range than was asked for")
    if size is not None and said[3] not in {"*", str(size)}:
        msg = f"the upstream's file has {said[3]} bytes instead of {size}"
        raise SourceError(msg)
    _require_plain(response)


def _require_ok(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        msg = f"the upstream answers with status {response.status}"
        hint = _DENIED_HINT if response.status == 403 else ""
        raise (FileAbsent if response.status in {404, 410} else SourceError)(msg, hint=hint)
    _require_plain(response)


def _require_plain(response: aiohttp.ClientResponse) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceError("the upstream sends a coded body although none was asked for")
