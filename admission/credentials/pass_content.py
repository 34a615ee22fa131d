"""What a Chốt pass may say: the same rules for whoever issues one and whoever reads one."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec

from admission.credential import Holder, Pass, PassKind
from admission.credentials import fields
from admission.hours import Hours

NUMBER_BYTES = 8
SUBJECT_BYTES = 8
MAX_TIME_S = (1 << 32) - 1
MAX_DISTRICT = 65_535
MAX_OFFICER = (1 << 32) - 1
MAX_LIST = 16
"""Entries of a list of districts, sites or hours."""
MAX_NAME_LENGTH = 64
EARLIEST_BIRTH, LATEST_BIRTH = date(1850, 1, 1), date(2105, 12, 31)

_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)

Fault = tuple[str, str]
"""What is wrong, and what whoever issues can do about it."""


class PassClaims(msgspec.Struct, frozen=True):
    """One pass's content. Times in whole seconds since the Unix epoch, 0 to 2³² - 1.

    It counts from `not_before_s`, or from `issued_s` where that is None, and before `expires_s`.
    """

    granted: Pass
    issued_s: int
    expires_s: int
    not_before_s: int | None = None
    holder: Holder | None = None

    @property
    def from_s(self) -> int:
        """When it begins to count."""
        return self.issued_s if self.not_before_s is None else self.not_before_s


def fault_of(claims: PassClaims) -> Fault | None:
    """Return the first thing by which these claims make no pass, or None where they make one."""
    return (
        _times_fault(claims)
        or _person_fault(claims.granted)
        or _rights_fault(claims.granted)
        or _holder_fault(claims.holder)
    )


def hours_order(hours: Hours) -> tuple[int, int, int]:
    """Return the three numbers of `hours`, by which a list of them is sorted."""
    return hours.from_min, hours.until_min, hours.weekdays


def _times_fault(claims: PassClaims) -> Fault | None:
    if not 0 <= claims.issued_s <= claims.from_s < claims.expires_s <= MAX_TIME_S:
        hint = "issued, then counting from, then expiring, at the latest in February 2106"
        return "the times are not in order", hint
    if len(claims.granted.number) != NUMBER_BYTES:
        return f"a pass number has {NUMBER_BYTES} bytes", "draw them at random"
    return None


def _person_fault(granted: Pass) -> Fault | None:
    if granted.subject is not None and not 0 <= granted.subject < 1 << 64:
        return "a person key has 64 bits", ""
    if granted.subject is None and granted.kind in {PassKind.CARD, PassKind.OFFICER}:
        return f"a pass of kind {granted.kind.value} names nobody", "give the person it is for"
    if (granted.officer is not None) != (granted.kind is PassKind.OFFICER):
        return "an officer's badge, and nothing else, has an officer's number", ""
    if granted.officer is not None and not 0 <= granted.officer <= MAX_OFFICER:
        return "an officer's number has at most 32 bits", ""
    return None


def _rights_fault(granted: Pass) -> Fault | None:
    districts, sites = granted.districts, granted.sites
    hours = tuple(hours_order(some) for some in granted.hours)
    if granted.kind is PassKind.CARD and (granted.places or districts or sites or hours):
        return "a personal card grants no rights of its own", "issue a permit beside it"
    if max(len(districts), len(sites), len(hours)) > MAX_LIST:
        return f"more than {MAX_LIST} districts, sites or hours", "name fewer, or issue two passes"
    if not (_ascending(districts) and _ascending(sites) and _ascending(hours)):
        return "a list that is not in ascending order", ""
    if any(not 0 < code <= MAX_DISTRICT for code in districts):
        return f"a district code is a number of 1 to {MAX_DISTRICT}", "use the official code"
    if any(_SITE.fullmatch(site) is None for site in sites):
        return "a site id has up to 32 small letters, digits and dashes", "see `id` under [site]"
    return None


def _ascending(listed: tuple[Any, ...]) -> bool:
    return all(before < after for before, after in pairwise(listed))


def _holder_fault(holder: Holder | None) -> Fault | None:
    if holder is None:
        return None
    name = holder.name
    if not 0 < len(name) <= MAX_NAME_LENGTH or name != name.strip() or not fields.is_clean(name):
        hint = f"1 to {MAX_NAME_LENGTH} letters in Unicode form C, nothing invisible"
        return "the name cannot be printed as it is", hint
    if holder.born is not None and not EARLIEST_BIRTH <= holder.born <= LATEST_BIRTH:
        return "the birth date is of nobody alive", ""
    return None
