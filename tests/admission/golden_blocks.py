"""Rows of the golden table: what blocks, whatever the card."""

from __future__ import annotations

from typing import Any

from tests.admission.golden_rows import (
    GREEN,
    HERE,
    ISOLATION,
    NEXT_DOOR,
    NOBODY,
    YELLOW,
    Row,
    row,
)

_ISOLATION = "isolation until a date → REFUSE, silent alert; neutral 'please see the officer'"
_DECLARATION = "health declaration missing or older than the site's limit → REFER"
_TICKED = "with symptoms or exposure ticked → REFER"
_TEST = "negative test required and older than its limit (72 h by default) → REFER"
_THREE_DAYS = "movement permit: valid 3 days from issue"
_STATED = "for stated places and hours"
_EXPIRED = "expired, revoked or for another district → REFUSE"
_STATIONS = "permit required at control stations under Directive 16"
_MISMATCH = "declared data that does not match the replica → REFER identity_mismatch"
_LIST = "not on the site's approved list → REFUSE"
_SHIFT = "outside the shift's hours → REFUSE"
_HEADCOUNT = "the approved headcount is reached → REFUSE"

_SEEN = f"refuse see_officer {ISOLATION}"
_MONDAY = 0b000_0001


def _until(day: str, answer: str, who: str, **more: Any) -> Row:
    now = more.pop("now", "2021-09-20 08:00")
    return row(who, {**GREEN, "isolation_until": day, **more.pop("facts", {})}, answer, _ISOLATION,
               now=now, **more)  # fmt: skip


ISOLATIONS = [
    _until("2021-09-20", _SEEN, "isolated until today"),
    _until("2021-09-21", _SEEN, "isolated until tomorrow"),
    _until("2021-09-19", "admit silent", "isolated until yesterday"),
    _until("2021-09-20", _SEEN, "the last minute of isolation", now="2021-09-20 23:59"),
    _until("2021-09-20", "admit silent", "the first minute after it", now="2021-09-21 00:00"),
    _until("2021-09-30", _SEEN, "last day of the month", now="2021-09-30 12:00"),
    _until("2021-09-30", "admit silent", "the month after", now="2021-10-01 00:00"),
    _until("2024-02-29", _SEEN, "isolated until the leap day", now="2024-02-29 22:00"),
    _until("2021-12-31", _SEEN, "isolated over the new year", now="2021-12-31 23:00"),
    *[
        _until("2021-09-25", _SEEN, f"isolated, {place} under {directive}", at=place,
               directive=directive)
        for place in ("control_station", "hospital", "factory", "outdoor_public_place")
        for directive in (15, 16)
    ],
    row("isolated, no card", {"isolation_until": "2021-09-25"}, _SEEN, _ISOLATION),
    row("isolated, essential needs", {"isolation_until": "2021-09-25"}, _SEEN, _ISOLATION,
        essential=True),
    row("isolated, with a permit", {**GREEN, "isolation_until": "2021-09-25"}, _SEEN, _ISOLATION,
        at="control_station", directive=16, permits=({"issued": "2021-09-20 06:00"},)),
    row("isolated worker on the list", {**GREEN, "isolation_until": "2021-09-25"}, _SEEN,
        _ISOLATION, at="factory", roster={}),
]  # fmt: skip


def _declared(who: str, answer: str, clause: str = _DECLARATION, **more: Any) -> Row:
    situation = {"declaration_max_age_h": 24, **more.pop("situation", {})}
    return row(who, {**GREEN, **more}, answer, clause, **situation)


_STALE = "refer declaration_needed"
DECLARATIONS = [
    _declared("declared just now", "admit", declared="2021-09-20 08:00"),
    _declared("declared 24 hours ago", "admit", declared="2021-09-19 08:00"),
    _declared("declared 25 hours ago", _STALE, declared="2021-09-19 07:00"),
    _declared("declared last month", _STALE, declared="2021-08-20 08:00"),
    _declared("never declared", _STALE),
    _declared("never declared, nobody asks", "admit", situation={"declaration_max_age_h": None}),
    _declared("limit of 72 hours, met", "admit", declared="2021-09-17 08:00",
              situation={"declaration_max_age_h": 72}),
    _declared("limit of 72 hours, passed", _STALE, declared="2021-09-17 07:00",
              situation={"declaration_max_age_h": 72}),
    _declared("symptoms", "refer see_officer", _TICKED,
              declared="2021-09-20 07:00", symptoms=True),
    _declared("exposure", "refer see_officer", _TICKED,
              declared="2021-09-20 07:00", exposure=True),
    _declared("both", "refer see_officer", _TICKED,
              declared="2021-09-20 07:00", symptoms=True, exposure=True),
    _declared("symptoms where nobody asks", "refer see_officer", _TICKED,
              declared="2021-09-20 07:00", symptoms=True,
              situation={"declaration_max_age_h": None}),
    _declared("never declared, at a factory", _STALE, situation={"at": "factory"}),
    row("yellow, never declared, factory", YELLOW, _STALE, _DECLARATION,
        at="factory", declaration_max_age_h=24),
]  # fmt: skip


