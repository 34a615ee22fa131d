"""The place a gate stands at, as far as the law needs to know it."""

from __future__ import annotations

from datetime import tzinfo
from enum import StrEnum

import msgspec


class Place(StrEnum):
    """Kinds of place (policy: what a card opens)."""

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


class Site(msgspec.Struct, frozen=True):
    """One site. `directive` is the number of the directive in force in its `district`."""

    id: str
    name: str
    place: Place
    district: str
    directive: int
    timezone: tzinfo
