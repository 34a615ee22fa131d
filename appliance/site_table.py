"""[site] of a configuration: where the gate stands, and what it asks for beyond its rulebook."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from admission.hours import MINUTES_PER_DAY, Hours
from admission.people import MAX_PEOPLE
from admission.reset import DailyReset
from admission.site import Demands, Place, Site, StalePolicy
from appliance.table import Name, Table

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS_HINT = (
    'a list such as ["08:00-21:00 mon-sat", "08:00-12:00 sun"]; days may be left out, listed '
    '("mon,wed") or a range; "22:00-06:00" ends on the next day'
)
RESET_HINT = 'a time of the day such as "04:00", when the site is empty'
MAX_AGE_H = 24 * 366
PEOPLE_HINT = f"a number of people from 1 to {MAX_PEOPLE}; remove the key for no limit"
AGE_HINT = f"hours from 1 to {MAX_AGE_H}; remove the key to ask for none"
_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_HOURS = re.compile(rf"{_TIME}-(?:{_TIME}|(24:00))(?: (\S+))?")

People = Annotated[int, msgspec.Meta(ge=1, le=MAX_PEOPLE)]
AgeHours = Annotated[int, msgspec.Meta(ge=1, le=MAX_AGE_H)]


class SiteTable(Table, frozen=True):
    """[site]: where the gate stands. `rulebook` is a path, from the configuration's folder.

    `reset_at` is when everybody is taken for gone, every day, in the site's own time. What is not
    stated is asked as the rulebook says, or not at all (`admission.site.Demands`).
    """

    id: Name
    name: str
    place: Place
    district: str
    directive: int
    rulebook: str
    timezone: str = "Asia/Ho_Chi_Minh"
    district_code: Annotated[int, msgspec.Meta(ge=0, le=99_999)] = 0
    capacity: People | None = None
    headcount: People | None = None
    anti_passback_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    reset_at: str = "04:00"
    declaration_max_age_h: AgeHours | None = None
    test_max_age_h: AgeHours | None = None
    permit: bool = False
    roster: bool = False
    essential: bool = False
    hours: tuple[str, ...] = ()
    stale: StalePolicy = StalePolicy.REFER


class Fault(NamedTuple):
    """What is wrong with a value, the key that holds it, and what to write instead."""

    key: str
    what: str
    hint: str


def fault_in(table: SiteTable) -> Fault | None:
    """Return the first value of the table that means nothing, None if all do."""
    try:
        ZoneInfo(table.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        what = f"unknown time zone '{table.timezone}'"
        return Fault("timezone", what, "use a name such as Asia/Ho_Chi_Minh")
    try:
        minute_of(table.reset_at)
    except ValueError as error:
        return Fault("reset_at", str(error), RESET_HINT)
    try:
        for text in table.hours:
            hours_of(text)
    except ValueError as error:
        return Fault("hours", str(error), HOURS_HINT)
    if table.headcount is not None and not table.roster:
        return Fault(
            "headcount",
            "counts people of the approved list, and no list is asked for",
            "set roster = true, or use capacity to limit everybody",
        )
    return None


def site_from(table: SiteTable) -> Site:
    """Return the site as the law knows it.

    :raises ValueError: if `fault_in` finds one.
    """
    return Site(
        id=table.id,
        name=table.name,
        place=table.place,
        district=table.district,
        directive=table.directive,
        timezone=ZoneInfo(table.timezone),
        district_code=table.district_code,
        demands=Demands(
            declaration_max_age_h=table.declaration_max_age_h,
            test_max_age_h=table.test_max_age_h,
            permit=table.permit,
            roster=table.roster,
            essential=table.essential,
            capacity=table.capacity,
            headcount=table.headcount,
            anti_passback_s=table.anti_passback_s,
            hours=tuple(hours_of(text) for text in table.hours),
        ),
        stale=table.stale,
    )


def reset_from(table: SiteTable) -> DailyReset:
    """Return when the site's zone forgets who is inside.

    :raises ValueError: if `fault_in` finds a fault.
    """
    return DailyReset(minute_of(table.reset_at), ZoneInfo(table.timezone))


def minute_of(text: str) -> int:
    """Return the minute of the day of a text such as "04:00".

    :raises ValueError: if it is none.

    >>> minute_of("04:30")
    270
    """
    match = re.fullmatch(_TIME, text)
    if match is None:
        msg = f"'{text}' is no time of the day"
        raise ValueError(msg)
    return int(match[1]) * 60 + int(match[2])


def hours_of(text: str) -> Hours:
    """Return the hours of a text such as "08:00-21:00 mon-sat".

    :raises ValueError: if it states none.

    >>> hours_of("22:00-06:00 fri-mon,wed")
    Hours(from_min=1320, until_min=360, weekdays=117)
    """
    match = _HOURS.fullmatch(text)
    if match is None:
        msg = f"'{text}' states no hours"
        raise ValueError(msg)
    start = int(match[1]) * 60 + int(match[2])
    end = MINUTES_PER_DAY if match[5] else int(match[3]) * 60 + int(match[4])
    return Hours(start, end, _weekdays(match[6] or "mon-sun"))


def _weekdays(text: str) -> int:
    """Return the days of "mon-fri,sun", Monday in the lowest bit. A range may go over Sunday."""
    bits = 0
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            msg = f"'{part}' is no day of the week; days are {', '.join(DAYS)}"
            raise ValueError(msg)
        begin = DAYS.index(first)
        length = (DAYS.index(last) - begin) % 7 if dash else 0
        bits |= sum(1 << (begin + step) % 7 for step in range(length + 1))
    return bits
