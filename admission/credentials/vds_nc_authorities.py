"""Who may sign VDS-NC seals: national authorities (CSCA), and signers that are trusted directly.

A `trust_document` of the format `chot-vds-authorities/1`, each entry
`{"issuers", "certificate", "signer"}`: the issuing states for which it counts (three letters, `is`
of a seal's header), the DER certificate, and whether it is a signer's own instead of a CSCA's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

from admission.credential import Signature
from admission.credentials import certificate_chain as chain
from admission.credentials.certificate_chain import PublicKey
from admission.credentials.der import CertificateParts, certificate_parts
from admission.credentials.trust_document import DocumentForm
from admission.errors import MalformedError

MAX_AUTHORITIES = 2_000
FORM = DocumentForm("chot-vds-authorities/1", "VDS-NC authorities", 8 << 20, MAX_AUTHORITIES)
MAX_SIGNERS_KEPT = 256
"""Signers of verified chains that are remembered, so that a queue costs one chain."""
SIGNER_PURPOSE = "2.23.136.1.1.14.2"
"""Extended key usage of a VDS-NC signer (ICAO, Visible Digital Seals for Non-Constrained
Environments, clause on the certificate profile)."""

_ISSUER = re.compile(r"[A-Z]{1,3}")


class AuthorityEntry(msgspec.Struct, frozen=True, gc=False):
    """One trusted certificate of the document."""

    issuers: tuple[str, ...]
    certificate: bytes
    signer: bool = False


class Signer(msgspec.Struct, frozen=True):
    """A signer's key, for whom it counts and when: ns since the Unix epoch, until excluded.

    `outcome` is VALID, or WRONG_USE for one whose certificate is not for seals.
    """

    key: PublicKey
    issuers: tuple[str, ...]
    from_ns: int
    until_ns: int
    outcome: Signature = Signature.VALID


class _Authority(msgspec.Struct, frozen=True):
    parts: CertificateParts
    key: PublicKey
    issuers: tuple[str, ...]


class Authorities:
    """The authorities of a document. `refused` names the entries that count for nothing, and why.

    A certificate's key is made when a seal first needs it.
    """

    def __init__(self, entries: Iterable[AuthorityEntry], refused: Iterable[str] = ()) -> None:
        self.refused = list(refused)
        self._signers: dict[bytes, Signer] = {}
        self._pinned: dict[bytes, AuthorityEntry] = {}
        self._authorities: dict[object, list[AuthorityEntry]] = {}
        self._made: dict[bytes, _Authority | None] = {}
        self._count = 0
        for i, entry in enumerate(entries):
            try:
                self._add(entry)
            except MalformedError as error:
                self.refused.append(f"certificate {i}: {error}")

    def __len__(self) -> int:
        return self._count

    def signer(self, certificate: bytes) -> Signer | Signature:
        """Return the signer of a certificate, or why it is nobody's: UNKNOWN_ISSUER or INVALID.

        INVALID if an authority of that name and key is trusted here and did not sign it.

        :raises MalformedError: if the certificate cannot be read.
        """
        digest = hashlib.sha256(certificate).digest()
        known = self._signers.get(digest)
        if known is not None:
            return known
        found = self._find(certificate, digest)
        if isinstance(found, Signer):
            if len(self._signers) >= MAX_SIGNERS_KEPT:
                self._signers.clear()
            self._signers[digest] = found
        return found

    def _add(self, entry: AuthorityEntry) -> None:
        checked(entry)
        parts = certificate_parts(entry.certificate)
        if entry.signer:
            self._pinned[hashlib.sha256(entry.certificate).digest()] = entry
        else:
            self._authorities.setdefault(chain.name_of(parts.subject), []).append(entry)
        self._count += 1

    def _find(self, certificate: bytes, digest: bytes) -> Signer | Signature:
        parts = certificate_parts(certificate)
        pinned = self._pinned.get(digest)
        if pinned is not None:
            return _signer(parts, pinned.issuers, parts.not_before_ns, parts.not_after_ns)
        outcome = Signature.UNKNOWN_ISSUER
        for entry in self._authorities.get(chain.name_of(parts.issuer), ()):
            authority = self._authority(entry)
            if authority is None or not chain.issued_under(parts, authority.parts):
                continue
            outcome = Signature.INVALID
            if chain.signature_holds(parts, authority.key):
                return _signer(
                    parts,
                    authority.issuers,
                    max(parts.not_before_ns, authority.parts.not_before_ns),
                    min(parts.not_after_ns, authority.parts.not_after_ns),
                    _outcome(parts),
                )
        return outcome

    def _authority(self, entry: AuthorityEntry) -> _Authority | None:
        name = entry.certificate
        if name not in self._made:
            parts = certificate_parts(entry.certificate)
            try:
                self._made[name] = _Authority(parts, chain.public_key(parts), entry.issuers)
            except MalformedError as error:
                self._made[name] = None
                self.refused.append(f"{'/'.join(entry.issuers)}: {error}")
        return self._made[name]


def read_authorities(data: bytes) -> Authorities:
    """Return the authorities of a document. An entry that is wrong is left out and named.

    :raises TrustError: if the document is unusable as a whole: too large, no msgpack, of another
        format, or with over `MAX_AUTHORITIES` entries.
    """
    entries: list[AuthorityEntry] = []
    refused: list[str] = []
    for i, entry in enumerate(FORM.read(data)):
        try:
            entries.append(msgspec.convert(entry, AuthorityEntry))
        except msgspec.ValidationError as error:
            refused.append(f"entry {i}: {error}")
    return Authorities(entries, refused)


def write_authorities(entries: Iterable[AuthorityEntry]) -> bytes:
    """Return the document of these entries: the same bytes for the same entries in any order."""
    return FORM.write(sorted(set(entries), key=lambda e: (e.issuers, e.signer, e.certificate)))


def checked(entry: AuthorityEntry) -> AuthorityEntry:
    """Return the entry if a gate can use it.

    :raises MalformedError: if it names no state, its certificate or key cannot be read, or it is
        neither an authority's nor marked as a signer's.
    """
    if not 0 < len(entry.issuers) <= 8 or not all(map(_ISSUER.fullmatch, entry.issuers)):
        raise MalformedError("it names no issuing states of one to three capital letters")
    parts = certificate_parts(entry.certificate)
    if not entry.signer and not chain.may_issue(parts):
        raise MalformedError("it is not an authority's certificate (basic constraints, key usage)")
    return entry


def _signer(
    parts: CertificateParts,
    issuers: tuple[str, ...],
    from_ns: int,
    last_ns: int,
    outcome: Signature = Signature.VALID,
) -> Signer:
    until_ns = last_ns + 1_000_000_000
    return Signer(chain.public_key(parts), issuers, from_ns, until_ns, outcome)


def _outcome(parts: CertificateParts) -> Signature:
    """Return WRONG_USE for a passport's signer: the same authority vouches for both."""
    purposes = chain.purposes(parts)
    allowed = purposes is not None and SIGNER_PURPOSE in purposes
    return Signature.VALID if allowed else Signature.WRONG_USE
