"""Why the hub was not reached, in words, and what a person can do: one place for every client.

Nothing of what the libraries say is quoted: their messages carry addresses, and an address may hold
a proxy's password.
"""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator
from datetime import UTC
from typing import NamedTuple

import aiohttp

from admission.instant import ClockTrust, Instant
from appliance.certificate_dates import EXPIRED, NOT_YET_VALID
from appliance.errors import HubUnavailable

NETWORK_HINT = "check the network, the hub and hub.url"
_TRUST_HINT = "name the hub's authority in hub.ca_file; a stranger may be answering in its place"
_CLIENT_HINT = "enrol this gate again, or renew its certificate: `chot enrol`"
_CUT_HINT = (
    "it is tried again; if it goes on, the hub may not accept this gate's certificate, "
    "or a proxy on the way cuts the line"
)


class Failure(NamedTuple):
    """What went wrong, as the end of a sentence, and what to do about it."""

    what: str
    hint: str

    def unavailable(self) -> HubUnavailable:
        """Return it as an error."""
        return HubUnavailable(f"the hub cannot be reached: {self.what}", hint=self.hint)


# OpenSSL's X509_V_ERR_*, as Python hands them out in `verify_code`.
_WRONG_SIGNATURE = 7  # an authority of the same name with another key
_SELF_SIGNED, _SELF_SIGNED_IN_CHAIN, _NO_ISSUER, _UNVERIFIED_LEAF = 18, 19, 20, 21
_WRONG_HOST, _WRONG_ADDRESS = 62, 64

_UNTRUSTED = Failure("its certificate is of an authority that is not trusted here", _TRUST_HINT)
_MISNAMED = Failure(
    "its certificate is for another name",
    "correct the host in hub.url, or give the hub a certificate for that name",
)
_CERTIFICATES = {
    _WRONG_SIGNATURE: _UNTRUSTED,
    _SELF_SIGNED: _UNTRUSTED,
    _SELF_SIGNED_IN_CHAIN: _UNTRUSTED,
    _NO_ISSUER: _UNTRUSTED,
    _UNVERIFIED_LEAF: _UNTRUSTED,
    _WRONG_HOST: _MISNAMED,
    _WRONG_ADDRESS: _MISNAMED,
}

_REFUSED = Failure("it does not accept this gate's certificate", _CLIENT_HINT)
_TLS = (
    (
        r"CERTIFICATE_REQUIRED|PEER_DID_NOT_RETURN_A_CERTIFICATE",
        Failure("it wants a certificate of this gate, which has none", _CLIENT_HINT),
    ),
    (
        r"ALERT_(UNKNOWN_CA|(BAD_|UNSUPPORTED_)?CERTIFICATE|ACCESS_DENIED)|CERTIFICATE_UNKNOWN",
        _REFUSED,
    ),
    (r"ALERT_CERTIFICATE_EXPIRED", Failure("this gate's certificate has expired", _CLIENT_HINT)),
    (r"ALERT_CERTIFICATE_REVOKED", Failure("this gate's certificate is revoked", _CLIENT_HINT)),
    (
        r"WRONG_VERSION_NUMBER|HTTP_REQUEST|RECORD_LAYER_FAILURE",
        Failure("what answers speaks no TLS", "use http:// in hub.url, or correct its port"),
    ),
    (
        r"ALERT_HANDSHAKE_FAILURE",  # before TLS 1.3, also to who shows no certificate
        Failure("it refuses the connection, perhaps for want of a certificate", _CLIENT_HINT),
    ),
    (
        r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS|NO_SHARED_CIPHER",
        Failure("it speaks no TLS that is safe", "let the hub, or the proxy before it, speak 1.2"),
    ),
)
"""What an alert (RFC 8446 §6.2) means here, by OpenSSL's reason. Order matters: expiry first."""

_SYSTEM = {
    errno.ECONNREFUSED: "nothing listens there",
    errno.ENETUNREACH: "there is no way to its network",
    errno.EHOSTUNREACH: "there is no way to it",
    errno.ETIMEDOUT: "it does not answer",
}


