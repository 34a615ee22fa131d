"""What a key of the configuration may hold, in words, for whoever wrote something else there."""

from __future__ import annotations

import re
from typing import get_args

from admission.site import Direction, Place, StalePolicy
from appliance.bridge_tables import KINDS_HINT, WIRING_HINT
from appliance.camera_table import SymbologyName
from appliance.gate_table import GATE_HINT
from appliance.hub_table import PROXY_HINT
from appliance.journal_table import (
    BUDGET_HINT,
    DAYS_HINT,
    TIMEOUT_HINT,
    Remember,
    WhenUnavailable,
)
from appliance.site_table import AGE_HINT, HOURS_HINT, PEOPLE_HINT, RESET_HINT
from appliance.sound_table import QUIET_HINT
from scanner.serial.line import LineEnd
from scanner.serial.profiles import PROFILES
from scanner.wedge.layouts import LayoutName
from scanner.wedge.settings import WedgeEnd

_ITEM = re.compile(r"\[\d+\]")
REMOVED = {
    "hub.token_file": "remove it: a gate is known by its own key, which `chot enrol` registers",
    "lane.passage_window_s": "it is `window_s` in the lane's table [lane.gate] now",
}
"""What to do about a key that an earlier version had."""

_HINTS = (
    ("`$.site.place`", f"one of: {', '.join(Place)}"),
    ("`$.site.stale`", f"one of: {', '.join(StalePolicy)}"),
    ("`$.site.hours", HOURS_HINT),
    ("`$.site.capacity`", PEOPLE_HINT),
    ("`$.site.headcount`", PEOPLE_HINT),
    ("_max_age_h`", AGE_HINT),
    ("`$.site.anti_passback_s`", "seconds from 0 (no limit) to 86400"),
    ("`$.site.reset_at`", RESET_HINT),
    ("`$.desk.origin`", "an origin without a path: https://gate-1.example.org"),
    ("`$.hub.proxy`", PROXY_HINT),
    ("`$.journal.timeout_ms`", TIMEOUT_HINT),
    ("`$.journal.when_unavailable`", f"one of: {', '.join(WhenUnavailable)}"),
    ("`$.journal.budget_mib`", BUDGET_HINT),
    ("`$.journal.keep_days", DAYS_HINT),
    ("`$.journal.remember`", f"one of: {', '.join(Remember)}"),
    (".direction`", f"one of: {', '.join(Direction)}"),
    ("fix`", 'bytes are written as escapes, at most 16: "\\u0002" is STX'),
    (".symbologies", f"a list of: {', '.join(get_args(SymbologyName))}"),
    (".layout`", f"one of: {', '.join(LayoutName)}"),
    (".profile`", f"one of: {', '.join(PROFILES)}"),
    (".line_end`", f"serial: {', '.join(LineEnd)}; wedge: {', '.join(WedgeEnd)}"),
    (".gate.", GATE_HINT),
    (".kind`", KINDS_HINT),
    (".bridge.", WIRING_HINT),
    (".sound.quiet`", QUIET_HINT),
)
"""What a key may hold, by the part of a converter's message that names it."""


def removed_hint(key: str) -> str | None:
    """Return what to do about a key that an earlier version had; None if none had it."""
    return REMOVED.get(_ITEM.sub("", key))


def values_hint(message: str) -> str:
    """Return which values a key may have, where a message of the converter names one of ours."""
    for named, hint in _HINTS:
        if named in message:
            return hint
    if "matching regex" in message and "https" not in message:
        return "small letters, digits and dashes, at most 32"
    return "see the comments in configs/*.toml"
