"""What a hub, or whoever answers in its place, has said: bounded, and harmless to show."""

from __future__ import annotations

import aiohttp
import msgspec

from appliance.errors import HubUnavailable
from appliance.printable import printable

MAX_WORDS = 200
"""Characters of the hub's own words that are shown."""
_STRANGER_HINT = "what answers under hub.url may not be a hub"


async def bounded_body(content: aiohttp.StreamReader, limit_bytes: int) -> bytes:
    """Return the whole of an answer.

    :raises HubUnavailable: if it is longer than the limit.
    """
    body = b""
    while chunk := await content.read(limit_bytes + 1 - len(body)):
        body += chunk
        if len(body) > limit_bytes:
            msg = f"the hub's answer is longer than {limit_bytes} bytes"
            raise HubUnavailable(msg, hint=_STRANGER_HINT)
    return body


def word_in(body: bytes, key: str = "error") -> str:
    """Return one text of a JSON answer as one harmless line; empty if it is not there."""
    try:
        said = msgspec.json.decode(body, type=dict[str, object]).get(key, "")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return printable(said)[:MAX_WORDS] if isinstance(said, str) else ""
