"""The uplink's transport over HTTP (RFC 9110), by aiohttp."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from admission.wire import BATCH_CONTENT_TYPE, MAX_ACKNOWLEDGEMENT_BYTES, UPLOAD_PATH
from appliance.errors import ConfigError, HubUnavailable
from appliance.secret import read_token
from appliance.uplink import Answer

NETWORK_HINT = "check the network, the hub and hub.url"


class HttpTransport:
    """Posts batches to `{hub_url}/v1/entries` with the device's bearer token.

    Async context manager. The token file is read for every upload, so that a new token counts
    without a restart. Redirects are not followed: they would carry the token elsewhere.
    """

    def __init__(self, hub_url: str, token_file: Path, *, connect_s: float = 10.0) -> None:
        self._url = hub_url.rstrip("/") + UPLOAD_PATH
        self._token_file = token_file
        self._connect_s = connect_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Compressed answers stay as they are: an acknowledgement has forty bytes, a bomb has more.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_s),
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def post_entries(self, body: bytes) -> Answer:
        """Return the hub's answer to one deflated batch, whatever its status.

        :raises HubUnavailable: if there was none, one out of bounds, or no token to show.
        """
        if self._session is None:
            raise HubUnavailable("the way to the hub is closed")
        headers = {
            "Authorization": f"Bearer {await asyncio.to_thread(_token, self._token_file)}",
            "Content-Type": BATCH_CONTENT_TYPE,
            "Content-Encoding": "deflate",
            "Accept-Encoding": "identity",
        }
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, await _bounded(response.content))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            msg = f"the hub cannot be reached: {str(error) or type(error).__name__}"
            raise HubUnavailable(msg, hint=NETWORK_HINT) from error


def _token(path: Path) -> str:
    try:
        return read_token(path)
    except ConfigError as error:
        raise HubUnavailable(str(error), hint=error.hint) from error


async def _bounded(content: aiohttp.StreamReader) -> bytes:
    body = b""
    while chunk := await content.read(MAX_ACKNOWLEDGEMENT_BYTES + 1 - len(body)):
        body += chunk
        if len(body) > MAX_ACKNOWLEDGEMENT_BYTES:
            msg = f"the hub's answer is longer than {MAX_ACKNOWLEDGEMENT_BYTES} bytes"
            raise HubUnavailable(msg, hint="what answers under hub.url may not be a hub")
    return body
