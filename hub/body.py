"""The body of an upload, bounded before and after inflating."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext

import zstandard
from aiohttp import web

from admission.upload import SIGNED_BATCH_CONTENT_TYPE
from admission.wire import MAX_BATCH_BYTES
from hub.errors import (
    MalformedUploadError,
    OversizedUploadError,
    SlowUploadError,
    UnsupportedUploadError,
)

BODY_TIMEOUT_S = 30.0
"""How long one body may take to arrive: 1 MiB over the slowest line that a gate is put on."""
BODY_GRACE_S = 5.0
"""How long a body may take before its rate counts."""
SMALL_BODY_BYTES = 1 << 17
"""A body up to this needs no place: whatever strangers hold places with, gates get in."""
MIN_BODY_BYTES_PER_S = 16_384
"""Half of what 1 MiB needs within the timeout. Who sends slower holds a place and is no gate."""

Places = Callable[[], AbstractAsyncContextManager[object]]
_unpress = zstandard.ZstdDecompressor().decompress


async def batch_bytes(
    request: web.Request,
    *,
    places: Places = nullcontext,
    timeout_s: float = BODY_TIMEOUT_S,
    grace_s: float = BODY_GRACE_S,
) -> bytes:
    """Return the uncompressed body of a signed batch, at most `MAX_BATCH_BYTES` long.

    The server must have been started with `auto_decompress=False` (`hub.server`): the library's own
    unpacking knows no such limit.

    :param places: gives a place to a body that is over `SMALL_BODY_BYTES`, waiting for one.
    :raises UploadError: if type or coding are foreign, or the body is slow, oversized or damaged.
    """
    if request.content_type != SIGNED_BATCH_CONTENT_TYPE:
        msg = f"the content type must be {SIGNED_BATCH_CONTENT_TYPE}"
        raise UnsupportedUploadError(msg)
    if request.headers.get("Content-Encoding", "").strip().lower() != "zstd":
        raise UnsupportedUploadError("the content coding must be zstd")
    return unpressed(await _arrived(request, places, timeout_s, grace_s), MAX_BATCH_BYTES)


def unpressed(data: bytes, limit_bytes: int) -> bytes:
    """Return the plain bytes of one Zstandard frame (RFC 8878).

    Never sets aside more memory than one byte over the limit for the result.

    :raises OversizedUploadError: if they are more than `limit_bytes`.
    :raises MalformedUploadError: if the frame is damaged, cut short, or followed by further bytes.
    """
    try:
        announced = zstandard.get_frame_parameters(data).content_size
        if announced != zstandard.CONTENTSIZE_UNKNOWN and announced > limit_bytes:
            msg = f"the body unpacks to over {limit_bytes} bytes"
            raise OversizedUploadError(msg)
        # In one go, and into one buffer: the library then needs no window of the frame's choosing.
        return _unpress(data, max_output_size=limit_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MalformedUploadError("the body is no Zstandard frame within the limits") from error


async def _arrived(request: web.Request, places: Places, timeout_s: float, grace_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s), asyncio.timeout(grace_s) as pace:
            return await _bounded(request, places, pace)
    except TimeoutError as error:
        raise SlowUploadError("the body did not arrive in time") from error


async def _bounded(request: web.Request, places: Places, pace: asyncio.Timeout) -> bytes:
    clock = asyncio.get_running_loop().time
    due = pace.when() or 0.0
    announced = request.content_length or 0
    body = bytearray()
    if announced <= MAX_BATCH_BYTES:
        async with AsyncExitStack() as place:
            async for chunk in request.content.iter_any():
                if len(body) <= SMALL_BODY_BYTES < len(body) + len(chunk):
                    asked = clock()
                    pace.reschedule(None)  # who waits for a place is not slow
                    await place.enter_async_context(places())
                    due += clock() - asked
                body += chunk
                if len(body) > MAX_BATCH_BYTES:
                    break
                pace.reschedule(due + len(body) / MIN_BODY_BYTES_PER_S)
    if max(announced, len(body)) > MAX_BATCH_BYTES:
        msg = f"the body is over {MAX_BATCH_BYTES} bytes"
        raise OversizedUploadError(msg)
    return bytes(body)
