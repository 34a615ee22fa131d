"""Gates that ask a hub for a certificate, for tests of who gets one."""

from __future__ import annotations

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admission.enrolment import Token
from admission.instant import Instant
from appliance.certificates import Names, request_for
from hub import enrolment
from hub.certificate_request import CertificateRequest, read_request
from hub.store.port import Store

NAMES = Names("gate-1", "site-1", "serial-1")
TOKEN = Token(b"s" * 16, b"p" * 32, "https://hub.example.org", NAMES.site, NAMES.serial)
KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32)
DAY_NS = 86_400 * 10**9


def csr(names: Names = NAMES, key: Ed25519PrivateKey = KEY) -> bytes:
    return request_for(names, key)


def asked(names: Names = NAMES, key: Ed25519PrivateKey = KEY) -> CertificateRequest:
    return read_request(csr(names, key))


def later(now: Instant, days: float) -> Instant:
    return msgspec.structs.replace(now, wall_ns=now.wall_ns + int(days * DAY_NS))


async def give(store: Store, now: Instant, *, device: str = "", hours: int = 24) -> None:
    await enrolment.give_token(store, TOKEN, device, hours, now)
