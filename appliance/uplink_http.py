"""The uplink's transport over HTTP (RFC 9110), by the hub's client."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import aiohttp

from admission.ports import Clock
from admission.upload import MAX_MARK_BYTES, SIGNED_BATCH_CONTENT_TYPE, SIGNED_UPLOAD_PATH
from appliance.errors import HubRefused
from appliance.hub_answer import bounded_body, word_in
from appliance.hub_client import HubRequests
from appliance.hub_failures import failure_of
from appliance.uplink_ports import Answer
from appliance.upload_packing import CODING

MAX_RETRY_AFTER_S = 600.0
"""Nobody who answers under the hub's address keeps a gate away for longer."""

_HINTS = {
    400: "one of both sides is older than the other, or a proxy changes what is sent",
    401: "the hub does not know this gate's key: enrol it, or see appliance.device",
    403: "the hub denies this gate: allow it there, or renew its certificate by `chot enrol`",
    404: "there is no hub of this version behind this address: correct hub.url, or update the hub",
    407: "the proxy wants a login: put user:password@ into hub.proxy",
    413: "a proxy before the hub takes smaller uploads only: raise its limit above 1 MiB",
    415: "the hub is older than this gate: update it",
    429: "the hub or a proxy before it is busy: nothing to do here",
    502: "a proxy before the hub does not reach it",
    503: "the hub is busy or out of order: see its log",
    504: "a proxy before the hub waits for it in vain",
}
_REDIRECT_HINT = "write the address that it sends to into hub.url, if it is the hub's"


class HttpTransport:
    """Posts packed uploads to `{hub_url}/v2/entries`; the batch in them is signed.

    Redirects are not followed: nobody but the address that was written down gets the entries.
    """

    def __init__(self, client: HubRequests, hub_url: str, clock: Clock) -> None:
        self._client = client
        self._url = hub_url.rstrip("/") + SIGNED_UPLOAD_PATH
        self._clock = clock

    async def post_entries(self, body: bytes) -> Answer:
        """Return the hub's answer; see `Transport.post_entries`.

        :raises HubRefused: if it answered with another status than 200.
        :raises HubUnavailable: if there was no answer, or one out of bounds.
        """
        headers = {
            "Content-Type": SIGNED_BATCH_CONTENT_TYPE,
            "Content-Encoding": CODING,
            # A mark has two hundred bytes: what came packed would be a bomb.
            "Accept-Encoding": "identity",
        }
        try:
            async with self._client.post(
                self._url,
                data=body,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,
            ) as response:
                answered = await bounded_body(response.content, MAX_MARK_BYTES)
                if response.status != 200:
                    raise _refused(response, answered)
                return Answer(answered)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise failure_of(error, self._clock.now()).unavailable() from error


def _refused(response: aiohttp.ClientResponse, body: bytes) -> HubRefused:
    status = response.status
    said = word_in(body)
    hint = _REDIRECT_HINT if 300 <= status < 400 else _HINTS.get(status, "see the hub's log")
    wait_s = retry_after_s(
        response.headers.get("Retry-After", ""), response.headers.get("Date", "")
    )
    return HubRefused(
        f"the hub answered {status}{said and f': {said}'}", hint=hint, retry_after_s=wait_s
    )


def retry_after_s(asked: str, date: str) -> float:
    """Return the seconds that a `Retry-After` (RFC 9110 §10.2.3) asks for, bounded; 0 if none.

    :param date: the answer's own `Date`: a moment is counted from it, not by this gate's clock.

    >>> retry_after_s("120", ""), retry_after_s("1e9", ""), retry_after_s("999999", "")
    (120.0, 0.0, 600.0)
    >>> retry_after_s("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:30 GMT")
    30.0
    """
    if asked.isascii() and asked.isdigit() and len(asked) <= 10:
        return min(float(asked), MAX_RETRY_AFTER_S)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(date)
        return min(max(wait.total_seconds(), 0.0), MAX_RETRY_AFTER_S)
    except (ValueError, TypeError, OverflowError):
        return 0.0
