"""Refusals and the access log: short, in JSON, without persons, tokens, URLs or tracebacks."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Handler

from hub.errors import HubError, UploadError

log = logging.getLogger("chot.hub")
"""Takes maps of fields as messages; `JsonFormatter` writes them out."""

MAX_EVENT_LENGTH = 500

DEVICE = web.RequestKey("device", str)
"""The name of the device that a request was authenticated for."""

UNMATCHED = "unmatched"
"""Stands in logs and metrics for every path that no route has."""


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what handlers raise into short JSON answers."""
    try:
        return await handler(request)
    except UploadError as error:
        return _refusal(error.status, str(error), **_retry_after(error.retry_after_s))
    except HubError as error:
        _report(request, error)
        return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the hub cannot do that now")
    except web.HTTPException as answer:
        if answer.status < HTTPStatus.BAD_REQUEST:
            raise
        allowed = answer.headers.get("Allow")
        headers = {"Allow": allowed} if allowed else {}
        return _refusal(answer.status, answer.reason.lower(), **headers)
    except Exception as error:  # noqa: BLE001 the edge: no traceback may leave, one gate's request
        # must not end another's, and the status tells the gate to send again.
        _report(request, error)
        return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the hub failed")


def route_of(request: web.BaseRequest) -> str:
    """Return the pattern of the route that a request took: bounded, whatever the path is."""
    if not isinstance(request, web.Request):
        return UNMATCHED
    try:
        resource = request.match_info.route.resource
    except AssertionError:  # the library's: a head that it could not read took no route at all
        return UNMATCHED
    return resource.canonical if resource is not None else UNMATCHED


class JsonAccessLogger(AbstractAccessLogger):
    """One JSON object per request. Time and level are the logging formatter's business."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log one answered request."""
        self.logger.info(
            {
                "event": "request",
                "method": request.method if request.method in _METHODS else "other",
                "route": route_of(request),
                "status": response.status,
                "seconds": round(time, 6),
                "bytes": response.body_length,
                "device": request.get(DEVICE, "") if isinstance(request, web.Request) else "",
            }
        )


class JsonFormatter(logging.Formatter):
    """One JSON object per record, ours or the library's. Exceptions show their type only."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        fields = {"at": round(record.created, 3), "level": record.levelname.lower()}
        if isinstance(record.msg, dict):
            fields |= record.msg
        else:
            fields["event"] = record.getMessage()[:MAX_EVENT_LENGTH]
        if record.exc_info and record.exc_info[0]:
            fields["error"] = record.exc_info[0].__name__
        return json.dumps(fields)


def log_to_stderr() -> None:
    """Send all log records to standard error as JSON lines, from informative ones up."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


def _report(request: web.Request, error: Exception) -> None:
    fields = {"event": "failure", "route": route_of(request), "error": type(error).__name__}
    if isinstance(error, HubError):
        fields |= {"message": str(error), "hint": error.hint}
    log.error(fields)


def _retry_after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)} if seconds else {}


def _refusal(status: int, error: str, **headers: str) -> web.Response:
    body = msgspec.json.encode({"error": error})
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
