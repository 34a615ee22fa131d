"""Codes that are nearly genuine: each kind spoilt on one layer, and sealed again above it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import cbor2
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from admission.credentials import (
    backup_number,
    base45,
    base64url,
    chot_pass,
    cose,
    pass_claims,
    rotating_code,
    typed_code,
)
from admission.credentials.dcc_bloom import write_bloom_filter
from admission.credentials.dcc_revocations import (
    HashType,
    Mode,
    RevocationList,
    Revocations,
    SliceEntry,
    SliceType,
)
from admission.credentials.dcc_signers import Signers, signer_of
from admission.credentials.pass_issuers import key_id
from admission.credentials.rotating_scheme import Scheme, SchemeTable
from admission.credentials.trust import Trust
from admission.errors import MalformedError
from tests.admission.credentials import dcc_codes, health_cards, passes, seals
from tests.fuzz.mutations import DEEP, DIGITS, Mutator

SECRET = "00112233445566778899aabbccddeeff" * 2
_INSURANCE = (
    "DN4790123456789",
    "Trần Thị Bình".encode().hex(),
    "18/01/1987",
    "2",
    "4142",
    "79 - 025",
    "01/01/2021",
    "31/12/2021",
)
UNSIGNED = (
    "001093029317|NGUYEN VAN A|1987-01-18|0|162979388586171100|<1<00<0123232422",
    "001087029317|TRAN THI BINH|1987-01-18|0|1629793|999<2<GD4790123456789<0901234567<sig",
    "000187000017|023456789|Trần Thị Bình|18011987|Nữ|Phường 1, Quận 3|01072021",
    "000187000017|Trần Thị Bình|18011987|Nữ|Phường 1, Quận 3|01072021",
    "|".join(_INSURANCE),
    typed_code.render(5_721_300_486),
    backup_number.grouped(backup_number.render(5_721_300_486_001)),
)
WALLETS = (
    Scheme(SchemeTable("wallet", SECRET)),
    Scheme(
        SchemeTable("bare", SECRET, pattern="B:{id}:{totp_value_1}{totp_value_0}", digits=(8, 9))
    ),
)
NOW_MS = 1_632_099_600_000


@cache
def dsc() -> bytes:
    return dcc_codes.certificate()


@cache
def revocations() -> RevocationList:
    """Return a list under the signer's key id that holds nobody who is shown."""
    part = SliceEntry("a", SliceType.BLOOM_FILTER, 1 << 35, write_bloom_filter([bytes(16)]))
    return RevocationList(signer_of(dsc()).key_id, Mode.POINT, tuple(HashType), (part,))


@cache
def trust() -> Trust:
    """Return a trust in every issuer of this module, with revocations."""
    return Trust(
        dcc=Signers([signer_of(dsc())]),
        revoked=Revocations((revocations(),)),
        health_cards=health_cards.issuers(),
        seals=seals.authorities(),
        passes=passes.trusting(),
        rotating=WALLETS,
    )


def _dcc(m: Mutator) -> str:
    made = m.random.choice((dcc_codes.vaccination, dcc_codes.test, dcc_codes.recovery))()
    layer = m.random.randrange(8)
    content: Any = dcc_codes.claims(m.tree(made) if layer == 0 else made)
    if layer == 1:
        content = m.tree(content)
    payload = m.data(_cbor(content)) if layer == 2 else _cbor(content)
    header: Any = {1: cose.ES256, 4: signer_of(dsc()).key_id}
    protected = _cbor(m.tree(header)) if layer == 3 else _cbor(header)
    parts: Any = [protected, {}, payload, _es256(cose.signed_bytes(protected, payload))]
    if layer == 4:
        parts = m.tree(parts)
    message = _cbor(cbor2.CBORTag(18, parts))
    if layer == 5:
        message = m.data(message)
    squeezed = zlib.compress(message)
    if layer == 6:
        squeezed = m.data(squeezed) if m.one_in(2) else zlib.compress(message * 400)
    text = "HC1:" + base45.encode(squeezed)
    return m.text(text) if layer == 7 else text


def _pass(m: Mutator) -> str:
    key, layer = passes.KEY, m.random.randrange(5)
    payload = pass_claims.encode(passes.a_permit())
    if layer == 0:
        payload = _cbor(m.tree(cbor2.loads(payload)), canonical=True)
    if layer == 1:
        payload = m.data(payload)
    message = cose.sign(payload, key, key_id=key_id(key.public_key()))[1:]
    if layer == 2:
        message = _cbor(m.tree(cbor2.loads(message)), canonical=True)
    if layer == 3:
        message = m.data(message)
    text = chot_pass.PREFIX + base45.encode(message)
    return m.text(text) if layer == 4 else text


