"""The desk's page and what it asks, on the kiosk's server: nothing is changed but by its own page.

A request that changes something is a POST with JSON from the page's own origin, with the session's
cookie (which scripts cannot read and other sites cannot send) and the session's token.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from admission.officer import CorrectionTopic, OverrideReason
from admission.verdict import Outcome
from appliance.desk.desk import Desk
from appliance.desk.refusal import DeskRefusalError, Refusal, refusal_text
from appliance.desk.sessions import Session
from appliance.desk.view import choices, desk_view
from appliance.web.pages import load_pages
from appliance.web.server import Handler, add_pages

PATH = "/desk"
COOKIE = "chot_desk"
TOKEN_HEADER = "X-Desk-Token"  # noqa: S105 - a header's name
WAIT_S = 5.0
"""A page that sees nothing new is told so this often."""
MAX_WAITING = 32
BODY_TIMEOUT_S = 5.0

_STATUS = {
    Refusal.FOREIGN: 403,
    Refusal.MALFORMED: 400,
    Refusal.MORE_ON_LIST: 400,
    Refusal.NOT_SIGNED_IN: 401,
    Refusal.LANE_UNKNOWN: 404,
    Refusal.VERDICT_GONE: 404,
    Refusal.TOO_MANY_ATTEMPTS: 429,
    Refusal.NOT_JOURNALED: 503,
}
_CONFLICT = 409

F = TypeVar("F", bound="_Form")


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request without anything in it."""


class _SignIn(_Form, frozen=True):
    lane: str


class _Override(_Form, frozen=True):
    sequence: int
    outcome: Outcome
    reason: OverrideReason


class _Correct(_Form, frozen=True):
    sequence: int
    topic: CorrectionTopic


class _Count(_Form, frozen=True):
    inside: int
    workers: int


Act = Callable[[F, Session], Awaitable[Any]]


