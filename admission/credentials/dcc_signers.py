"""Whose signatures on EU Digital COVID Certificates count: the trust list of a gate.

A `trust_document` of the format `chot-dcc-signers/1`, each entry an array:

| entry | content |
|---|---|
| kid | first 8 bytes of SHA-256 over the certificate's DER (eu-dcc-hcert-spec, clause 3.3.1) |
| country | two capital letters |
| public key | SubjectPublicKeyInfo, DER |
| not before, not after | validity of the certificate, seconds since the Unix epoch, inclusive |
| uses | bits of `Use`; 0 = every kind of certificate |

One bad entry takes nobody else's trust away: it is left out and listed in `Signers.refused`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from enum import IntFlag
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from admission.credential import Evidence
from admission.credentials import dcc_certificate
from admission.credentials.cose import PublicKey
from admission.credentials.trust_document import DocumentForm
from admission.errors import MalformedError, TrustError

MAX_SIGNERS = 20_000
"""Entries of the largest list. The EU's gateway held about 800."""
FORM = DocumentForm("chot-dcc-signers/1", "signers", 8 << 20, MAX_SIGNERS)
MAX_PUBLIC_KEY_BYTES = 1_100
"""An RSA key of 8,192 bits."""
KEY_ID_BYTES = 8

_RSA_BITS = range(2_048, 8_193)
_MAX_TIME_S = 1 << 40


class Use(IntFlag):
    """What a signer may certify (eu-dcc-hcert-spec, annex A.4). None of them means everything."""

    TEST = 1
    VACCINATION = 2
    RECOVERY = 4


USE_OF = {
    Evidence.TEST: Use.TEST,
    Evidence.VACCINATION: Use.VACCINATION,
    Evidence.RECOVERY: Use.RECOVERY,
}
PURPOSES = {
    f"{arc}.{number}": use
    for arc in ("1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1")
    for number, use in enumerate((Use.TEST, Use.VACCINATION, Use.RECOVERY), start=1)
}
"""Key purposes of the specification; the second arc is what its first version printed."""


class Signer(msgspec.Struct, frozen=True, array_like=True):
    """One entry. `not_before_s` and `not_after_s` are seconds since the Unix epoch, inclusive."""

    key_id: bytes
    country: str
    public_key: bytes
    not_before_s: int
    not_after_s: int
    uses: int = 0

    def may_certify(self, evidence: Evidence) -> bool:
        """Return whether the signer's certificate allows it to certify this."""
        return not self.uses or bool(self.uses & USE_OF[evidence])


class Signers:
    """A trust list in use. `refused` says of every entry that was left out why.

    Public keys are decoded when a signature first needs them, and kept.
    """

    def __init__(self, signers: Iterable[Signer], refused: Iterable[str] = ()) -> None:
        self._by_key_id: dict[bytes, tuple[Signer, ...]] = {}
        for signer in signers:
            self._by_key_id[signer.key_id] = (*self._by_key_id.get(signer.key_id, ()), signer)
        self.refused = tuple(refused)
        self._keys: dict[bytes, PublicKey | None] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_key_id.values()))

    def __iter__(self) -> Iterator[Signer]:
        return (signer for signers in self._by_key_id.values() for signer in signers)

    def of(self, key_id: bytes) -> tuple[Signer, ...]:
        """Return all signers with this key id: eight bytes of a digest are not unique."""
        return self._by_key_id.get(key_id, ())

    def key_of(self, signer: Signer) -> PublicKey | None:
        """Return the signer's public key, None where it is of no kind that may sign here."""
        try:
            return self._keys[signer.public_key]
        except KeyError:
            key = self._keys[signer.public_key] = _decoded(signer.public_key)
            return key


NOBODY = Signers(())


def signer_of(der: bytes) -> Signer:
    """Return the entry of one document signer certificate (DSC).

    Key purposes that are none of the specification's constrain nothing: dozens of certificates of
    the field name TLS client or e-mail protection.

    :raises TrustError: if its key, dates or purposes cannot be read, or the key may not sign here.
    """
    try:
        certificate = dcc_certificate.read(der)
    except MalformedError as error:
        msg = f"the certificate cannot be read: {error}"
        raise TrustError(msg, hint="check that the file is one certificate in DER") from error
    if _decoded(certificate.public_key) is None:
        raise TrustError(
            "its key can sign no EU certificate", hint="wanted: P-256, P-384, P-521 or RSA"
        )
    uses = Use(0)
    for purpose in certificate.purposes:
        uses |= PURPOSES.get(purpose, Use(0))
    return Signer(
        hashlib.sha256(der).digest()[:KEY_ID_BYTES],
        certificate.country,
        certificate.public_key,
        certificate.not_before_s,
        certificate.not_after_s,
        int(uses),
    )


def write_signers(signers: Iterable[Signer]) -> bytes:
    """Return the document, ordered by key id. The same signers give the same bytes.

    :raises TrustError: if it would be larger than `read_signers` reads.
    """
    ordered = sorted(set(signers), key=lambda s: (s.key_id, s.public_key, s.country, s.uses))
    return FORM.write(ordered)


def read_signers(data: bytes) -> Signers:
    """Return the trust list of a document, without the entries that are unusable.

    :raises TrustError: if the document as a whole is oversized, damaged or of another format.
    """
    signers, refused = [], []
    for index, entry in enumerate(FORM.read(data)):
        try:
            signers.append(_signer(entry))
        except (msgspec.ValidationError, ValueError) as error:
            refused.append(f"signer {index}: {error}")
    return Signers(signers, refused)


def _signer(entry: Any) -> Signer:
    signer = msgspec.convert(entry, Signer, strict=True)
    if len(signer.key_id) != KEY_ID_BYTES:
        raise ValueError("its key id has another length than 8 bytes")
    if not (signer.country.isascii() and len(signer.country) <= 2):
        raise ValueError("its country is none")
    if not 0 < len(signer.public_key) <= MAX_PUBLIC_KEY_BYTES:
        raise ValueError("its key has an impossible length")
    if not -_MAX_TIME_S < signer.not_before_s <= signer.not_after_s < _MAX_TIME_S:
        raise ValueError("its dates are impossible")
    if not 0 <= signer.uses <= 7:
        raise ValueError("its uses are unknown")
    return signer


def _decoded(public_key: bytes) -> PublicKey | None:
    try:
        key = load_der_public_key(public_key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name.startswith("secp"):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in _RSA_BITS:
        return key
    return None