def _health_card(m: Mutator) -> str:
    layer = m.random.randrange(6)
    made = m.random.choice((health_cards.immunization, health_cards.observation))()
    content: Any = health_cards.payload(made, health_cards.immunization())
    if layer == 0:
        content = m.tree(content)
    data = _json(content)
    if layer == 1:
        data = m.data(data)
    head: Any = {"zip": "DEF", "alg": "ES256", "kid": health_cards.issuer_key().kid}
    if layer == 2:
        head = m.tree(head)
    squeezed = health_cards.deflated(data * 400 if layer == 3 else data)
    if layer == 3 and m.one_in(2):
        squeezed = m.data(squeezed)
    jws = f"{base64url.encode(_json(head))}.{base64url.encode(squeezed)}"
    jws += "." + base64url.encode(_es256(jws.encode(), health_cards.private_key()))
    text = health_cards.shc(m.text(jws, 2)) if layer == 4 else health_cards.shc(jws)
    return m.text(text) if layer == 5 else text


def _seal(m: Mutator) -> str:
    layer, key = m.random.randrange(5), seals.ec_key()
    data: Any = seals.vaccination()
    certificate = m.data(seals.ministry()) if layer == 1 else seals.ministry()
    sealed: Any = seals.seal(data, certificate, key)
    if layer == 0:
        data = m.tree(data)
        with suppress(MalformedError):  # has no canonical form: then under the old signature
            sealed = seals.seal(data, certificate, key)
        sealed["data"] = data
    if layer == 2:
        sealed = m.tree(sealed)
    text = json.dumps(sealed, default=str, ensure_ascii=m.one_in(2))
    if layer == 3:
        return m.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
    return m.text(text) if layer == 4 else text


def _wallet(m: Mutator) -> str:
    text = rotating_code.render(m.random.choice(WALLETS), "338800.resident-17", NOW_MS)
    return m.fields(text, ":") if m.one_in(2) else m.text(text)


def _unsigned(m: Mutator) -> str:
    text = m.random.choice(UNSIGNED)
    return m.fields(text, m.random.choice("|<")) if m.one_in(2) else m.text(text)


def _random(m: Mutator) -> str:
    length = m.random.choice((0, 1, 14, 100, 1_000, 8_192))
    prefix = m.random.choice(("", "", "HC1:", "shc:/", "CHOT1:", "CHOTR1:", "{", "[{", "B:"))
    alphabet = m.random.choice(
        ("0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", "|<", '[]{}":,\\u09', "")
    )
    if alphabet:
        return prefix + "".join(m.random.choices(alphabet, k=length))
    return prefix + "".join(map(chr, m.random.choices(range(0x11_0000), k=length)))


def _shapes(m: Mutator) -> str:
    return m.random.choice(
        (
            '{"data":' * 1_000,
            "{" + '"a":[' * 1_500,
            '{"data":' + "[" * DEEP + "]" * DEEP + "}",
            '{"data":' + "9" * 8_000 + "}",
            '{"data":1' + "0" * 4_400 + "e-4400}",
            '{"a":' + DIGITS,
            "{" + ",".join(f'"{n}":0' for n in range(900)) + "}",
            "shc:/" + "9" * 8_000,
            "shc:/" + "00" * 4_000,
            "shc:/1/2/" + "5676" * 900,
            "HC1:" + "%" * 4_200,
            "HC1:" + "0" * 8_188,
            "HC1:" + base45.encode(zlib.compress(bytes(400_000))),
            "HC1:" + base45.encode(zlib.compress(b"\x81" * 60_000)),
            "HC1:" + base45.encode(zlib.compress(b"\xc2\x59\xea\x60" + b"\xff" * 60_000)),
            "HC1:" + base45.encode(zlib.compress(b"\xbf" + b"\x61a\x01" * 9_000)),
            "CHOT1:" + "0" * 8_000,
            "CHOTR1:" + "a" * 8_000,
            "B:" * 4_000,
            DIGITS,
            "9" * 8_192,
            "|" * 8_192,
            "<" * 8_192,
            "a\u0301" * 4_000,
            "\u0301" * 8_192,
            "\ud800" * 8_192,
            "\x00" * 8_192,
            "ﷺ" * 8_192,
            " " * 8_192,
            "001093029317|" + "N " * 1_000 + "|1987-01-18|0|1|<1<00<0123232422",
            "000187000017|" + "Ầ" * 8_000 + "|18011987|Nữ|a|01072021",
        )
    )


GENERATORS: dict[str, Callable[[Mutator], str]] = {
    "dcc": _dcc,
    "chot_pass": _pass,
    "smart_health_card": _health_card,
    "vds_nc": _seal,
    "rotating_code": _wallet,
    "unsigned": _unsigned,
    "random": _random,
    "shapes": _shapes,
}
"""Makers of hostile codes, by the kind that they are nearly."""


def _es256(signed: bytes, key: ec.EllipticCurvePrivateKey = dcc_codes.P256) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _cbor(value: Any, *, canonical: bool = False) -> bytes:
    """Return CBOR, a lone surrogate written as the three bytes that it must not have."""
    try:
        return bytes(cbor2.dumps(value, canonical=canonical))
    except (ValueError, cbor2.CBOREncodeError):
        return b"\x63\xed\xa0\x80"


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (ValueError, TypeError, msgspec.MsgspecError):
        return json.dumps(value, default=str).encode("utf-8", "surrogatepass")
