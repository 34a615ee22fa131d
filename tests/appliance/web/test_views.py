"""The page's messages: both languages, the neutral words only, nothing hostile in a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.instant import ClockTrust
from admission.site import Direction
from admission.verdict import Card, LaneState, Outcome, Reason, Text, Verdict
from appliance.web.pages import load_pages
from appliance.web.views import Status, event, lane_view, status_view, verdict_view


def message(view: Any) -> Any:
    data, *rest = event(view).split(b"\n")
    assert rest == [b"", b""]
    assert data.startswith(b"data: ")
    return json.loads(data[6:])


def test_a_verdict_in_both_languages() -> None:
    condition = Text("5K, cách 2 m", "5K, 2 m apart")
    verdict = Verdict(Outcome.ADMIT, (Reason.CARD_OPENS,), Card.YELLOW, condition)
    shown = message(verdict_view("gate-1", verdict, "N***** V** AN", at_ms=5))
    assert shown["kind"] == "verdict"
    assert (shown["lane"], shown["at_ms"], shown["shown_ms"]) == ("gate-1", 5, 3_000)
    assert shown["holder"] == "N***** V** AN"
    assert shown["condition"] == {"vi": "5K, cách 2 m", "en": "5K, 2 m apart"}
    for part in ("word", "reason", "next_step"):
        assert shown[part]["vi"]
        assert shown[part]["en"]
        assert shown[part]["vi"] != shown[part]["en"]


@pytest.mark.parametrize("reason", Reason)
def test_neither_reason_code_nor_card_colour_reaches_the_page(reason: Reason) -> None:
    shown = message(verdict_view("g", Verdict(Outcome.REFUSE, (reason,), Card.YELLOW), "", 0))
    assert set(shown) == {
        "kind", "lane", "at_ms", "shown_ms", "outcome", "word", "holder", "reason", "next_step",
        "condition",
    }  # fmt: skip
    assert "yellow" not in json.dumps(shown).replace("green or yellow card", "")


def test_page_and_stream_say_the_same_words() -> None:
    script = load_pages().by_path["/static/panel.js"].body.decode()
    waiting = lane_view("gate-1", LaneState.OPEN).word
    assert f'vi: "{waiting.vi}", en: "{waiting.en}"' in script
    assert "nhân viên" not in script, "the verdicts call the officer 'cán bộ'"
    assert "cán bộ" in script


def test_a_verdict_without_reasons_is_shown_as_a_fault() -> None:
    bare = verdict_view("gate-1", Verdict(Outcome.REFER, ()), "", 0)
    assert bare.reason == verdict_view("gate-1", Verdict(), "", 0).reason


@given(st.text(alphabet=st.characters(), max_size=300))
def test_a_name_is_one_printable_line(name: str) -> None:
    shown = message(verdict_view("gate-1", Verdict(), name, 0))["holder"]
    assert len(shown) <= 80
    assert all(c.isprintable() or c == "\N{REPLACEMENT CHARACTER}" for c in shown)


def test_direction_overrides_and_line_ends_do_not_get_through() -> None:
    shown = verdict_view("gate-1", Verdict(), "N\u202eAN\r\ndata: {}\x00", 0).holder
    assert shown == "N�AN��data: {}�"


def test_markup_stays_as_it_is_for_the_page_to_show_literally() -> None:
    assert verdict_view("g", Verdict(), "<img src=x>", 0).holder == "<img src=x>"


@pytest.mark.parametrize(("ago", "shown"), [(None, None), (185.9, 185), (-3.0, 0)])
def test_status(ago: float | None, shown: int | None) -> None:
    status = Status(ago, -1, ClockTrust.RTC, hub_reachable=False)
    told = message(status_view(status, tuple("abcdef"), now_ms=9))
    assert told == {
        "kind": "status",
        "now_ms": 9,
        "synchronised_ago_s": shown,
        "pending": 0,
        "clock": "rtc",
        "hub_reachable": False,
        "faults": ["a", "b", "c", "d"],
        "inside": None,
        "capacity": None,
    }


@pytest.mark.parametrize(
    ("count", "vi", "en"), [(1, "1 người", "1 person"), (3, "3 người", "3 people")]
)
def test_a_full_place_says_how_many_must_leave(count: int, vi: str, en: str) -> None:
    verdict = Verdict(Outcome.REFUSE, (Reason.ZONE_FULL,), to_leave=count)
    shown = verdict_view("gate-1", verdict, "", 0).next_step
    assert vi in shown.vi
    assert en in shown.en


def test_a_way_out_asks_for_the_code_in_its_own_words() -> None:
    out = lane_view("gate-1", LaneState.OPEN, Direction.OUT).word
    script = load_pages().by_path["/static/panel.js"].body.decode()
    assert f'vi: "{out.vi}", en: "{out.en}"' in script
    broken = LaneState.OUT_OF_ORDER
    assert lane_view("g", broken, Direction.OUT).word == lane_view("g", broken).word
