"""A genuine code of every signed kind, by issuers of this run, with its bare signature's check."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from admission.credential import Holder, Pass, PassKind
from admission.credentials import base45, base64url, chot_pass, cose, pass_claims
from admission.credentials.canonical_json import canonical
from admission.credentials.dcc_signers import Signer, Signers
from admission.credentials.health_card_issuers import IssuerKey, Issuers, thumbprint
from admission.credentials.pass_content import PassClaims
from admission.credentials.pass_issuers import PassIssuer, PassIssuers, key_id
from admission.credentials.trust import Trust
from admission.credentials.vds_nc_authorities import Authorities, AuthorityEntry
from admission.identity import PersonKey
from admission.instant import Instant
from admission.site import Place

SHA256 = hashes.SHA256()
PSS = padding.PSS(padding.MGF1(SHA256), SHA256.digest_size)
ISSUER_URL = "https://example.org/issuer"
_DAY_S = 86_400


class Signed(NamedTuple):
    """One code, and the check of its signature alone by `cryptography`: the floor."""

    text: str
    floor: Callable[[], None]


class Made(NamedTuple):
    """The codes by kind, and the keys under which they count."""

    codes: dict[str, Signed]
    trust: Trust


def make(now: Instant, subject: PersonKey) -> Made:
    """Return codes that are valid now; the pass is one of `subject`."""
    now_s = now.wall_ns // 1_000_000_000
    p256, pss = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65_537, 2_048)
    es, ps = _dcc(p256, now_s), _dcc(pss, now_s)
    card, health_issuer = _health_card(p256, now_s)
    seal, authority = _seal(p256, now_s)
    shown, pass_issuer = _pass(now_s, subject)
    trust = Trust(
        dcc=Signers([_signer(p256, now_s), _signer(pss, now_s)]),
        health_cards=Issuers([health_issuer]),
        seals=Authorities([authority]),
        passes=PassIssuers({key_id(pass_issuer.key): pass_issuer}),
    )
    codes = {
        "dcc_es256": es,
        "dcc_ps256": ps,
        "smart_health_card": card,
        "vds_nc": seal,
        "chot_pass": shown,
    }
    return Made(codes, trust)


def _key_id(key: Any) -> bytes:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).digest()[:8]


def _signer(key: Any, now_s: int) -> Signer:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Signer(_key_id(key), "VN", public, now_s - _DAY_S, now_s + _DAY_S)


def _dcc(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, now_s: int) -> Signed:
    entry = {
        "tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215",
        "dn": 2, "sd": 2, "dt": _day(now_s, -60), "co": "VN", "is": "Bo Y te",
        "ci": "URN:UVCI:01:VN:0123456789ABCDEF0123456789ABCDEF",
    }  # fmt: skip
    name = {"fn": "Nguyễn", "gn": "Văn An", "fnt": "NGUYEN", "gnt": "VAN<AN"}
    payload = {"ver": "1.3.0", "nam": name, "dob": "1987-01-18", "v": [entry]}
    claims = {1: "VN", 6: now_s - _DAY_S, 4: now_s + _DAY_S, -260: {1: payload}}
    is_curve = isinstance(key, ec.EllipticCurvePrivateKey)
    protected = cbor2.dumps({1: cose.ES256 if is_curve else cose.PS256, 4: _key_id(key)})
    content = cbor2.dumps(claims)
    signed = cose.signed_bytes(protected, content)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature, floor = _ecdsa(key, signed)
    else:
        signature, public = key.sign(signed, PSS, SHA256), key.public_key()
        floor = lambda: public.verify(signature, signed, PSS, SHA256)  # noqa: E731
    message = cbor2.dumps(cbor2.CBORTag(18, [protected, {}, content, signature]))
    return Signed("HC1:" + base45.encode(zlib.compress(message)), floor)


def _health_card(key: ec.EllipticCurvePrivateKey, now_s: int) -> tuple[Signed, IssuerKey]:
    numbers = key.public_key().public_numbers()
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    issuer = IssuerKey(ISSUER_URL, thumbprint(x, y), x, y)
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "Nguyễn", "given": ["Văn", "An"]}],
        "birthDate": "1987-01-18",
    }
    doses = [
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "208"}]},
            "patient": {"reference": "resource:0"},
            "occurrenceDateTime": _day(now_s, -days),
        }
        for days in (90, 60)
    ]
    entries = [
        {"fullUrl": f"resource:{i}", "resource": resource}
        for i, resource in enumerate([patient, *doses])
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    payload = {
        "iss": ISSUER_URL,
        "nbf": now_s - _DAY_S,
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": bundle},
        },
    }
    deflater = zlib.compressobj(wbits=-15)
    body = deflater.compress(json.dumps(payload, separators=(",", ":")).encode())
    body += deflater.flush()
    header = json.dumps({"zip": "DEF", "alg": "ES256", "kid": issuer.kid}).encode()
    signed = f"{base64url.encode(header)}.{base64url.encode(body)}"
    signature, floor = _ecdsa(key, signed.encode())
    jws = f"{signed}.{base64url.encode(signature)}"
    return Signed("shc:/" + "".join(f"{ord(c) - 45:02}" for c in jws), floor), issuer


def _seal(key: ec.EllipticCurvePrivateKey, now_s: int) -> tuple[Signed, AuthorityEntry]:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "UT")])
    at = datetime.fromtimestamp(now_s, UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .sign(key, SHA256)
        .public_bytes(Encoding.DER)
    )
    doses = [
        {"dvc": _day(now_s, -days), "seq": n, "ctr": "UTO", "adm": "Clinic", "lot": "A1"}
        for n, days in ((1, 90), (2, 60))
    ]
    event = {"des": "XM68M6", "nam": "Vaxzevria", "dis": "RA01.0", "vd": doses}
    person = {"n": "Nguyen Van An", "dob": "1987-01-18", "i": "B1234567"}
    message = {"uvci": "U32870", "pid": person, "ve": [event]}
    data = {"hdr": {"t": "icao.vacc", "v": 1, "is": "UTO"}, "msg": message}
    signed = canonical(data)
    signature, floor = _ecdsa(key, signed)
    sig = {
        "alg": "ES256",
        "sigvl": base64url.encode(signature),
        "cer": base64url.encode(certificate),
    }
    text = json.dumps({"data": data, "sig": sig}, separators=(",", ":"))
    return Signed(text, floor), AuthorityEntry(("UTO",), certificate, signer=True)


def _pass(now_s: int, subject: PersonKey) -> tuple[Signed, PassIssuer]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    issuer = PassIssuer(public, "district", frozenset(PassKind))
    granted = Pass(PassKind.PERMIT, b"12345678", subject, (Place.CONTROL_STATION,), (760,))
    holder = Holder("NGUYEN VAN AN", None)
    claims = PassClaims(granted, now_s - _DAY_S, now_s + _DAY_S, holder=holder)
    text = chot_pass.sign_pass(claims, key)
    message = cose.decode(base45.decode(text[len(chot_pass.PREFIX) :]))
    signed = cose.signed_bytes(message.protected, pass_claims.encode(claims))
    signature = message.signature
    return Signed(text, lambda: public.verify(signature, signed)), issuer


def _ecdsa(key: ec.EllipticCurvePrivateKey, signed: bytes) -> tuple[bytes, Callable[[], None]]:
    algorithm, public = ec.ECDSA(SHA256), key.public_key()
    der = key.sign(signed, algorithm)
    r, s = decode_dss_signature(der)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return raw, lambda: public.verify(der, signed, algorithm)


def _day(now_s: int, days: int) -> str:
    return (datetime.fromtimestamp(now_s, UTC) + timedelta(days=days)).date().isoformat()
