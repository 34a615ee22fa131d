"""Makes DCCs for tests: an issuer of its own, and everything about a code that can go wrong."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import cbor2
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from admission.credentials import base45, cose
from tests.worlds import chot_data

P256 = ec.derive_private_key(0xDCC, ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
FROM = datetime(2021, 1, 1, tzinfo=UTC)
UNTIL = datetime(2023, 1, 1, tzinfo=UTC)
NOW = datetime(2021, 9, 20, 1, 0, tzinfo=UTC)
ISSUED_S, EXPIRES_S = 1_630_000_000, 1_660_000_000
NS = 1_000_000_000

TEST, VACCINATION, RECOVERY = (f"1.3.6.1.4.1.1847.2021.1.{n}" for n in (1, 2, 3))
CLIENT = "1.3.6.1.5.5.7.3.2"


def certificate(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = P256, *purposes: str, country: str = "VN"
) -> bytes:
    """Return a self-signed DSC in DER, valid from `FROM` until `UNTIL`."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, country)])
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(FROM)
        .not_valid_after(UNTIL)
    )
    if purposes:
        usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(p) for p in purposes])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def vaccination(**changes: Any) -> dict[str, Any]:
    """Return a payload with one dose; the changes are of its entry, None leaves a field out."""
    entry = {
        "tg": "840539006",
        "vp": "1119349007",
        "mp": "EU/1/20/1528",
        "ma": "ORG-100030215",
        "dn": 2,
        "sd": 2,
        "dt": "2021-08-01",
        "co": "VN",
        "is": "Bo Y te",
        "ci": "URN:UVCI:01:VN:0123456789ABCDEF#7",
        **changes,
    }
    return person(v=[{key: value for key, value in entry.items() if value is not None}])


def test(**changes: Any) -> dict[str, Any]:
    """Return a payload with one negative test."""
    entry = {
        "tg": "840539006",
        "tt": "LP6464-4",
        "nm": "qPCR",
        "sc": "2021-09-19T08:30:00+07:00",
        "tr": "260415000",
        "tc": "Tram y te",
        "co": "VN",
        "is": "Bo Y te",
        "ci": "URN:UVCI:01:VN:TEST",
        **changes,
    }
    return person(t=[{key: value for key, value in entry.items() if value is not None}])


def recovery(**changes: Any) -> dict[str, Any]:
    """Return a payload with one recovery."""
    entry = {
        "tg": "840539006",
        "fr": "2021-06-01",
        "co": "VN",
        "is": "Bo Y te",
        "df": "2021-06-15",
        "du": "2021-12-01",
        "ci": "URN:UVCI:01:VN:REC",
        **changes,
    }
    return person(r=[{key: value for key, value in entry.items() if value is not None}])


test.__test__ = False  # type: ignore[attr-defined]


def person(**groups: Any) -> dict[str, Any]:
    """Return a payload's frame around groups."""
    name = {"fn": "Nguyễn", "gn": "Văn An", "fnt": "NGUYEN", "gnt": "VAN<AN"}
    return {"ver": "1.3.0", "nam": name, "dob": "1987-01-18", **groups}


def claims(payload: Any, **changes: Any) -> dict[Any, Any]:
    """Return a CWT around a payload; `issuer`, `issued` and `expires` may be changed."""
    found = {"issuer": "VN", "issued": ISSUED_S, "expires": EXPIRES_S, **changes}
    labels = {"issuer": 1, "issued": 6, "expires": 4}
    head = {labels[key]: value for key, value in found.items() if value is not None}
    return {**head, -260: {1: payload}}


def code(
    content: dict[Any, Any],
    der: bytes,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = P256,
) -> str:
    """Return the text of a code for claims, signed by the key under the certificate's key id."""
    algorithm = cose.ES256 if isinstance(key, ec.EllipticCurvePrivateKey) else cose.PS256
    key_id = hashlib.sha256(der).digest()[:8]
    protected, payload = cbor2.dumps({1: algorithm, 4: key_id}), cbor2.dumps(content)
    signed = cose.signed_bytes(protected, payload)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    else:
        signature = key.sign(signed, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())
    return text(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, signature])))


def text(message: bytes) -> str:
    """Return the text of a code around COSE bytes."""
    return "HC1:" + base45.encode(zlib.compress(message))


def vectors() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield relative path and content of the vectors of dgc-testdata."""
    root = chot_data("dcc", "dgc-testdata")
    for path in sorted(root.rglob("*.json")):
        vector = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        if isinstance(vector.get("EXPECTEDRESULTS"), dict):
            yield path.relative_to(root).as_posix(), vector
