"""What is known about one credential's holder at one moment: the replica's answer to the law."""

from __future__ import annotations

from datetime import date
from enum import IntEnum, StrEnum

import msgspec

from admission.identity import PersonKey


class Lookup(StrEnum):
    """How the look-up ended. Only `FOUND` carries facts; nothing else may ever ADMIT."""

    FOUND = "found"
    NOT_FOUND = "not_found"
    """The replica is sound and does not know any identifier of this credential."""
    UNREADABLE = "unreadable"
    """The page that would hold the answer is damaged: cannot decide."""
    NO_REPLICA = "no_replica"
    """No release has ever been activated here."""
    NOTHING_TO_LOOK_UP = "nothing_to_look_up"
    """The credential names nobody (it was not recognised)."""


class Product(IntEnum):
    """Vaccine products of the waiting-time table (policy: card colour). Values are on the wire."""

    NONE = 0
    PFIZER = 1
    MODERNA = 2
    ASTRAZENECA = 3
    SINOPHARM = 4
    SPUTNIK_V = 5
    JANSSEN = 6
    SINOVAC = 7
    ABDALA = 8
    OTHER = 15


class CredentialStatus(IntEnum):
    """State of the identifier that was looked up. Values are on the wire."""

    ACTIVE = 0
    REVOKED = 1


class PersonFacts(msgspec.Struct, frozen=True, gc=False):
    """Eligibility facts of one person. Dates are calendar dates in Vietnam; None = not known/none.

    `vulnerable` is underlying disease or immunosuppression; age counts from `born`.
    `isolation_until` is the last day of isolation (F0 at home, F1 in quarantine), inclusive.
    `district` is the number of the district of residence (0 = not stated).
    """

    status: CredentialStatus = CredentialStatus.ACTIVE
    doses: int = 0
    product: Product = Product.NONE
    last_dose: date | None = None
    recovered: date | None = None
    born: date | None = None
    vulnerable: bool = False
    isolation_until: date | None = None
    district: int = 0


class Release(msgspec.Struct, frozen=True, gc=False):
    """The release that answered: its sequence, and when the hub last vouched for it.

    `vouched_ns` is the `issued` time (wall, ns since the epoch) of the newest signed head naming
    this release. `expires_ns` is when that head stops counting.
    """

    sequence: int
    vouched_ns: int
    expires_ns: int


class Standing(msgspec.Struct, frozen=True, gc=False):
    """One look-up's answer. `person` is the key that was found, or the first one looked for."""

    lookup: Lookup
    person: PersonKey | None = None
    facts: PersonFacts | None = None
    release: Release | None = None