def _tested(who: str, answer: str, **more: Any) -> Row:
    return row(who, {**GREEN, **more}, answer, _TEST, test_max_age_h=72)


TESTS = [
    _tested("tested an hour ago", "admit", tested="2021-09-20 07:00"),
    _tested("tested 72 hours ago", "admit", tested="2021-09-17 08:00"),
    _tested("tested 73 hours ago", "refer test_needed", tested="2021-09-17 07:00"),
    _tested("tested last month", "refer test_needed", tested="2021-08-17 08:00"),
    _tested("never tested", "refer test_needed"),
    row("never tested, nobody asks", GREEN, "admit", _TEST),
    row("limit of 24 hours, passed", {**GREEN, "tested": "2021-09-19 07:00"},
        "refer test_needed", _TEST, test_max_age_h=24),
    row("limit of 24 hours, met", {**GREEN, "tested": "2021-09-19 08:00"}, "admit", _TEST,
        test_max_age_h=24),
]  # fmt: skip


def _permitted(who: str, answer: str, clause: str, *permits: dict[str, Any], **more: Any) -> Row:
    situation = {"at": "control_station", "directive": 16, **more}
    return row(who, GREEN, answer, clause, permits=permits, **situation)


_TODAY = {"issued": "2021-09-20 06:00"}
_OVER = {"issued": "2021-09-17 08:00"}
PERMITS = [
    _permitted("permit of this morning", "admit", _THREE_DAYS, _TODAY),
    _permitted("permit in its last hour", "admit", _THREE_DAYS, {"issued": "2021-09-17 09:00"}),
    _permitted("permit in its last minute", "admit", _THREE_DAYS, {"issued": "2021-09-17 08:00"},
               now="2021-09-20 07:59"),
    _permitted("permit of three days and a minute ago", "refuse permit_expired", _THREE_DAYS,
               _OVER, now="2021-09-20 08:01"),
    _permitted("permit of last week", "refuse permit_expired", _EXPIRED,
               {"issued": "2021-09-13 08:00"}),
    _permitted("permit over the end of a month", "admit", _THREE_DAYS,
               {"issued": "2021-09-29 08:00"}, now="2021-10-02 07:00"),
    _permitted("permit not yet issued", "refuse", _THREE_DAYS, {"issued": "2021-09-21 08:00"}),
    _permitted("no permit", "refuse permit_needed", _STATIONS),
    _permitted("no permit under Directive 15", "admit", _STATIONS, directive=15),
    _permitted("no permit at a supermarket under 16", "admit", _STATIONS, at="supermarket"),
    _permitted("no permit at a hospital under 16", "admit", _STATIONS, at="hospital"),
    _permitted("no permit where a site asks for one under 15", "refuse permit_needed", _STATIONS,
               directive=15, permit_asked=True),
    _permitted("permit revoked", "refuse permit_revoked", _EXPIRED, {**_TODAY, "revoked": True}),
    _permitted("permit for this district", "admit", _STATED, {**_TODAY, "district": HERE}),
    _permitted("permit for another district", "refuse permit_elsewhere", _EXPIRED,
               {**_TODAY, "district": NEXT_DOOR}),
    _permitted("permit for stations", "admit", _STATED, {**_TODAY, "places": ("control_station",)}),
    _permitted("permit for stations and markets", "admit", _STATED,
               {**_TODAY, "places": ("supermarket", "control_station")}),
    _permitted("permit for factories", "refuse permit_elsewhere", _STATED,
               {**_TODAY, "places": ("factory",)}),
    _permitted("permit for the morning", "admit", _STATED, {**_TODAY, "at": "07:00-16:00"}),
    _permitted("permit from eight", "admit", _STATED, {**_TODAY, "at": "08:00-16:00"}),
    _permitted("permit until eight", "refuse permit_hours", _STATED,
               {**_TODAY, "at": "05:00-08:00"}),
    _permitted("permit until one past eight", "admit", _STATED, {**_TODAY, "at": "05:00-08:01"}),
    _permitted("permit for the night", "refuse permit_hours", _STATED,
               {**_TODAY, "at": "22:00-06:00"}),
    _permitted("permit for the night, at 05:59", "admit", _STATED,
               {"issued": "2021-09-19 06:00", "at": "22:00-06:00"}, now="2021-09-20 05:59"),
    _permitted("two permits, one over", "admit", _STATED, _OVER, _TODAY),
    _permitted("two permits, one revoked", "admit", _STATED, {**_TODAY, "revoked": True}, _TODAY),
    _permitted("two permits, neither sound", "refuse", _EXPIRED, _OVER,
               {**_TODAY, "district": NEXT_DOOR}),
    _permitted("declared data differ", "refer identity_mismatch", _MISMATCH, _TODAY, differs=True),
    row("declared data differ, supermarket", GREEN, "refer identity_mismatch", _MISMATCH,
        differs=True),
    row("numbers of two people in one code", GREEN, "refer identity_mismatch", _MISMATCH,
        mismatch=True),
]  # fmt: skip


