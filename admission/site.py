"""The place a gate stands at, as far as the law needs to know it."""

from __future__ import annotations

from datetime import tzinfo
from enum import StrEnum

import msgspec

from admission.hours import Hours


class Place(StrEnum):
    """Kinds of place (policy: what a card opens)."""

    __hash__ = str.__hash__  # Enum's own is Python, and asked at every look-up

    CONTROL_STATION = "control_station"
    SUPERMARKET = "supermarket"
    CONVENIENCE_STORE = "convenience_store"
    FOOD_OUTLET = "food_outlet"
    HOSPITAL = "hospital"
    CLINIC = "clinic"
    SCHOOL = "school"
    OFFICE = "office"
    FACTORY = "factory"
    OUTDOOR_PUBLIC_PLACE = "outdoor_public_place"
    TRANSPORT = "transport"


class Direction(StrEnum):
    """Which way a lane lets people pass. Values are on the wire."""

    IN = "in"
    OUT = "out"


class StalePolicy(StrEnum):
    """What a site does while its knowledge is older than the rulebook allows."""

    REFER = "refer"
    ROSTER_ONLY = "roster_only"
    """People on this site's own list are judged by what is known; everybody else is referred."""


class Demands(msgspec.Struct, frozen=True):
    """What this site asks for beyond its rulebook; None and False = no more than that.

    Limits in hours. `capacity` is how many may be in the zone at once, `headcount` how many of the
    roster: both count over all lanes of one appliance. `anti_passback_s` is the window in which the
    same credential does not pass twice in one direction. `hours` are the opening hours.
    `essential` lets in whose card does not open the place, for essential needs.
    """

    declaration_max_age_h: int | None = None
    test_max_age_h: int | None = None
    permit: bool = False
    roster: bool = False
    capacity: int | None = None
    headcount: int | None = None
    anti_passback_s: int | None = None
    hours: tuple[Hours, ...] = ()
    essential: bool = False


class Site(msgspec.Struct, frozen=True):
    """One site. `directive` is the number of the directive in force in its `district`.

    `district_code` is the district's official code (General Statistics Office), by which permits,
    passes and orders name it; 0 = not stated.
    """

    id: str
    name: str
    place: Place
    district: str
    directive: int
    timezone: tzinfo
    district_code: int = 0
    demands: Demands = Demands()
    stale: StalePolicy = StalePolicy.REFER