def failure_of(error: BaseException, now: Instant | None = None) -> Failure:
    """Return what an exception of the HTTP client means.

    :param now: this gate's time; named where a certificate's dates and the clock disagree.
    """
    causes = list(_causes(error))
    # The client's own classes inherit from OpenSSL's, without what OpenSSL says.
    said = [cause for cause in causes if not isinstance(cause, aiohttp.ClientError)]
    for cause in said:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, now)
    for cause in said:
        if isinstance(cause, ssl.SSLError):
            return _tls(cause)
    for cause in causes:
        if (found := _proxy(cause) or _connection(cause)) is not None:
            return found
    return Failure(_unknown(error), NETWORK_HINT)


def _connection(error: BaseException) -> Failure | None:
    match error:
        case TimeoutError():
            return Failure("it did not answer in time", NETWORK_HINT)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Failure("its address cannot be one", "correct hub.url")
        case aiohttp.ClientConnectorDNSError():
            return Failure(
                "its name is not found", "check the network's DNS, hub.url and hub.proxy"
            )
        case aiohttp.ClientPayloadError():
            return Failure("its answer broke off", _CUT_HINT)
        case aiohttp.ServerDisconnectedError():
            return Failure("it cut the connection without an answer", _CUT_HINT)
        case ConnectionResetError() | BrokenPipeError():
            return Failure("the connection was cut", _CUT_HINT)
        case OSError(errno=int(number)) if number in _SYSTEM:
            return Failure(_SYSTEM[number], NETWORK_HINT)
        case aiohttp.ClientResponseError():
            hint = "what answers under hub.url may not be a hub"
            return Failure("what answers speaks no HTTP", hint)
    return None


def _proxy(error: BaseException) -> Failure | None:
    match error:
        case aiohttp.ClientHttpProxyError(status=407):
            return Failure("the proxy wants a login", "put user:password@ into hub.proxy")
        case aiohttp.ClientHttpProxyError(status=status):
            hint = "let the proxy pass connections to the hub's host and port"
            return Failure(f"the proxy answers with status {status}", hint)
        case aiohttp.ClientProxyConnectionError():
            hint = "correct hub.proxy, or the environment's https_proxy"
            return Failure("the proxy does not answer", hint)
    return None


def _certificate(error: ssl.SSLCertVerificationError, now: Instant | None) -> Failure:
    code = error.verify_code
    if code == NOT_YET_VALID:
        hint = "set this gate's clock: without a battery it starts in the past"
        return Failure(f"its certificate is not valid yet{_clock(now)}", hint)
    if code == EXPIRED:
        hint = "renew the hub's certificate; if it is valid, set this gate's clock"
        return Failure(f"its certificate has expired{_clock(now)}", hint)
    what = f"its certificate is not accepted (OpenSSL's code {code})"
    return _CERTIFICATES.get(code, Failure(what, _TRUST_HINT))


def _clock(now: Instant | None) -> str:
    """Return what this gate takes for the time, where that may well be what is wrong."""
    if now is None or now.trust is ClockTrust.SYNCHRONISED:
        return ""
    return f" by this gate's clock, which says {now.at(UTC):%Y-%m-%d %H:%M} UTC"


def _tls(error: ssl.SSLError) -> Failure:
    reason = f"{error.reason or ''} {error.args[-1] if error.args else ''}".upper()
    reason = re.sub(r"[^A-Z0-9]+", "_", reason)
    for pattern, found in _TLS:
        if re.search(pattern, reason):
            return found
    return Failure("the TLS connection failed", _TRUST_HINT)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what led to it: the client wraps what OpenSSL says."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [getattr(cause, "certificate_error", None), getattr(cause, "os_error", None)]
        waiting += [cause.__cause__, cause.__context__]


def _unknown(error: BaseException) -> str:
    return f"the connection failed ({type(error).__name__})"