def _worker(who: str, answer: str, clause: str, roster: Any, **more: Any) -> Row:
    return row(who, GREEN, answer, clause, **{"at": "factory", "roster": roster, **more})


_LATE = {"shift": "22:00-06:00", "weekdays": _MONDAY}
ROSTERS = [
    _worker("on the list", "admit", _LIST, {}),
    _worker("on the list of an office", "admit", _LIST, {}, at="office"),
    _worker("not on the list", "refuse not_on_roster", _LIST, False),
    _worker("not on the list of an office", "refuse not_on_roster", _LIST, False, at="office"),
    _worker("not on the list, a school has none", "admit", _LIST, False, at="school"),
    _worker("struck off", "refuse not_on_roster", _LIST, {"revoked": True}),
    _worker("listed until today", "admit", _LIST, {"last": "2021-09-20"}),
    _worker("listed until yesterday", "refuse not_on_roster", _LIST, {"last": "2021-09-19"}),
    _worker("listed from today", "admit", _LIST, {"first": "2021-09-20"}),
    _worker("listed from tomorrow", "refuse not_on_roster", _LIST, {"first": "2021-09-21"}),
    _worker("first minute of the shift", "admit", _SHIFT, {"shift": "08:00-16:00"}),
    _worker("a minute early", "refuse outside_shift", _SHIFT, {"shift": "08:01-16:00"}),
    _worker("shift just over", "refuse outside_shift", _SHIFT, {"shift": "00:00-08:00"}),
    _worker("day shift, night", "refuse outside_shift", _SHIFT, {"shift": "07:00-16:00"},
            now="2021-09-20 22:00"),
    _worker("night shift, 22:00", "admit", _SHIFT, {"shift": "22:00-06:00"},
            now="2021-09-20 22:00"),
    _worker("night shift, 21:59", "refuse outside_shift", _SHIFT, {"shift": "22:00-06:00"},
            now="2021-09-20 21:59"),
    _worker("night shift, midnight", "admit", _SHIFT, {"shift": "22:00-06:00"},
            now="2021-09-21 00:00"),
    _worker("night shift, 05:59", "admit", _SHIFT, {"shift": "22:00-06:00"},
            now="2021-09-21 05:59"),
    _worker("night shift, 06:00", "refuse outside_shift", _SHIFT, {"shift": "22:00-06:00"},
            now="2021-09-21 06:00"),
    _worker("Monday's night, Monday evening", "admit", _SHIFT, _LATE, now="2021-09-20 23:00"),
    _worker("Monday's night, Tuesday at 02:00", "admit", _SHIFT, _LATE, now="2021-09-21 02:00"),
    _worker("Monday's night, Monday at 02:00", "refuse outside_shift", _SHIFT, _LATE,
            now="2021-09-20 02:00"),
    _worker("Monday's night, Tuesday evening", "refuse outside_shift", _SHIFT, _LATE,
            now="2021-09-21 23:00"),
    _worker("Sunday's night, Monday at 02:00", "admit", _SHIFT,
            {"shift": "22:00-06:00", "weekdays": 0b100_0000}, now="2021-09-20 02:00"),
    _worker("weekdays only, on Sunday", "refuse outside_shift", _SHIFT,
            {"shift": "07:00-16:00", "weekdays": 0b001_1111}, now="2021-09-19 08:00"),
    _worker("weekdays only, on Friday", "admit", _SHIFT,
            {"shift": "07:00-16:00", "weekdays": 0b001_1111}, now="2021-09-24 08:00"),
    _worker("one place left of the headcount", "admit", _HEADCOUNT, {},
            headcount=200, workers_inside=199),
    _worker("headcount reached", "refuse headcount_reached", _HEADCOUNT, {},
            headcount=200, workers_inside=200),
    _worker("headcount passed", "refuse headcount_reached", _HEADCOUNT, {},
            headcount=200, workers_inside=230),
    row("yellow worker on the list", YELLOW, "admit card=yellow", _LIST, at="factory", roster={}),
    row("worker on the list without a card", NOBODY, "refuse no_card",
        "none: REFUSE at a shop or factory", at="factory", roster={}),
]  # fmt: skip

BLOCKS = [*ISOLATIONS, *DECLARATIONS, *TESTS, *PERMITS, *ROSTERS]
