"""Who becomes a device: tokens given out, requests judged, certificates issued and renewed."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable

import msgspec

from admission.enrolment import SECRET_BYTES, Token, token_hash
from admission.instant import Instant
from hub.authority import Authority
from hub.certificate_request import CertificateRequest
from hub.devices import require_allowed, require_name
from hub.errors import ForbiddenError, HubError, UnauthorisedError
from hub.store.devices import Device
from hub.store.enrolment import (
    EnrolmentRequest,
    EnrolmentToken,
    IssuedCertificate,
    RequestState,
)
from hub.store.port import Store

MAX_TOKEN_HOURS = 24
REQUEST_LIFE_NS = 7 * 86_400 * 10**9
"""How long a request waits for a person."""
FETCH_NS = 24 * 3_600 * 10**9
"""How long an approved gate may fetch what it was given; its token is worth nothing afterwards."""
_NUMBER_BYTES = 5

RandomBytes = Callable[[int], bytes]


async def give_token(
    store: Store, token: Token, device: str, hours: int, now: Instant
) -> EnrolmentToken:
    """Keep what the hub knows of a token that is given out: never its secret.

    :param device: the name that the gate will have; empty lets it say one.
    :raises HubError: if the device's name is not one.
    """
    if device:
        require_name(device)
    kept = EnrolmentToken(
        secret_sha256=token_hash(token.secret),
        site=token.site,
        serial=token.serial,
        device=device,
        created_ns=now.wall_ns,
        expires_ns=now.wall_ns + hours * 3_600 * 10**9,
    )
    await store.put_enrolment_token(kept)
    return kept


async def apply(
    store: Store, secret: bytes, asked: CertificateRequest, now: Instant, random_bytes: RandomBytes
) -> EnrolmentRequest | IssuedCertificate:
    """Return the certificate of a gate that was approved, or its request, which waits.

    Safe to repeat: the same token and key give the same answer.

    :raises UnauthorisedError: if the secret is no token's.
    :raises ForbiddenError: if the token is used up, or for something else than is asked for.
    """
    request = await _request_of(store, secret, asked, now, random_bytes)
    if request.state is RequestState.PENDING:
        return request
    return await _certificate_of(store, request, now)


async def require_approved(
    store: Store, secret: bytes, asked: CertificateRequest, now: Instant
) -> Device:
    """Return the device that a token has become, for a day after a person has approved it.

    :raises UnauthorisedError: if the secret is no token's.
    :raises ForbiddenError: if nobody approved it, it is denied, or the day is over.
    """
    request = await _request_of(store, secret, asked, now, None)
    if request.state is RequestState.PENDING:
        raise ForbiddenError("nobody has approved this request yet")
    await _certificate_of(store, request, now)
    return await _device_of(store, request.public_key)


async def renew(
    store: Store,
    authority: Authority,
    asked: CertificateRequest,
    now: Instant,
    random_bytes: RandomBytes,
) -> EnrolmentRequest | IssuedCertificate:
    """Return a device's next certificate, or the request that waits since the last one has ended.

    The request is signed with the device's key, which is what counts. Before half of its life the
    certificate that there is comes back: repeated requests make no more of them.

    :raises ForbiddenError: if the key is no device's, or one's that is denied or says other names.
    """
    device = await _device_of(store, asked.public_key)
    if (device.name, device.site, device.serial) != (asked.device, asked.site, asked.serial):
        raise ForbiddenError("the request names another device, site or serial number")
    newest = await store.newest_certificate(asked.public_key)
    if newest is None:
        raise ForbiddenError("this device was never enrolled: it needs a token")
    if now.wall_ns >= newest.not_after_ns:
        return await store.file_request(_request(b"", asked, now, random_bytes))
    if now.wall_ns < (newest.not_before_ns + newest.not_after_ns) // 2:
        return newest
    issued = authority.issue(device.name, device.site, device.serial, device.public_key, now)
    if not await store.issue(issued):
        raise ForbiddenError("this device is denied")
    return issued


async def approve(
    store: Store, authority: Authority, number: str, now: Instant, *, replace: bool
) -> EnrolmentRequest:
    """Approve a pending request and return it.

    :param replace: whether another gate's key of the same name may end to count.
    :raises HubError: if it is not pending, has waited too long, or the name or key is taken.
    """
    request = await _pending(store, number)
    if now.wall_ns - request.created_ns > REQUEST_LIFE_NS:
        msg = f"request {request.number} is older than a week"
        raise HubError(msg, hint="deny it, and give the gate a new token")
    before = await store.device_by_name(request.device)
    _require_free(request, before, await store.device_by_key(request.public_key), replace=replace)
    issued = authority.issue(request.device, request.site, request.serial, request.public_key, now)
    device = Device(
        name=request.device,
        enrolled_ns=now.wall_ns,
        public_key=request.public_key,
        site=request.site,
        serial=request.serial,
        expires_ns=issued.not_after_ns,
    )
    if not await store.approve(request.number, device, issued, now.wall_ns):
        raise _not_pending(number)
    return request


async def refuse(store: Store, number: str, now: Instant) -> EnrolmentRequest:
    """Deny a pending request and return it. A gate that is enrolled already is denied with it.

    :raises HubError: if it is not pending.
    """
    request = await _pending(store, number)
    if not await store.refuse(request.number, now.wall_ns):
        raise _not_pending(number)
    if not request.secret_sha256:
        await store.set_denied(request.device, now.wall_ns)
    return request


def new_secret(random_bytes: RandomBytes) -> bytes:
    """Return a secret that nobody else has."""
    return random_bytes(SECRET_BYTES)


async def _request_of(
    store: Store,
    secret: bytes,
    asked: CertificateRequest,
    now: Instant,
    random_bytes: RandomBytes | None,
) -> EnrolmentRequest:
    """Return the request that a token has made, or makes now where `random_bytes` are given."""
    hashed = token_hash(secret)
    token = await store.enrolment_token(hashed)
    if token is None or not hmac.compare_digest(token.secret_sha256, hashed):
        raise UnauthorisedError("the token is not known here")
    _require_meant(token, asked)
    request = await store.request_of_token(hashed)
    if request is None:
        if now.wall_ns >= token.expires_ns:
            raise ForbiddenError("the token has expired")
        if random_bytes is None:
            raise ForbiddenError("nobody has asked with this token yet")
        request = await store.file_request(_request(hashed, asked, now, random_bytes))
    if (request.public_key, request.device) != (asked.public_key, asked.device):
        raise ForbiddenError("the token has been used already, by another key")
    if request.state is RequestState.DENIED:
        raise ForbiddenError("the request was denied at the hub")
    since_ns = request.created_ns if request.decided_ns is None else request.decided_ns
    life_ns = REQUEST_LIFE_NS if request.state is RequestState.PENDING else FETCH_NS
    if now.wall_ns - since_ns > life_ns:
        raise ForbiddenError("the token has been used already, and its time is over")
    return request


def _require_meant(token: EnrolmentToken, asked: CertificateRequest) -> None:
    if asked.site != token.site:
        raise ForbiddenError("the token is for another site")
    if asked.serial != token.serial:
        raise ForbiddenError("the token is for hardware with another serial number")
    if token.device not in {"", asked.device}:
        raise ForbiddenError("the token is for a device of another name")


async def _certificate_of(
    store: Store, request: EnrolmentRequest, now: Instant
) -> IssuedCertificate:
    await _device_of(store, request.public_key)
    newest = await store.newest_certificate(request.public_key)
    if newest is None or now.wall_ns >= newest.not_after_ns:
        raise ForbiddenError("the certificate of this request has ended")
    return newest


async def _device_of(store: Store, public_key: bytes) -> Device:
    device = await store.device_by_key(public_key)
    if device is None:
        raise ForbiddenError("the key is of no enrolled device")
    require_allowed(device)
    return device


async def _pending(store: Store, number: str) -> EnrolmentRequest:
    for request in await store.requests():
        if request.number == number.upper() and request.state is RequestState.PENDING:
            return request
    raise _not_pending(number)


def _require_free(
    request: EnrolmentRequest, named: Device | None, keyed: Device | None, *, replace: bool
) -> None:
    if keyed is not None and keyed.name != request.device:
        msg = f"this key is registered already, as {keyed.name}"
        raise HubError(msg, hint=f"set appliance.device to {keyed.name} at the gate")
    if named is None:
        return
    if named.public_key not in {b"", request.public_key}:
        if not replace:
            msg = f"there is a {named.name} already, with another key"
            hint = "if this gate takes its place: --replace; the other one's key ends to count"
            raise HubError(msg, hint=hint)
    elif named.denied:
        msg = f"{named.name} is denied"
        raise HubError(msg, hint=f"first: chot hub device allow {named.name}")


def _request(
    hashed: bytes, asked: CertificateRequest, now: Instant, random_bytes: RandomBytes
) -> EnrolmentRequest:
    return EnrolmentRequest(
        number=base64.b32encode(random_bytes(_NUMBER_BYTES)).decode("ascii"),
        secret_sha256=hashed,
        created_ns=now.wall_ns,
        **msgspec.structs.asdict(asked),
    )


def _not_pending(number: str) -> HubError:
    msg = f"no request {number} is waiting"
    return HubError(msg, hint="`chot hub enrol list` names those that are")