class DeskPages:
    """What the server answers below `/desk`.

    :param origins: further origins, as browsers name them, under which the page may be reached:
        those of a proxy that terminates TLS.
    """

    def __init__(self, desk: Desk, origins: Iterable[str] = ()) -> None:
        self._desk = desk
        self._origins = frozenset(origin for origin in origins if origin)
        self._waiting = 0

    def add_to(self, app: web.Application) -> None:
        """Let `app` answer for the desk. Call it before the app is started."""
        pages = load_pages("desk_static", at=PATH)
        self._build = pages.build
        add_pages(app, pages)
        post, get = app.router.add_post, app.router.add_get
        get(f"{PATH}/state", _refusing(self._state))
        get(f"{PATH}/choices", _refusing(_choices))
        post(f"{PATH}/sign-in", _refusing(self._sign_in))
        post(f"{PATH}/sign-out", _refusing(self._sign_out))
        post(f"{PATH}/stay", _refusing(self._acting(_Form, self._stay)))
        post(f"{PATH}/override", _refusing(self._acting(_Override, self._override)))
        post(f"{PATH}/count", _refusing(self._acting(_Count, self._count)))
        post(f"{PATH}/correct", _refusing(self._acting(_Correct, self._correct)))

        app.middlewares.append(_on_this_machine)

        async def let_pages_go(_: web.Application) -> None:
            self._desk.close()

        app.on_shutdown.append(let_pages_go)

    async def _state(self, request: web.Request) -> web.Response:
        """Answer `state?after=VERSION`: at once if there is news, else within `WAIT_S`."""
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdecimal() and len(after) <= 18):
            raise DeskRefusalError(Refusal.MALFORMED)
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise DeskRefusalError(Refusal.FOREIGN)
        if self._waiting >= MAX_WAITING:
            raise web.HTTPServiceUnavailable(text="too many\n", headers={"Retry-After": "5"})
        self._waiting += 1
        try:
            await self._desk.changed(int(after), WAIT_S)
        finally:
            self._waiting -= 1
        return _json(desk_view(self._desk, self._desk.session(_cookie(request)), self._build))

    async def _sign_in(self, request: web.Request) -> web.Response:
        origin = self._origin(request)
        form = await _form(request, _SignIn)
        cookie, _ = self._desk.sign_in(form.lane, _cookie(request))
        response = _json({})
        response.set_cookie(
            COOKIE,
            cookie,
            path=PATH,
            httponly=True,
            samesite="Strict",
            secure=origin.startswith("https:"),
        )
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        """End the session: whoever has its cookie and the page may, the token is not needed."""
        self._origin(request)
        await _form(request, _Form)
        self._desk.sign_out(_cookie(request))
        response = _json({})
        response.del_cookie(COOKIE, path=PATH)
        return response

    async def _stay(self, _form: _Form, _session: Session) -> dict[str, str]:
        return {}

    async def _override(self, form: _Override, session: Session) -> Any:
        if session.officer is None:
            raise DeskRefusalError(Refusal.NOT_SIGNED_IN)
        return await self._desk.override(session.officer, form.sequence, form.outcome, form.reason)

    async def _correct(self, form: _Correct, session: Session) -> Any:
        if session.officer is None:
            raise DeskRefusalError(Refusal.NOT_SIGNED_IN)
        return await self._desk.correct(session.officer, form.sequence, form.topic)

    async def _count(self, form: _Count, session: Session) -> Any:
        if session.officer is None:
            raise DeskRefusalError(Refusal.NOT_SIGNED_IN)
        return await self._desk.recount(session.officer, session.lane, form.inside, form.workers)

    def _acting(self, form: type[F], act: Act[F]) -> Handler:
        """Return a handler for what only a signed-in officer's own page may ask."""

        async def answer(request: web.Request) -> web.Response:
            self._origin(request)
            session = self._desk.session(_cookie(request))
            if session is None or session.officer is None:
                raise DeskRefusalError(Refusal.NOT_SIGNED_IN)
            if not session.has_token(request.headers.get(TOKEN_HEADER, "")):
                raise DeskRefusalError(Refusal.FOREIGN)
            filled = await _form(request, form)
            self._desk.sessions.stay(session, self._desk.now().monotonic_ns)
            return _json(await act(filled, session))

        return answer

    def _origin(self, request: web.Request) -> str:
        """Return the page's origin (RFC 6454 §7); refuse a foreign page, or none."""
        origin, host = request.headers.get("Origin", ""), request.headers.get("Host", "")
        own = host and origin in {f"http://{host}", f"https://{host}"}
        if not own and origin not in self._origins:
            raise DeskRefusalError(Refusal.FOREIGN)
        return origin


@web.middleware
async def _on_this_machine(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Serve the desk to this machine only, whoever may see the kiosk: its cookie opens a gate."""
    is_desk = request.path == PATH or request.path.startswith(f"{PATH}/")
    if is_desk and not is_local(request.remote):
        raise web.HTTPForbidden(
            text="the desk is served to this machine only: put a proxy that terminates TLS on it\n"
        )
    return await handler(request)


def is_local(remote: str | None) -> bool:
    """Return whether a peer's address is this machine's loopback."""
    try:
        address = ipaddress.ip_address(remote or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _refusing(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
    """Return the handler with refusals as answers, in both languages."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except DeskRefusalError as error:
            refusal = error.refusal
            text = refusal_text(refusal)
            body = {"refusal": refusal, "vi": text.vi, "en": text.en}
            return _json(body, _STATUS.get(refusal, _CONFLICT))

    return answer


async def _choices(_: web.Request) -> web.Response:
    return _json(choices())


async def _form(request: web.Request, form: type[F]) -> F:
    if request.content_type != "application/json":
        raise DeskRefusalError(Refusal.MALFORMED)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return msgspec.json.decode(await request.read(), type=form)
    except (TimeoutError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DeskRefusalError(Refusal.MALFORMED) from error


def _cookie(request: web.Request) -> str:
    return request.cookies.get(COOKIE, "")


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(value),
        headers={"Content-Type": "application/json", "Cache-Control": "no-store"},
    )
