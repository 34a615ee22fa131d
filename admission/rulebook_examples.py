"""A rulebook's own examples: cases that the authority worked out, and what the law answers.

One example of `examples` is `{"name", "expect", "reason"?, "card"?, "facts"?, "situation"?}`.

| key of `facts` | content; what is left out is as in a record that says nothing |
|---|---|
| `doses`, `product`, `last_dose`, `recovered`, `born`, `vulnerable`, `district` | as on record |
| `isolation_until`, `revoked`, `symptoms`, `exposure` | as on record |
| `tested`, `declared` | moments with an offset; `test_result`: `negative` (default), `positive` |

| key of `situation` | content |
|---|---|
| `at` | moment with an offset at which the code is shown; 20 September 2021, 08:00 by default |
| `place`, `directive`, `district` | the site's; a supermarket under Directive 15 by default |
| `record` | `false`: nobody is on record |
| `permit` | `{"issued", "valid_h"?, "places"?, "district"?, "hours"?, "revoked"?}`, or a list |
| `roster` | `false`: not on the site's list; `true` or `{"shift"?, "last_day"?}`: on it |
| `pass` | `{"kind", "places"?, "districts"?, "sites"?, "hours"?}`: a valid Chốt pass is shown |
| `watched`, `identity_differs`, `leaving`, `stale`, `essential` | `true` where it is so |
| `inside`, `capacity`, `workers_inside`, `headcount` | people in the zone, and how many may be |
| `passed_ago_s`, `anti_passback_s` | since the last passage, and the site's window |
| `declaration_max_age_h`, `test_max_age_h` | what the site asks for beyond the rulebook |
| `opening_hours` | `[{"from_min", "until_min", "weekdays"?}]`, as all `hours` here |
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from admission.clauses import HOUR_NS, PLACES
from admission.credential import Credential, CredentialKind, Pass, PassKind, Proof, Signature
from admission.decide import decide
from admission.errors import RulebookError
from admission.hours import Hours
from admission.identity import PersonKey
from admission.instant import EPOCH, ClockTrust, Instant
from admission.presence import Presence
from admission.rulebook import Rulebook
from admission.rulebook_format import ExampleForm
from admission.rulebook_hints import choose, explained
from admission.site import Demands, Direction, Place, Site
from admission.standing import (
    CredentialStatus,
    Lookup,
    Permit,
    PersonFacts,
    Product,
    Release,
    RosterEntry,
    Standing,
    TestResult,
    WatchEntry,
)
from admission.verdict import Verdict

VIETNAM = timezone(timedelta(hours=7))
DEFAULT_MOMENT = datetime(2021, 9, 20, 8, tzinfo=VIETNAM)
Moment = Annotated[datetime, Meta(tz=True)]
_PRODUCTS = {product.name.lower(): product for product in Product}
T = TypeVar("T")


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part in which an unknown key is an error."""


class _Facts(_Form, frozen=True):
    doses: int = 0
    product: str = "none"
    last_dose: date | None = None
    recovered: date | None = None
    born: date | None = None
    vulnerable: bool = False
    district: int = 0
    isolation_until: date | None = None
    revoked: bool = False
    symptoms: bool = False
    exposure: bool = False
    tested: Moment | None = None
    test_result: Literal["negative", "positive"] = "negative"
    declared: Moment | None = None


class _Permit(_Form, frozen=True):
    issued: Moment
    valid_h: int = 72
    places: list[Place] = []
    district: int = 0
    hours: Hours | None = None
    revoked: bool = False


class _Roster(_Form, frozen=True):
    shift: Hours | None = None
    last_day: date | None = None


class _Pass(_Form, frozen=True):
    kind: PassKind
    places: tuple[Place, ...] = ()
    districts: tuple[int, ...] = ()
    sites: tuple[str, ...] = ()
    hours: tuple[Hours, ...] = ()


class _Situation(_Form, frozen=True, rename={"granted": "pass"}):
    at: Moment = DEFAULT_MOMENT
    place: Place = Place.SUPERMARKET
    directive: int = 15
    district: int = 0
    record: bool = True
    permit: _Permit | list[_Permit] = []
    roster: _Roster | bool | None = None
    granted: _Pass | None = None
    watched: bool = False
    identity_differs: bool = False
    leaving: bool = False
    stale: bool = False
    inside: int = 0
    capacity: int | None = None
    workers_inside: int = 0
    headcount: int | None = None
    passed_ago_s: int | None = None
    anti_passback_s: int | None = None
    declaration_max_age_h: int | None = None
    test_max_age_h: int | None = None
    opening_hours: tuple[Hours, ...] = ()
    essential: bool = False


class Result(msgspec.Struct, frozen=True):
    """One example and the law's answer to it."""

    example: ExampleForm
    verdict: Verdict

    @property
    def holds(self) -> bool:
        """Whether the answer is the one that the example expects."""
        wanted, got = self.example, self.verdict
        return (
            wanted.expect is got.outcome
            and wanted.reason in {None, got.reason}
            and wanted.card in {None, got.card}
        )


