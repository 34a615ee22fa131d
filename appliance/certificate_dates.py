"""The dates of the hub's certificate, judged by this gate's own clock instead of the system's.

OpenSSL knows the system's clock alone, which starts in 1970 where there is no battery; the gate's
own knows what the hub has vouched for. Judged within the handshake: nothing has been sent then.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any

from admission.instant import Instant

NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h): the chain counts, its dates do not."""
NOT_YET_VALID, EXPIRED = 9, 10
"""OpenSSL's X509_V_ERR_*, as Python hands them out in `verify_code`."""
_NS = 1_000_000_000


def judge_by(context: ssl.SSLContext, now: Callable[[], Instant] | None) -> None:
    """Have a client's context judge the server's dates by this clock, and not by the system's.

    While nobody vouches for the clock's date, dates do not count: the hub has to be reached to be
    asked for the time. None: they never count.
    """
    context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    if now is not None:
        context.sslobject_class = _judging(now)


def _judging(now: Callable[[], Instant]) -> type[ssl.SSLObject]:
    class Judged(ssl.SSLObject):
        """A connection whose handshake ends with a look at the dates."""

        def do_handshake(self) -> None:
            """Do the handshake; fails like OpenSSL where the certificate does not hold now."""
            super().do_handshake()
            instant = now()
            if instant.dated:
                _require_valid(self.getpeercert() or {}, instant.wall_ns / _NS)

    return Judged


def _require_valid(certificate: Mapping[str, Any], now_s: float) -> None:
    if now_s < ssl.cert_time_to_seconds(certificate["notBefore"]):
        raise _invalid(NOT_YET_VALID, "certificate is not yet valid")
    if now_s > ssl.cert_time_to_seconds(certificate["notAfter"]):
        raise _invalid(EXPIRED, "certificate has expired")


def _invalid(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, message)
    error.verify_code, error.verify_message = code, message
    return error
