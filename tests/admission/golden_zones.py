"""Rows of the golden table: zones, credentials, and several blocks at once."""

from __future__ import annotations

from tests.admission.golden_rows import GREEN, ISOLATION, NOBODY, YELLOW, row

_ISOLATION = "isolation until a date → REFUSE, silent alert; neutral 'please see the officer'"
_TICKED = "with symptoms or exposure ticked → REFER"
_FULL = "occupancy of a zone reached → REFUSE zone_full, with how many must leave first"
_AGAIN = "the same credential again in the same direction within the window → REFER"
_REVOKED = "revoked or expired credential → REFUSE"
_ESSENTIAL = "essential needs only where the site allows it"
_STRICTEST = "what blocks, whatever the card: of several the strictest answers"
_OUT = "check-out and check-in both count"

_SEEN = f"refuse see_officer {ISOLATION}"
_OVER = {"issued": "2021-09-17 08:00"}

ZONES = [
    row("empty zone", GREEN, "admit", _FULL, capacity=50, inside=0),
    row("one place left", GREEN, "admit", _FULL, capacity=50, inside=49),
    row("full", GREEN, "refuse zone_full leave=1", _FULL, capacity=50, inside=50),
    row("three too many", GREEN, "refuse zone_full leave=4", _FULL, capacity=50, inside=53),
    row("nobody may be inside", GREEN, "refuse zone_full leave=1", _FULL, capacity=0, inside=0),
    row("no limit", GREEN, "admit", _FULL, inside=5_000),
    row("yellow, full", YELLOW, "refuse zone_full leave=1", _FULL, at="office",
        capacity=9, inside=9),
    row("again after a minute", GREEN, "refer anti_passback", _AGAIN,
        window_s=300, passed_ago_s=60),
    row("again at once", GREEN, "refer anti_passback", _AGAIN, window_s=300, passed_ago_s=0),
    row("again a second before the end", GREEN, "refer anti_passback", _AGAIN,
        window_s=300, passed_ago_s=299),
    row("again after the window", GREEN, "admit", _AGAIN, window_s=300, passed_ago_s=301),
    row("never here before", GREEN, "admit", _AGAIN, window_s=300),
    row("again, no window", GREEN, "admit", _AGAIN, passed_ago_s=1),
    row("out again after a minute", GREEN, "refer anti_passback", _AGAIN,
        leaving=True, window_s=300, passed_ago_s=60),
    row("out, a first time", GREEN, "admit checked_out", _OUT, leaving=True, window_s=300),
    row("out without a card", NOBODY, "admit checked_out", _OUT, leaving=True),
    row("out of a full zone", GREEN, "admit checked_out", _OUT, leaving=True,
        capacity=50, inside=60),
    row("out of a factory after the shift", GREEN, "admit checked_out", _OUT, leaving=True,
        at="factory", roster={"shift": "00:00-06:00"}),
    row("out with a permit that is over", GREEN, "admit checked_out", _OUT, leaving=True,
        at="control_station", directive=16, permits=(_OVER,)),
]  # fmt: skip

CREDENTIALS = [
    row("credential revoked", {**GREEN, "revoked": True}, "refuse revoked", _REVOKED),
    row("revoked, at a station", {**GREEN, "revoked": True}, "refuse revoked", _REVOKED,
        at="control_station"),
    row("revoked, essential needs", {"revoked": True}, "refuse revoked", _REVOKED,
        essential=True),
    row("signed code in its last minute", GREEN, "admit", _REVOKED,
        code_expires="2021-09-20 08:01"),
    row("signed code just over", GREEN, "refuse expired", _REVOKED,
        code_expires="2021-09-20 08:00"),
    row("signed code of last year", GREEN, "refuse expired", _REVOKED,
        code_expires="2020-09-20 08:00"),
    row("unknown, at a shop", NOBODY, "refuse no_record", "everyone else", unknown=True),
    row("unknown, at a station", NOBODY, "refer no_record", "everyone else",
        unknown=True, at="control_station"),
    row("looked for", GREEN, "refer see_officer alert=watched", "watch list",
        watched_until="2021-09-20"),
    row("looked for until yesterday", GREEN, "admit silent", "watch list",
        watched_until="2021-09-19"),
    *[
        row(f"no card, essential needs, {place}", NOBODY, "admit essential_need", _ESSENTIAL,
            at=place, essential=True)
        for place in ("supermarket", "convenience_store", "hospital", "control_station")
    ],
    row("yellow, essential needs, supermarket", YELLOW, "admit", _ESSENTIAL, essential=True),
    row("no card, essential needs, full", NOBODY, "refuse zone_full leave=1", _FULL,
        essential=True, capacity=5, inside=5),
    row("no card, essential needs, symptoms", {"symptoms": True}, "refer see_officer", _TICKED,
        essential=True),
]  # fmt: skip

