"""Everything that a decision depends on: a scan that is admitted, and all that may differ in it.

A test meets each deviation alone and in company, and says which ones it met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st

from admission.credential import (
    Certificate,
    Credential,
    CredentialKind,
    Evidence,
    Pass,
    PassKind,
    Proof,
    Signature,
)
from admission.decide import decide
from admission.hours import Hours
from admission.identity import Identifier, IdentifierKind, PersonKey
from admission.instant import ClockTrust, Instant
from admission.presence import Presence
from admission.rulebook import Rulebook
from admission.site import Direction, Place, Site, StalePolicy
from admission.standing import (
    CredentialStatus,
    Lookup,
    Officer,
    Permit,
    PersonFacts,
    Product,
    Release,
    RosterEntry,
    Standing,
    WatchEntry,
)
from admission.standing import TestResult as Result
from admission.verdict import Verdict
from tests.worlds import ManualClock, a_site

NOW = ManualClock().now()
NOW_NS = NOW.wall_ns
HOUR_NS = 3_600 * 10**9
NOW_H = NOW_NS // HOUR_NS
TODAY = date(2021, 9, 20)


class Scan(NamedTuple):
    """One question to the law."""

    credential: Credential
    standing: Standing
    site: Site
    now: Instant
    here: Presence

    def verdict(self, rulebook: Rulebook) -> Verdict:
        return decide(self.credential, self.standing, rulebook, self.site, self.now, self.here)

    def but(self, **parts: dict[str, Any]) -> Scan:
        """Return the scan with fields of its parts replaced."""
        changed = {
            name: msgspec.structs.replace(getattr(self, name), **fields)
            for name, fields in parts.items()
        }
        return self._replace(**changed)

    def known(self, **facts: Any) -> Scan:
        """Return the scan with facts of its person replaced."""
        record = self.standing.facts
        if record is None:
            return self
        return self.but(standing={"facts": msgspec.structs.replace(record, **facts)})

    def asking(self, **demands: Any) -> Scan:
        """Return the scan at a site that asks for more."""
        return self.but(site={"demands": msgspec.structs.replace(self.site.demands, **demands)})


Change = Callable[[Scan], Scan]

_REVOKED = CredentialStatus.REVOKED
_DAYS = [None, date.min, date.max]
_DAYS += [TODAY + timedelta(days=n) for n in (-190, -184, -183, -14, -13, -1, 0, 1, 5)]
_HOURS = [None, 0, NOW_H + 9_999] + [NOW_H + n for n in (-200, -73, -72, -25, -24, -1, 0, 1, 2)]
_WALLS = [-(1 << 70), -1, 0, 1 << 70] + [NOW_NS + n * HOUR_NS for n in (-505, -504, -1, 0, 1, 505)]
_TIMES = [None, Hours(0, 0), Hours(60, 61), Hours(480, 481), Hours(479, 480), Hours(1320, 481)]
_TIMES += [Hours(420, 960, 1), Hours(420, 960, 2), Hours(1320, 481, 64), Hours(1320, 481, 1)]
_FACTS: dict[str, list[Any]] = {
    "status": [_REVOKED],
    "doses": [-1, 0, 1, 3, 255],
    "product": list(Product),
    "last_dose": _DAYS,
    "recovered": _DAYS,
    "born": [*_DAYS, date(1956, 9, 20), date(1956, 9, 21)],
    "vulnerable": [True],
    "isolation_until": _DAYS,
    "tested_h": _HOURS,
    "test_result": list(Result),
    "declared_h": _HOURS,
    "symptoms": [True],
    "exposure": [True],
}
_PERMITS: dict[str, list[Any]] = {
    "status": [_REVOKED],
    "from_h": _HOURS[1:],
    "until_h": _HOURS[1:],
    "places": [1, 2, 1 << 8, 2_047],
    "district": [760, 769],
    "hours": _TIMES,
}
_ROSTER: dict[str, list[Any]] = {
    "status": [_REVOKED],
    "first_day": _DAYS,
    "last_day": _DAYS,
    "shift": _TIMES,
}
_STANDING: dict[str, list[Any]] = {
    "lookup": list(Lookup),
    "facts": [None, PersonFacts()],
    "release": [None, *(Release(1, seen, end) for seen in _WALLS for end in (0, 1 << 70))],
    "mismatch": [True],
    "differs": [True],
    "withdrawn": [True],
    "permits": [()],
    "roster": [None],
    "rostered": [False],
    "watch": [WatchEntry(status, day) for status in CredentialStatus for day in _DAYS],
    "officer": [Officer(status, 7, None, 760) for status in CredentialStatus],
    "unreadable": [("permits",), ("roster",), ("permits", "roster")],
}
_PROOF: dict[str, list[Any]] = {
    "signature": list(Signature),
    "not_before_ns": [None, *_WALLS],
    "expires_ns": [None, *_WALLS],
}
_PASS: dict[str, list[Any]] = {
    "kind": list(PassKind),
    "places": [(place,) for place in Place],
    "districts": [(760,), (769,)],
    "sites": [("site-1",), ("elsewhere",)],
    "hours": [(each,) for each in _TIMES if each],
}
_DEMANDS: dict[str, list[Any]] = {
    "declaration_max_age_h": [0, 24],
    "test_max_age_h": [0, 72],
    "permit": [True],
    "roster": [True],
    "capacity": [0, 5, 6],
    "headcount": [0, 5, 6],
    "anti_passback_s": [0, 300],
    "hours": [(each,) for each in _TIMES if each],
    "essential": [True],
}
_HERE: dict[str, list[Any]] = {
    "direction": list(Direction),
    "inside": [5, 6, 1 << 40],
    "workers_inside": [5, 6],
    "passed_ago_ns": [-1, 0, 299 * 10**9, 300 * 10**9],
    "used": [True],
    "held_off": [True],
}

_ADMITTED = PersonFacts(
    doses=2,
    product=Product.PFIZER,
    last_dose=date(2021, 6, 1),
    born=date(1990, 1, 1),
    tested_h=NOW_H,
    test_result=Result.NEGATIVE,
    declared_h=NOW_H,
)
GOOD = Scan(
    Credential(CredentialKind.PERSONAL_QR, (Identifier(IdentifierKind.QID, "1"),)),
    Standing(
        Lookup.FOUND,
        PersonKey(1),
        _ADMITTED,
        Release(7, NOW_NS - HOUR_NS, NOW_NS + HOUR_NS),
        permits=(Permit(CredentialStatus.ACTIVE, NOW_H - 1, NOW_H + 71),),
        roster=RosterEntry(CredentialStatus.ACTIVE),
        rostered=True,
    ),
    msgspec.structs.replace(a_site(), district_code=760),
    NOW,
    Presence(),
)
"""Somebody with every right, whom every place lets in."""


@cache
def deviations() -> dict[str, Change]:
    """Return everything that may differ, by what it is."""
    return dict(_deviations())


def _deviations() -> Iterator[tuple[str, Change]]:
    for part, fields in {
        "standing": _STANDING,
        "here": _HERE,
        "site": {"place": list(Place), "directive": [16, 0, 99], "stale": list(StalePolicy)},
        "now": {"wall_ns": _WALLS, "trust": list(ClockTrust)},
        "credential": {"kind": list(CredentialKind), "identifiers": [()]},
    }.items():
        for name, value in _each(fields):
            yield f"{part}.{name} = {value}", _part(part, name, value)
    for name, value in _each(_FACTS):
        yield f"facts.{name} = {value}", _fact(name, value)
        yield f"certificate.{name} = {value}", _certified(name, value)
    for name, value in _each(_DEMANDS):
        yield f"demands.{name} = {value}", _demand(name, value)
    for name, value in _each(_PERMITS):
        yield f"permit.{name} = {value}", _permitted(name, value)
    for name, value in _each(_ROSTER):
        yield f"roster.{name} = {value}", _rostered(name, value)
    for name, value in _each(_PROOF):
        yield f"proof.{name} = {value}", _proven(name, value)
    for name, value in _each(_PASS):
        yield f"pass.{name} = {value}", _granted(name, value)


def _each(fields: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, values in fields.items() for value in values)


def _part(part: str, name: str, value: Any) -> Change:
    return lambda scan: scan.but(**{part: {name: value}})


def _fact(name: str, value: Any) -> Change:
    return lambda scan: scan.known(**{name: value})


def _demand(name: str, value: Any) -> Change:
    return lambda scan: scan.asking(**{name: value})


def _permitted(name: str, value: Any) -> Change:
    def change(scan: Scan) -> Scan:
        permits = [msgspec.structs.replace(one, **{name: value}) for one in scan.standing.permits]
        return scan.but(standing={"permits": tuple(permits)})

    return change


def _rostered(name: str, value: Any) -> Change:
    def change(scan: Scan) -> Scan:
        entry = scan.standing.roster or RosterEntry(CredentialStatus.ACTIVE)
        return scan.but(standing={"roster": msgspec.structs.replace(entry, **{name: value})})

    return change


def _proven(name: str, value: Any) -> Change:
    def change(scan: Scan) -> Scan:
        proof = scan.credential.proof or Proof(Signature.VALID, "VN")
        return scan.but(credential={"proof": msgspec.structs.replace(proof, **{name: value})})

    return change


def _certified(name: str, value: Any) -> Change:
    def change(scan: Scan) -> Scan:
        shown = Certificate(Evidence.VACCINATION, PersonFacts())
        shown = scan.credential.certificate or shown
        facts = msgspec.structs.replace(shown.facts, **{name: value})
        return scan.but(credential={"certificate": msgspec.structs.replace(shown, facts=facts)})

    return change


def _granted(name: str, value: Any) -> Change:
    def change(scan: Scan) -> Scan:
        granted = scan.credential.granted or Pass(PassKind.PERMIT, b"12345678")
        granted = msgspec.structs.replace(granted, **{name: value})
        return scan.but(credential={"granted": granted})

    return change


def changed(names: list[str]) -> Scan:
    """Return the good scan with these deviations."""
    scan = GOOD
    for name in names:
        scan = deviations()[name](scan)
    return scan


scans = st.lists(st.sampled_from(sorted(deviations())), max_size=7).map(changed)
