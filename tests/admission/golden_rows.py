"""How the rows of the golden table are written, and the people and moments in them.

A row reads: who, in which situation, what the policy answers, and the policy's own words. Nobody
in it is computed: dates, hours and answers were worked out by hand from the policy's text.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from admission.credential import Credential, CredentialKind, Proof, Signature
from admission.decide import decide
from admission.hours import EVERY_DAY, Hours
from admission.instant import ClockTrust, Instant
from admission.presence import Presence
from admission.rulebook import Rulebook
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
    WatchEntry,
)
from admission.standing import TestResult as Result
from admission.verdict import Alert, Verdict
from tests.admission.situations import CODE
from tests.worlds import VIETNAM, a_site

HERE, NEXT_DOOR = 760, 769
"""Districts: the gate's, and another one."""
GREEN: dict[str, Any] = {"doses": 2, "last_dose": "2021-08-01"}
YELLOW: dict[str, Any] = {"doses": 1, "last_dose": "2021-08-01"}
NOBODY: dict[str, Any] = {}
_DATES = frozenset({"last_dose", "recovered", "born", "isolation_until"})
_PLACES = tuple(Place)


class Row(NamedTuple):
    """One line of the table. `reason` is "" where the policy names none."""

    who: str
    person: dict[str, Any]
    situation: dict[str, Any]
    answer: str
    clause: str


def row(who: str, person: dict[str, Any], answer: str, clause: str, **situation: Any) -> Row:
    """Return a row; `answer` is an outcome, and after it a reason, a card, alerts, `leave=n`."""
    return Row(who, person, situation, answer, clause)


def answered(rulebook: Rulebook, one: Row) -> Verdict:
    """Return what the law says to a row."""
    situation = dict(one.situation)
    now = moment(situation.pop("now", "2021-09-20 08:00"))
    at = _site(situation)
    here = _presence(situation)
    credential = _credential(situation)
    standing = _standing(one.person, situation, now)
    assert not situation, f"not understood: {situation}"
    return decide(credential, standing, rulebook, at, now, here)


def said(verdict: Verdict) -> set[str]:
    """Return all that a verdict says, in the words of the table's answers."""
    words = {verdict.outcome.value, verdict.reason.value, f"card={verdict.card}"}
    words |= {f"alert={alert}" for alert in verdict.alerts}
    words |= {f"leave={verdict.to_leave}"} if verdict.to_leave is not None else set()
    return words | ({"silent"} if not verdict.alerts else set())


def moment(text: str) -> Instant:
    """Return the moment of a local time in Vietnam."""
    local = datetime.fromisoformat(text).replace(tzinfo=VIETNAM)
    return Instant(int(local.timestamp()) * 10**9, 0, "boot-1", ClockTrust.SYNCHRONISED)


def hours(text: str, weekdays: int = EVERY_DAY) -> Hours:
    """Return the hours of `22:00-06:00`."""
    (from_h, from_min), (until_h, until_min) = (
        map(int, part.split(":")) for part in text.split("-")
    )
    return Hours(from_h * 60 + from_min, until_h * 60 + until_min, weekdays)


def _hour(text: str) -> int:
    return moment(text).wall_ns // (3_600 * 10**9)


def _site(situation: dict[str, Any]) -> Site:
    names = ("permit_asked", "roster_asked")
    asked = {name.removesuffix("_asked"): situation.pop(name, False) for name in names}
    for name in ("declaration_max_age_h", "test_max_age_h", "capacity", "headcount"):
        asked[name] = situation.pop(name, None)
    opening = situation.pop("open", None)
    demands = Demands(
        **asked,
        anti_passback_s=situation.pop("window_s", None),
        essential=situation.pop("essential", False),
        hours=() if opening is None else (hours(opening),),
    )
    at = a_site(Place(situation.pop("at", "supermarket")), situation.pop("directive", 15))
    return msgspec.structs.replace(at, district_code=HERE, demands=demands)


def _presence(situation: dict[str, Any]) -> Presence:
    ago_s = situation.pop("passed_ago_s", None)
    return Presence(
        Direction.OUT if situation.pop("leaving", False) else Direction.IN,
        inside=situation.pop("inside", 0),
        workers_inside=situation.pop("workers_inside", 0),
        passed_ago_ns=None if ago_s is None else ago_s * 10**9,
    )


def _credential(situation: dict[str, Any]) -> Credential:
    expires = situation.pop("code_expires", None)
    if expires is None:
        return CODE
    proof = Proof(Signature.VALID, "VN", expires_ns=moment(expires).wall_ns)
    return msgspec.structs.replace(CODE, kind=CredentialKind.CHOT_PASS, proof=proof)


def _standing(person: dict[str, Any], situation: dict[str, Any], now: Instant) -> Standing:
    facts = {
        name: date.fromisoformat(value) if name in _DATES else value
        for name, value in person.items()
    }
    if "last_dose" in facts:
        facts["product"] = Product[facts.get("product", "pfizer").upper()]
    for ours, theirs in (("declared", "declared_h"), ("tested", "tested_h")):
        if ours in facts:
            facts[theirs] = _hour(facts.pop(ours))
            facts |= {"test_result": Result.NEGATIVE} if ours == "tested" else {}
    if facts.pop("revoked", False):
        facts["status"] = CredentialStatus.REVOKED
    watched = situation.pop("watched_until", None)
    roster = situation.pop("roster", None)
    return Standing(
        Lookup.NOT_FOUND if situation.pop("unknown", False) else Lookup.FOUND,
        facts=PersonFacts(**facts),
        release=Release(7, now.wall_ns - 10**12, now.wall_ns + 10**15),
        differs=situation.pop("differs", False),
        mismatch=situation.pop("mismatch", False),
        permits=tuple(_permit(**each) for each in situation.pop("permits", ())),
        rostered=roster is not None,
        roster=_entry(**roster) if isinstance(roster, dict) else None,
        watch=WatchEntry(CredentialStatus.ACTIVE, date.fromisoformat(watched)) if watched else None,
    )


def _permit(
    issued: str,
    places: tuple[str, ...] = (),
    district: int = 0,
    at: str | None = None,
    revoked: bool = False,
) -> Permit:
    """A permit of three days."""
    return Permit(
        CredentialStatus.REVOKED if revoked else CredentialStatus.ACTIVE,
        _hour(issued),
        _hour(issued) + 72,
        sum(1 << _PLACES.index(Place(place)) for place in places),
        district,
        hours(at) if at else None,
    )


def _entry(
    shift: str | None = None,
    weekdays: int = EVERY_DAY,
    first: str | None = None,
    last: str | None = None,
    revoked: bool = False,
) -> RosterEntry:
    return RosterEntry(
        CredentialStatus.REVOKED if revoked else CredentialStatus.ACTIVE,
        date.fromisoformat(first) if first else None,
        date.fromisoformat(last) if last else None,
        hours(shift, weekdays) if shift else None,
    )


ISOLATION = f"alert={Alert.ISOLATION}"