_ILL = {**GREEN, "isolation_until": "2021-09-25"}
COMBINED = [
    row("isolated, and the zone is full", _ILL, _SEEN, _STRICTEST, capacity=5, inside=5),
    row("isolated, and revoked", {**_ILL, "revoked": True}, f"refuse {ISOLATION}", _ISOLATION),
    row("isolated, and symptoms", {**_ILL, "symptoms": True}, _SEEN, _STRICTEST),
    row("isolated, and looked for", _ILL, f"{_SEEN} alert=watched", _ISOLATION,
        watched_until="2021-09-30"),
    row("isolated, declared data differ", _ILL, _SEEN, _STRICTEST, differs=True),
    row("isolated, code over", _ILL, f"refuse {ISOLATION}", _STRICTEST,
        code_expires="2021-09-20 07:00"),
    row("isolated, passed a minute ago", _ILL, _SEEN, _STRICTEST, window_s=300, passed_ago_s=60),
    row("isolated, no permit", _ILL, _SEEN, _STRICTEST, at="control_station", directive=16),
    row("never declared, and full", GREEN, "refuse zone_full leave=1", _STRICTEST,
        declaration_max_age_h=24, capacity=5, inside=5),
    row("never tested, and not listed", GREEN, "refuse not_on_roster", _STRICTEST,
        at="factory", roster=False, test_max_age_h=72),
    row("never declared, no permit", GREEN, "refuse permit_needed", _STRICTEST,
        at="control_station", directive=16, declaration_max_age_h=24),
    row("symptoms, and no card", {"symptoms": True}, "refuse no_card", _STRICTEST),
    row("symptoms, and no card, at a station", {"symptoms": True}, "refer see_officer", _STRICTEST,
        at="control_station"),
    row("a minute ago, and full", GREEN, "refuse zone_full leave=1", _STRICTEST,
        window_s=300, passed_ago_s=60, capacity=5, inside=5),
    row("not listed, and full", GREEN, "refuse not_on_roster", _STRICTEST,
        at="factory", roster=False, capacity=5, inside=5),
    row("outside the shift, headcount reached", GREEN, "refuse", _STRICTEST, at="factory",
        roster={"shift": "16:00-23:00"}, headcount=5, workers_inside=5),
    row("revoked, and full", {**GREEN, "revoked": True}, "refuse revoked", _STRICTEST,
        capacity=5, inside=5),
    row("declared data differ, and full", GREEN, "refuse zone_full leave=1", _STRICTEST,
        differs=True, capacity=5, inside=5),
    row("declared data differ, permit over", GREEN, "refuse permit_expired", _STRICTEST,
        at="control_station", directive=16, permits=(_OVER,), differs=True),
    row("declared data differ, and symptoms", {**GREEN, "symptoms": True}, "refer", _STRICTEST,
        differs=True),
    row("yellow, no permit, station under 16", YELLOW, "refuse permit_needed", _STRICTEST,
        at="control_station", directive=16),
    row("no card, and no permit", NOBODY, "refuse permit_needed", _STRICTEST,
        at="control_station", directive=16),
    row("no test, no declaration", GREEN, "refer declaration_needed", _STRICTEST,
        test_max_age_h=72, declaration_max_age_h=24),
    row("isolated, leaving", _ILL, f"admit checked_out {ISOLATION}", _OUT, leaving=True),
    row("looked for, leaving", GREEN, "admit checked_out alert=watched", _OUT, leaving=True,
        watched_until="2021-09-30"),
    row("isolated, leaving again", _ILL, f"refer anti_passback {ISOLATION}", _AGAIN,
        leaving=True, window_s=300, passed_ago_s=9),
]  # fmt: skip

ENCOUNTERS = [*ZONES, *CREDENTIALS, *COMBINED]
