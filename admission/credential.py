"""A parsed credential: what a code claims and proves, before anybody has looked it up."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from admission.hours import Hours
from admission.identity import Identifier, PersonKey
from admission.site import Place
from admission.standing import PersonFacts


class CredentialKind(StrEnum):
    """Formats this gate knows. Values are on the wire and in metrics; add, never rename."""

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

    PERSONAL_QR = "personal_qr"
    """National personal QR, Decision 1405/QĐ-BTTTT v1.1."""
    CITIZEN_CARD = "citizen_card"
    """QR of the chip-based citizen card (CCCD)."""
    INSURANCE_CARD = "insurance_card"
    """QR of the health-insurance card (BHYT)."""
    TYPED_CODE = "typed_code"
    """Numeric code sent by SMS, typed or scanned, with a Damm check digit."""
    BACKUP_NUMBER = "backup_number"
    """Number printed on paper for the day when the code cannot be read."""
    ROTATING_CODE = "rotating_code"
    """A wallet's rotating barcode (TOTP, RFC 6238)."""
    DCC = "dcc"
    """EU Digital COVID Certificate, `HC1:`."""
    SMART_HEALTH_CARD = "smart_health_card"
    """SMART Health Card, `shc:/`."""
    VDS_NC = "vds_nc"
    """ICAO Visible Digital Seal for non-constrained environments."""
    CHOT_PASS = "chot_pass"  # noqa: S105 - the name of a format
    """Chốt's own signed pass, `CHOT1:`."""
    PLUGGED_IN = "plugged_in"
    """A format that an integrator's parser knows (entry point `chot.credentials`)."""
    UNRECOGNISED = "unrecognised"
    """Unknown, malformed, oversized or hostile."""


class Signature(StrEnum):
    """How the check of a signed credential ended."""

    VALID = "valid"
    INVALID = "invalid"
    """A trusted issuer's key of that id is known here, and the signature does not hold under it."""
    UNKNOWN_ISSUER = "unknown_issuer"
    """No key of that id is trusted here: nothing is proven, and nothing refuted."""
    WRONG_USE = "wrong_use"
    """It holds under a trusted key that is not allowed to sign this kind of credential."""


class Proof(msgspec.Struct, frozen=True, gc=False):
    """What a signed credential proves of itself. Times are wall time, ns since the Unix epoch.

    `issuer` is a country or an issuer's name, nothing personal. The credential counts from
    `not_before_ns` on and before `expires_ns`; None = no such limit. `withdrawn_as` are the names
    under which its revocation would stand in the dataset `credentials`. `key_id` is that of the
    signature, for revocations that are published per key.
    """

    signature: Signature
    issuer: str = ""
    not_before_ns: int | None = None
    expires_ns: int | None = None
    withdrawn_as: tuple[Identifier, ...] = ()
    key_id: bytes = b""


class Evidence(StrEnum):
    """What a health certificate is about."""

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

    VACCINATION = "vaccination"
    TEST = "test"
    RECOVERY = "recovery"


class Certificate(msgspec.Struct, frozen=True):
    """The content of a health certificate.

    `facts` says it in the terms of the replica, so that the same rules give the same card. `data`
    is the certificate's own JSON for an issuing or accepting country's CertLogic rules, or None
    for a format that has none. It counts from `first_day` through `last_day`, None = no such limit:
    what it says of itself, beside its signature's validity (`Proof`).
    """

    evidence: Evidence
    facts: PersonFacts
    data: Any = None
    first_day: date | None = None
    last_day: date | None = None

    def counts_on(self, day: date) -> bool:
        """Return whether the certificate says of itself that it counts on this day."""
        begun = self.first_day is None or self.first_day <= day
        return begun and (self.last_day is None or day <= self.last_day)


class PassKind(StrEnum):
    """What a Chốt pass is for."""

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

    CARD = "card"
    """A printed personal card: a signed identity, and no right of its own."""
    PERMIT = "permit"
    """A movement permit."""
    VISITOR = "visitor"
    """A visitor's pass: stands in for the card and the roster where the rulebook lets it."""
    OFFICER = "officer"
    """An officer's badge."""


class Pass(msgspec.Struct, frozen=True):
    """The rights that a Chốt pass grants. Empty `places`, `districts`, `sites`, `hours` = any.

    `number` is the pass's own (`cti`), `subject` the person it was issued to, if it names one.
    `districts` are district codes. `officer` is the number on an officer's badge.
    """

    kind: PassKind
    number: bytes
    subject: PersonKey | None = None
    places: tuple[Place, ...] = ()
    districts: tuple[int, ...] = ()
    sites: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()
    officer: int | None = None


class Doubt(StrEnum):
    """What does not fit inside an unsigned code. Warns an officer; nothing is refused for it."""

    BIRTH_YEAR_DIFFERS = "birth_year_differs"
    """The citizen number's birth year is not the declared one."""
    SEX_DIFFERS = "sex_differs"
    """The citizen number's sex is not the declared one."""
    PROVINCE_UNKNOWN = "province_unknown"
    """The number begins with a province code that was never assigned."""
    NUMBER_NOT_UNIQUE = "number_not_unique"
    """An old identity number of a range that was issued twice: it identifies nobody."""
    ISSUED_BEFORE_BIRTH = "issued_before_birth"


class Holder(msgspec.Struct, frozen=True, gc=False):
    """Who the code says holds it. In an unsigned code declared, never proven."""

    name: str
    born: date | None = None


class Credential(msgspec.Struct, frozen=True):
    """What one code says. `identifiers` are in order of authority; none means nobody to look up.

    `proof` is None for an unsigned code. `once` is what may be used once only within the code's
    validity, empty where a code may be shown again. `format` names an integrator's format.
    """

    kind: CredentialKind
    identifiers: tuple[Identifier, ...] = ()
    holder: Holder | None = None
    proof: Proof | None = None
    certificate: Certificate | None = None
    granted: Pass | None = None
    doubts: tuple[Doubt, ...] = ()
    once: bytes = b""
    format: str = ""


UNRECOGNISED = Credential(CredentialKind.UNRECOGNISED)


def masked_name(name: str) -> str:
    """Return a name that its owner recognises and the queue does not learn.

    The given name (last word in Vietnamese order) stays, every other word keeps its first letter.

    >>> masked_name("NGUYEN VAN AN")
    'N***** V** AN'
    >>> masked_name("AN")
    'A*'
    """
    words = name.split()[:8]
    if not words:
        return ""
    hidden = [w[0] + "*" * min(len(w) - 1, 12) for w in words]
    return " ".join([*hidden[:-1], words[-1][:24]]) if len(words) > 1 else hidden[0]
