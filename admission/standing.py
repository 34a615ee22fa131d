"""What is known about one credential's holder at one moment: the replica's answer to the law."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import IntEnum, StrEnum

import msgspec

from admission.hours import Hours
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

    __hash__ = int.__hash__  # Enum's own is Python, and asked at every look-up

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


class TestResult(IntEnum):
    """Result of the last test on record. Values are on the wire."""

    __test__ = False

    NONE = 0
    NEGATIVE = 1
    POSITIVE = 2


class PersonFacts(msgspec.Struct, frozen=True, gc=False):
    """Eligibility facts of one person. Dates are calendar dates in Vietnam; None = not known/none.

    `vulnerable` is underlying disease or immunosuppression; age counts from `born`.
    `isolation_until` is the last day of isolation (F0 at home, F1 in quarantine), inclusive.
    `district` is the code of the district of residence (0 = not stated).
    `tested_h` and `declared_h` are when the last test's sample was taken and the last health
    declaration made, in hours since the Unix epoch (UTC); `symptoms` and `exposure` are its two
    ticks. `identity` is `identity.identity_digest` of name and birth date (0 = not on record).
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
    tested_h: int | None = None
    test_result: TestResult = TestResult.NONE
    declared_h: int | None = None
    symptoms: bool = False
    exposure: bool = False
    identity: int = 0


class Permit(msgspec.Struct, frozen=True, gc=False):
    """One movement permit on record. `from_h` and `until_h` are hours since the epoch (UTC).

    It counts from `from_h` and before `until_h`. `places` holds one bit per `site.Place` in the
    order of that enum, 0 = any; `district` is a code, 0 = any; `hours` None = at any time.
    """

    status: CredentialStatus
    from_h: int
    until_h: int
    places: int = 0
    district: int = 0
    hours: Hours | None = None


class RosterEntry(msgspec.Struct, frozen=True, gc=False):
    """One worker on a site's approved list. Dates inclusive, None = open; `shift` None = any."""

    status: CredentialStatus
    first_day: date | None = None
    last_day: date | None = None
    shift: Hours | None = None


class WatchEntry(msgspec.Struct, frozen=True, gc=False):
    """Somebody whom an authority looks for. `until` is the last day, inclusive; None = open."""

    status: CredentialStatus
    until: date | None = None


class Officer(msgspec.Struct, frozen=True, gc=False):
    """An officer's account. `district` is the code of where it counts, 0 = everywhere."""

    status: CredentialStatus
    number: int
    last_day: date | None = None
    district: int = 0


class Withdrawal(msgspec.Struct, frozen=True, gc=False):
    """One credential's entry in the dataset `credentials`.

    `not_before_h` limits it to those that were issued before that hour (UTC, since the epoch);
    None = all.
    """

    status: CredentialStatus = CredentialStatus.REVOKED
    not_before_h: int | None = None


class Release(msgspec.Struct, frozen=True, gc=False):
    """The release that answered: its sequence, and when the hub last vouched for it.

    `vouched_ns` is the `issued` time (wall, ns since the epoch) of the newest signed head naming
    this release. `expires_ns` is when that head stops counting.
    """

    sequence: int
    vouched_ns: int
    expires_ns: int


class Standing(msgspec.Struct, frozen=True, gc=False):
    """One look-up's answer.

    `person` stands for whoever was found, the same whichever of their identifiers was shown: the
    first 62 bits of the key under which their record stands, the others zero. Of somebody who was
    not found it is the first key that was looked for.

    `mismatch` says that the credential's identifiers lead to records that contradict each other,
    `differs` that the declared name and birth date are not those on record, `withdrawn` that the
    credential itself was revoked. `unreadable` names the datasets whose answer could not be read.
    `roster` is None for somebody who is not on it; `rostered` says whether this site has one here.
    """

    lookup: Lookup
    person: PersonKey | None = None
    facts: PersonFacts | None = None
    release: Release | None = None
    mismatch: bool = False
    differs: bool = False
    withdrawn: bool = False
    permits: tuple[Permit, ...] = ()
    roster: RosterEntry | None = None
    rostered: bool = False
    watch: WatchEntry | None = None
    officer: Officer | None = None
    unreadable: tuple[str, ...] = ()


def combined(records: Sequence[PersonFacts]) -> tuple[PersonFacts, bool]:
    """Return what the records of one credential's identifiers say together, and whether they clash.

    The first one's facts, with every block of the others: nobody gets past a revocation or an
    isolation by adding somebody else's number to a code. Records of one person differ in nothing
    but their status; any other difference is a clash.

    :param records: at least one, in the order of the identifiers.

    >>> from datetime import date
    >>> green, ill = PersonFacts(doses=2), PersonFacts(isolation_until=date(2021, 9, 30))
    >>> facts, clash = combined([green, ill])
    >>> facts.doses, facts.isolation_until, clash
    (2, datetime.date(2021, 9, 30), True)
    """
    first, others = records[0], records[1:]
    if not others:
        return first, False
    strictest = max(record.status for record in records)
    until = [record.isolation_until for record in records if record.isolation_until is not None]
    clash = any(msgspec.structs.replace(record, status=first.status) != first for record in others)
    facts = msgspec.structs.replace(
        first, status=CredentialStatus(strictest), isolation_until=max(until, default=None)
    )
    return facts, clash
