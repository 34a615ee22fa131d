"""National authorities, signers and seals for the tests of VDS-NC, made once with fixed keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from admission.credential import Credential, Signature
from admission.credentials import base64url
from admission.credentials.canonical_json import canonical
from admission.credentials.vds_nc_authorities import SIGNER_PURPOSE, Authorities, AuthorityEntry

AUTHORITY_FROM, AUTHORITY_UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
SIGNER_FROM, SIGNER_UNTIL = datetime(2021, 6, 1, tzinfo=UTC), datetime(2031, 6, 1, tzinfo=UTC)

P384, P521 = ec.SECP384R1, ec.SECP521R1
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@cache
def ec_key(secret: int = 11, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Any:
    return ec.derive_private_key(secret, curve())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2_048)


def name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "UT"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def authority(
    key: PrivateKey, *, ca: bool = True, called: str = "Utopia CSCA", key_id: bytes | None = None
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(called))
        .issuer_name(name(called))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(AUTHORITY_FROM)
        .not_valid_after(AUTHORITY_UNTIL)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    own = x509.SubjectKeyIdentifier(key_id or b"utopia")
    return der(builder.add_extension(own, critical=False).sign(key, hashes.SHA256()))


def signer(
    issuer_key: PrivateKey,
    key: Any,
    *,
    purposes: tuple[str, ...] = (SIGNER_PURPOSE,),
    issuer: str = "Utopia CSCA",
    key_id: bytes | None = b"utopia",
    rsa_padding: Any = None,
    hashed: Any = None,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("Ministry of Health"))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_before(SIGNER_FROM)
        .not_valid_after(SIGNER_UNTIL)
    )
    if purposes:
        usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(p) for p in purposes])
        builder = builder.add_extension(usage, critical=True)
    if key_id is not None:
        ours = x509.AuthorityKeyIdentifier(key_id, None, None)
        builder = builder.add_extension(ours, critical=False)
    hashed = hashed or hashes.SHA256()
    return der(builder.sign(issuer_key, hashed, rsa_padding=rsa_padding))


def pss(salt: int = 32) -> padding.PSS:
    return padding.PSS(padding.MGF1(hashes.SHA256()), salt)


def vaccination(**changed: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "uvci": "U32870",
        "pid": {"n": "Nguyen Van An", "dob": "1987-01-18", "i": "B1234567"},
        "ve": [
            {
                "des": "XM68M6",
                "nam": "Vaxzevria",
                "dis": "RA01.0",
                "vd": [
                    {"dvc": "2021-06-01", "seq": "1", "ctr": "UTO", "adm": "H", "lot": "1"},
                    {"dvc": "2021-08-22", "seq": 2, "ctr": "UTO", "adm": "H", "lot": "2"},
                ],
            }
        ],
    }
    return {"hdr": {"t": "icao.vacc", "v": 1, "is": "UTO"}, "msg": message | changed}


def seal(
    data: dict[str, Any], certificate: bytes, key: Any, algorithm: str = "ES256"
) -> dict[str, Any]:
    """Return a sealed `data`: the JSON object that a barcode holds."""
    made: dict[str, Callable[[], hashes.HashAlgorithm]] = {
        "ES256": hashes.SHA256,
        "ES384": hashes.SHA384,
        "ES512": hashes.SHA512,
    }
    r, s = decode_dss_signature(key.sign(canonical(data), ec.ECDSA(made[algorithm]())))
    half = (key.curve.key_size + 7) // 8
    value = r.to_bytes(half, "big") + s.to_bytes(half, "big")
    signed = {"alg": algorithm, "sigvl": base64url.encode(value)}
    return {"data": data, "sig": signed | {"cer": base64url.encode(certificate)}}


@cache
def csca() -> bytes:
    return authority(ec_key(5, P384))


@cache
def ministry() -> bytes:
    return signer(ec_key(5, P384), ec_key())


def authorities(*certificates: bytes, issuers: tuple[str, ...] = ("UTO",)) -> Authorities:
    return Authorities(AuthorityEntry(issuers, c) for c in certificates or (csca(),))


def outcome_of(found: Credential) -> Signature | None:
    return None if found.proof is None else found.proof.signature


@cache
def example() -> str:
    return json.dumps(seal(vaccination(), ministry(), ec_key()))
