"""The hub's HTTP application: entries in, signed files out, seen from outside.

| route | what |
|---|---|
| `POST /v2/entries` | a signed batch of a device's journal, answered with a signed mark (msgpack) |
| `GET /v1/time?nonce=` | a signed time for a gate that has none (`cache.replica.time_proof`) |
| `GET /replica/head`, `/replica/metadata/…` | the newest head, and whose heads count |
| `GET /replica/segments/…`, `snapshots/`, `deltas/`, `recipes/`, `documents/` | what it names |
| `GET /replica/journals/YYYY-MM-DD` | how far whose journal was held after that day, signed |
| `GET /healthz`, `GET /metrics` | for supervisors |

Every refusal is a short JSON object with `error`; nothing of the body, no token, no traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.daily_heads import DAILY_HEADS_PATH, DAY
from admission.ports import Clock
from admission.upload import SIGNED_UPLOAD_PATH
from cache.replica.source import FileKind, path_of
from cache.replica.time_proof import NONCE_BYTES, TIME_PATH, sign_time
from hub.access import refusals, route_of
from hub.entries_door import EntriesDoor
from hub.intake import Intake
from hub.metrics import HubMetrics
from hub.seal_sessions import SealKeys
from hub.store.port import Store
from hub.uploads import Uploads

REPLICA_PATH = "/replica"
_METADATA = r"(?:[0-9a-f]{1,64}\.)?[a-z][a-z-]{0,31}\.(?:json|pem)"
_IMMUTABLE_PATHS = re.compile(
    rf"{REPLICA_PATH}/(?:(?:{'|'.join(FileKind)}|journal)s/|metadata/[0-9a-f]{{1,64}}\.)"
)
_IMMUTABLE = "public, max-age=31536000, immutable"
_NONCE = re.compile(rf"[0-9a-fA-F]{{{2 * NONCE_BYTES}}}")


def application(
    store: Store,
    published: Path,
    clock: Clock,
    metrics: HubMetrics,
    *,
    head_key: Ed25519PrivateKey,
    seal_keys: SealKeys | None = None,
    problem: Callable[[], str] = str,
) -> web.Application:
    """Return the application over an open store and the publisher's folder, which must exist.

    :param head_key: signs marks and what `/v1/time` answers: the key whose public half every gate
        has.
    :param seal_keys: what opens the seals on persons.
    :param problem: says what is wrong with the hub, empty if nothing is; `/healthz` asks it.
    """
    app = web.Application(middlewares=[_timing(clock, metrics), refusals])
    intake, uploads = Intake(store, seal_keys), Uploads()
    entries = EntriesDoor(
        store, intake, clock, uploads, head_key=head_key, stored=metrics.batch_stored
    )
    doors = _Doors(store, intake, clock, metrics, uploads=uploads, problem=problem)
    app.router.add_post(SIGNED_UPLOAD_PATH, entries.upload)
    app.router.add_get(TIME_PATH, _signed_time(clock, head_key))
    app.router.add_get("/healthz", doors.health)
    app.router.add_get("/metrics", doors.exposition)
    app.router.add_get(f"{REPLICA_PATH}/head", _file(lambda _: published / "head"))
    app.router.add_get(
        f"{REPLICA_PATH}/metadata/{{name:{_METADATA}}}",
        _file(lambda matched: published / "metadata" / matched["name"]),
    )
    app.router.add_get(
        f"{REPLICA_PATH}/{DAILY_HEADS_PATH}/{{day:{DAY.pattern}}}",
        _file(lambda matched: published / DAILY_HEADS_PATH / matched["day"]),
    )
    for kind in FileKind:
        app.router.add_get(
            f"{REPLICA_PATH}/{path_of(kind, '{name:[0-9a-f]{64}}')}", _files(published, kind)
        )
    app.on_response_prepare.append(_headers)
    return app


class _Doors:
    """The handlers and what they share."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        clock: Clock,
        metrics: HubMetrics,
        *,
        uploads: Uploads,
        problem: Callable[[], str],
    ) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock
        self._metrics = metrics
        self._problem = problem
        self._uploads = uploads

    async def health(self, _: web.Request) -> web.Response:
        await self._store.device_by_name("")  # the cheapest question that reaches the engine
        problem = self._problem()
        status = HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK
        return _json({"status": "failing" if problem else "ok", "problem": problem}, status)

    async def exposition(self, _: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.exposition(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


def _file(path_of: Callable[[Mapping[str, str]], Path]) -> Handler:
    # The routes name all that is served: whatever else lies in the folder is the publisher's own.
    async def file(request: web.Request) -> web.StreamResponse:
        path = path_of(request.match_info)
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    return file


def _files(published: Path, kind: FileKind) -> Handler:
    return _file(lambda matched: published / path_of(kind, matched["name"]))


def _signed_time(clock: Clock, key: Ed25519PrivateKey) -> Handler:
    async def time(request: web.Request) -> web.Response:
        nonce = request.query.get("nonce", "")
        if not _NONCE.fullmatch(nonce):
            raise web.HTTPBadRequest(reason=f"the nonce has {2 * NONCE_BYTES} hex digits")
        proof = sign_time(bytes.fromhex(nonce), clock.now().wall_ns, key)
        return web.Response(body=proof, content_type="application/octet-stream")

    return time


def _timing(clock: Clock, metrics: HubMetrics) -> Middleware:
    @web.middleware
    async def timed(request: web.Request, handler: Handler) -> web.StreamResponse:
        began_ns = clock.now().monotonic_ns
        response = await handler(request)
        seconds = (clock.now().monotonic_ns - began_ns) / 1e9
        route = route_of(request)
        metrics.request_answered(route, response.status, seconds)
        if route == SIGNED_UPLOAD_PATH:
            metrics.batch_answered(response.status)
        return response

    return timed


async def _headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "chot"
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Immutable files are named by their content or version. The head changes under its name every
    # few seconds, and a conditional request is cheap: no cache may serve a remembered one unasked.
    # A signed time is worth nothing a moment later: it is not even kept.
    immutable = _IMMUTABLE_PATHS.match(request.path) is not None
    lasting = immutable and response.status < HTTPStatus.BAD_REQUEST
    passing = "no-store" if request.path == TIME_PATH else "no-cache"
    response.headers["Cache-Control"] = _IMMUTABLE if lasting else passing


def _json(value: object, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json", status=status
    )
