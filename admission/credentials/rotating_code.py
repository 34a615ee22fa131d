"""A wallet's rotating barcode: the id of its object, when it was made, and a one-time password.

Google Wallet's `rotatingBarcode` (walletobjects.v1) with `TOTP_SHA1`: RFC 6238, whose counter is
the time at which the code was made, in whole periods; `rotating_pattern` has the pattern's grammar,
`rotating_scheme` the keys. A code proves that the telephone in hand holds the object, now: a
picture of it is worth nothing after the window, and within it opens once (`Credential.once`, for
`admission.repeat.UsedOnce`). It counts from `ahead_ms` before it was made, since telephones' clocks
differ, until `window_ms` after; the decision does the comparing. Altering the timestamp within a
period keeps the password right: it buys less than a period, and `once` stays the same.

Without a timestamp in the pattern the counters around now are tried, and an old code cannot be told
from a forged one. Prefer patterns with a timestamp.
"""

from __future__ import annotations

import hashlib
import hmac

from admission.credential import UNRECOGNISED, Credential, CredentialKind, Proof, Signature
from admission.credentials.one_time_password import hotp, time_counter
from admission.credentials.rotating_pattern import Found
from admission.credentials.rotating_scheme import Scheme, Schemes, is_object_id
from admission.errors import IssueError
from admission.identity import IdentifierKind, normalise
from admission.instant import Instant

_NS_PER_MS = 1_000_000


def parse(text: str, schemes: Schemes, now: Instant | None) -> Credential:
    """Return what a rotating code of one of the schemes claims and proves, or `UNRECOGNISED`.

    Never raises; linear in the text, with at most `MAX_COUNTERS` passwords computed. The first
    scheme that the text fits answers.

    :param now: needed for patterns without a timestamp only. Where it is None, or nobody vouches
        for its date, and no password fits, the proof says UNKNOWN_ISSUER: nothing is refuted.
    """
    for scheme in schemes:
        found = scheme.pattern.read(text)
        if found is not None and is_object_id(found.object_id):
            return _credential(scheme, found, now)
    return UNRECOGNISED


def render(scheme: Scheme, object_id: str, unix_ms: int) -> str:
    """Return the code that a wallet shows at this time.

    :raises IssueError: if this is no object id, or the time is before 1970.
    """
    if not is_object_id(object_id) or unix_ms < 0:
        raise IssueError("these parts make no rotating code")
    return scheme.pattern.write(object_id, _passwords(scheme, object_id, unix_ms), unix_ms)


def _credential(scheme: Scheme, found: Found, now: Instant | None) -> Credential:
    table = scheme.table
    shown = "".join(found.values).encode("ascii")
    secrets = scheme.object_secrets(found.object_id)
    counter, signature = None, Signature.INVALID
    candidates = _counters(scheme, found, now)
    for candidate in candidates:
        right = "".join(map(hotp, secrets, (candidate,) * len(secrets), table.digits))
        if hmac.compare_digest(right.encode("ascii"), shown):
            counter, signature = candidate, Signature.VALID
    if found.stamp_ms is None and counter is None and (now is None or not now.dated):
        signature = Signature.UNKNOWN_ISSUER
    made_ms, last_ms = _made(scheme, found, counter)
    return Credential(
        CredentialKind.ROTATING_CODE,
        (normalise(IdentifierKind.WALLET_OBJECT, found.object_id),),
        proof=Proof(
            signature,
            issuer=table.name,
            not_before_ns=None if made_ms is None else (made_ms - table.ahead_ms) * _NS_PER_MS,
            expires_ns=None if last_ms is None else (last_ms + table.window_ms) * _NS_PER_MS,
        ),
        once=b"" if counter is None else _once(table.name, found.object_id, counter),
    )


def _counters(scheme: Scheme, found: Found, now: Instant | None) -> range:
    """Return the counters to try: that of the timestamp, or those that count now."""
    table = scheme.table
    if found.stamp_ms is not None:
        counter = time_counter(found.stamp_ms, table.period_ms)
        return range(counter, counter + 1)
    if now is None:
        return range(0)
    now_ms = now.wall_ns // _NS_PER_MS
    first = time_counter(max(0, now_ms - table.window_ms), table.period_ms)
    last = time_counter(max(0, now_ms + table.ahead_ms), table.period_ms)
    return range(first, last + 1)


def _made(scheme: Scheme, found: Found, counter: int | None) -> tuple[int, int] | tuple[None, None]:
    """Return when the code was made, at the earliest and at the latest."""
    if found.stamp_ms is not None:
        return found.stamp_ms, found.stamp_ms
    if counter is None:
        return None, None
    began_ms = counter * scheme.table.period_ms
    return began_ms, began_ms + scheme.table.period_ms


def _once(scheme: str, object_id: str, counter: int) -> bytes:
    text = f"{scheme}\0{object_id}\0{counter}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16, person=b"chot rotating").digest()


def _passwords(scheme: Scheme, object_id: str, unix_ms: int) -> tuple[str, ...]:
    counter = time_counter(unix_ms, scheme.table.period_ms)
    secrets = scheme.object_secrets(object_id)
    return tuple(map(hotp, secrets, (counter,) * len(secrets), scheme.table.digits))