def run_example(rulebook: Rulebook, example: ExampleForm) -> Result:
    """Return the law's answer to one example.

    :raises RulebookError: if the example is malformed; the message names the key, the hint what
        may stand there.
    """
    facts = _read(example, "facts", _Facts)
    situation = _read(example, "situation", _Situation)
    if facts.product not in _PRODUCTS:
        msg = f"the example {example.name!r} is wrong at facts.product: {facts.product[:64]!r}"
        raise RulebookError(msg, hint=choose(facts.product, _PRODUCTS))
    record = _record(facts)
    now = Instant(_ns(situation.at), 0, "example", ClockTrust.SYNCHRONISED)
    verdict = decide(
        _credential(situation),
        _standing(situation, record, rulebook, now),
        rulebook,
        _site(situation),
        now,
        _presence(situation),
    )
    return Result(example, verdict)


def _read(example: ExampleForm, key: Literal["facts", "situation"], form: type[T]) -> T:
    try:
        return msgspec.convert(getattr(example, key), form)
    except msgspec.ValidationError as error:
        path, text, hint = explained(error, form)
        msg = f"the example {example.name!r} is wrong at {key}{path.removeprefix('$')}: {text}"
        raise RulebookError(msg, hint=hint) from error


def _record(facts: _Facts) -> PersonFacts:
    tested = facts.tested is not None
    return PersonFacts(
        status=CredentialStatus.REVOKED if facts.revoked else CredentialStatus.ACTIVE,
        doses=facts.doses,
        product=_PRODUCTS[facts.product],
        last_dose=facts.last_dose,
        recovered=facts.recovered,
        born=facts.born,
        vulnerable=facts.vulnerable,
        isolation_until=facts.isolation_until,
        district=facts.district,
        tested_h=_hour(facts.tested),
        test_result=TestResult[facts.test_result.upper()] if tested else TestResult.NONE,
        declared_h=_hour(facts.declared),
        symptoms=facts.symptoms,
        exposure=facts.exposure,
    )


def _credential(situation: _Situation) -> Credential:
    if situation.granted is None:
        return Credential(CredentialKind.PERSONAL_QR)
    shown = situation.granted
    granted = Pass(
        shown.kind,
        b"example",
        PersonKey(1),
        shown.places,
        shown.districts,
        shown.sites,
        shown.hours,
    )
    return Credential(CredentialKind.CHOT_PASS, proof=Proof(Signature.VALID), granted=granted)


def _standing(
    situation: _Situation, record: PersonFacts, rulebook: Rulebook, now: Instant
) -> Standing:
    age_ns = rulebook.replica_max_age_ns + HOUR_NS if situation.stale else HOUR_NS
    permits = situation.permit if isinstance(situation.permit, list) else [situation.permit]
    active = CredentialStatus.ACTIVE
    entry = _Roster() if situation.roster is True else situation.roster
    return Standing(
        Lookup.FOUND if situation.record else Lookup.NOT_FOUND,
        PersonKey(1),
        record if situation.record else None,
        Release(1, now.wall_ns - age_ns, now.wall_ns + HOUR_NS),
        differs=situation.identity_differs,
        permits=tuple(_permit(one) for one in permits),
        roster=_entry(entry) if isinstance(entry, _Roster) else None,
        rostered=situation.roster is not None,
        watch=WatchEntry(active) if situation.watched else None,
    )


def _entry(roster: _Roster) -> RosterEntry:
    return RosterEntry(CredentialStatus.ACTIVE, None, roster.last_day, roster.shift)


def _permit(one: _Permit) -> Permit:
    from_h = _ns(one.issued) // HOUR_NS
    places = sum(1 << PLACES.index(place) for place in set(one.places))
    status = CredentialStatus.REVOKED if one.revoked else CredentialStatus.ACTIVE
    return Permit(status, from_h, from_h + one.valid_h, places, one.district, one.hours)


def _site(situation: _Situation) -> Site:
    return Site(
        "example",
        "Example",
        situation.place,
        str(situation.district),
        situation.directive,
        VIETNAM,
        situation.district,
        Demands(
            declaration_max_age_h=situation.declaration_max_age_h,
            test_max_age_h=situation.test_max_age_h,
            capacity=situation.capacity,
            headcount=situation.headcount,
            anti_passback_s=situation.anti_passback_s,
            hours=situation.opening_hours,
            essential=situation.essential,
        ),
    )


def _presence(situation: _Situation) -> Presence:
    ago_s = situation.passed_ago_s
    return Presence(
        Direction.OUT if situation.leaving else Direction.IN,
        situation.inside,
        situation.workers_inside,
        None if ago_s is None else ago_s * 1_000_000_000,
    )


def _ns(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1_000


def _hour(at: datetime | None) -> int | None:
    return None if at is None else _ns(at) // HOUR_NS
