"""Rows of the golden table: which card somebody holds, and what a card opens."""

from __future__ import annotations

from typing import Any

from tests.admission.golden_rows import GREEN, NOBODY, YELLOW, Row, row

_FULL = "doses ≥ 2 and at least 14 days since the last"
_RECOVERED = "ill and recovered, within 6 months of recovery (calendar months)"
_OLD = "65 or older"
_FRAIL = "underlying disease, or immunosuppressed"
_YELLOW = "(fully vaccinated or recovered) and vulnerable; or exactly one dose"
_NONE = "everyone else"
_OUT = "outdoor_public_place"


def _card(who: str, card: str, clause: str, now: str = "2021-09-20 08:00", **person: Any) -> Row:
    """Out of doors under Directive 15 green and yellow go in, and nobody else does."""
    answer = "refuse no_card card=none" if card == "none" else f"admit card_opens card={card}"
    return row(who, person, answer, clause, at=_OUT, now=now)


CARDS = [
    _card("two doses, 15 days ago", "green", _FULL, doses=2, last_dose="2021-09-05"),
    _card("two doses, 14 days ago", "green", _FULL, doses=2, last_dose="2021-09-06"),
    _card("two doses, 13 days ago", "none", _FULL, doses=2, last_dose="2021-09-07"),
    _card("two doses, today", "none", _FULL, doses=2, last_dose="2021-09-20"),
    _card("two doses, dated tomorrow", "none", _FULL, doses=2, last_dose="2021-09-21"),
    _card("14 days at the first minute", "green", _FULL, "2021-09-20 00:00",
          doses=2, last_dose="2021-09-06"),
    _card("13 days at the last minute", "none", _FULL, "2021-09-19 23:59",
          doses=2, last_dose="2021-09-06"),
    _card("14 days over the end of February", "green", _FULL, "2021-03-01 08:00",
          doses=2, last_dose="2021-02-15"),
    _card("14 days over a leap day", "green", _FULL, "2024-03-01 08:00",
          doses=2, last_dose="2024-02-16"),
    _card("13 days over a leap day", "none", _FULL, "2024-03-01 08:00",
          doses=2, last_dose="2024-02-17"),
    _card("14 days over the new year", "green", _FULL, "2022-01-04 08:00",
          doses=2, last_dose="2021-12-21"),
    _card("three doses, 14 days ago", "green", _FULL, doses=3, last_dose="2021-09-06"),
    _card("three doses, 13 days ago", "none", _FULL, doses=3, last_dose="2021-09-07"),
    _card("two doses years ago", "green", _FULL, doses=2, last_dose="2019-01-01"),
    _card("two doses, no date on record", "none", _FULL, doses=2),
    *[
        _card(f"two doses of {product}, {days} days ago", card, "Pfizer, Moderna, AstraZeneca",
              doses=2, product=product, last_dose=last)
        for product in ("pfizer", "moderna", "astrazeneca")
        for days, last, card in ((14, "2021-09-06", "green"), (13, "2021-09-07", "none"))
    ],
    *[
        _card(f"two doses of {product}, a product without a row", "none",
              "the waiting time belongs to the product's row in a table",
              doses=2, product=product, last_dose="2021-06-01")
        for product in ("sinopharm", "sputnik_v", "abdala", "other", "none")
    ],
    _card("one dose today", "yellow", "exactly one dose", doses=1, last_dose="2021-09-20"),
    _card("one dose long ago", "yellow", "exactly one dose", doses=1, last_dose="2021-01-20"),
    _card("one dose of Sinopharm", "yellow", "exactly one dose",
          doses=1, product="sinopharm", last_dose="2021-08-01"),
    _card("one dose, 80 years old", "yellow", "exactly one dose",
          doses=1, last_dose="2021-08-01", born="1941-01-01"),
    _card("one dose, underlying disease", "yellow", "exactly one dose",
          doses=1, last_dose="2021-08-01", vulnerable=True),
    _card("no dose", "none", _NONE),
    _card("no dose, 80 years old", "none", _NONE, born="1941-01-01"),
    _card("no dose, underlying disease", "none", _NONE, vulnerable=True),
    _card("recovered yesterday", "green", _RECOVERED, recovered="2021-09-19"),
    _card("recovered today", "green", _RECOVERED, recovered="2021-09-20"),
    _card("recovery dated tomorrow", "none", _RECOVERED, recovered="2021-09-21"),
    _card("recovered six months ago to the day", "green", _RECOVERED, recovered="2021-03-20"),
    _card("recovered six months and a day ago", "none", _RECOVERED, recovered="2021-03-19"),
    _card("recovered on 31 August, end of February", "green", _RECOVERED, "2022-02-28 08:00",
          recovered="2021-08-31"),
    _card("recovered on 31 August, 1 March", "none", _RECOVERED, "2022-03-01 08:00",
          recovered="2021-08-31"),
    _card("recovered on 31 August, leap day", "green", _RECOVERED, "2024-02-29 08:00",
          recovered="2023-08-31"),
    _card("recovered on 31 August, day after the leap day", "none", _RECOVERED, "2024-03-01 08:00",
          recovered="2023-08-31"),
    _card("recovered on 29 August, leap day", "green", _RECOVERED, "2024-02-29 08:00",
          recovered="2023-08-29"),
    _card("recovered on 28 August, leap day", "none", _RECOVERED, "2024-02-29 08:00",
          recovered="2023-08-28"),
    _card("recovered on 31 March, 30 September", "green", _RECOVERED, "2021-09-30 08:00",
          recovered="2021-03-31"),
    _card("recovered on 31 March, 1 October", "none", _RECOVERED, "2021-10-01 08:00",
          recovered="2021-03-31"),
    _card("recovered on 30 March, 30 September", "green", _RECOVERED, "2021-09-30 08:00",
          recovered="2021-03-30"),
    _card("recovered on 29 March, 30 September", "none", _RECOVERED, "2021-09-30 08:00",
          recovered="2021-03-29"),
    _card("recovered on a leap day, 29 August", "green", _RECOVERED, "2020-08-29 08:00",
          recovered="2020-02-29"),
    _card("recovered on a leap day, 30 August", "none", _RECOVERED, "2020-08-30 08:00",
          recovered="2020-02-29"),
    _card("recovered on 28 February, 31 August", "none", _RECOVERED, "2021-08-31 08:00",
          recovered="2021-02-28"),
    _card("recovered over the new year", "green", _RECOVERED, "2022-01-15 08:00",
          recovered="2021-07-15"),
    _card("recovered, and one dose", "green", _RECOVERED,
          doses=1, last_dose="2021-09-10", recovered="2021-06-01"),
    _card("recovered, and two doses a week ago", "green", _RECOVERED,
          doses=2, last_dose="2021-09-13", recovered="2021-06-01"),
    _card("recovered too long ago, and one dose", "yellow", "exactly one dose",
          doses=1, last_dose="2021-09-10", recovered="2021-03-01"),
    _card("recovered too long ago, and two doses a week ago", "none", _NONE,
          doses=2, last_dose="2021-09-13", recovered="2021-03-01"),
    _card("recovered too long ago, fully vaccinated", "green", _FULL,
          **GREEN, recovered="2021-01-01"),
    _card("vaccinated, 65 today", "yellow", _OLD, **GREEN, born="1956-09-20"),
    _card("vaccinated, 65 tomorrow", "green", _OLD, **GREEN, born="1956-09-21"),
    _card("vaccinated, 65 since yesterday", "yellow", _OLD, **GREEN, born="1956-09-19"),
    _card("vaccinated, 65 in December", "green", _OLD, **GREEN, born="1956-12-01"),
    _card("vaccinated, the last minute at 64", "green", _OLD, "2021-09-19 23:59",
          **GREEN, born="1956-09-20"),
    _card("vaccinated, the first minute at 65", "yellow", _OLD, "2021-09-20 00:00",
          **GREEN, born="1956-09-20"),
    _card("vaccinated, born on a leap day, 27 February", "green", _OLD, "2021-02-27 08:00",
          doses=2, last_dose="2021-01-01", born="1956-02-29"),
    _card("vaccinated, born on a leap day, 1 March", "yellow", _OLD, "2021-03-01 08:00",
          doses=2, last_dose="2021-01-01", born="1956-02-29"),
    _card("vaccinated, born on 1 March, leap day", "green", _OLD, "2024-02-29 08:00",
          doses=2, last_dose="2024-01-01", born="1959-03-01"),
    _card("vaccinated, birth date not on record", "green", _OLD, **GREEN),
    _card("vaccinated, 100 years old", "yellow", _OLD, **GREEN, born="1921-01-01"),
    _card("vaccinated, 12 years old", "green", _FULL, **GREEN, born="2009-01-01"),
    _card("recovered, 70 years old", "yellow", _YELLOW, recovered="2021-06-01", born="1951-01-01"),
    _card("recovered, underlying disease", "yellow", _FRAIL,
          recovered="2021-06-01", vulnerable=True),
    _card("vaccinated, underlying disease", "yellow", _FRAIL, **GREEN, vulnerable=True),
    _card("vaccinated, 70, underlying disease", "yellow", _FRAIL,
          **GREEN, born="1951-01-01", vulnerable=True),
    _card("two doses a week ago, vulnerable", "none", _NONE,
          doses=2, last_dose="2021-09-13", vulnerable=True),
    _card("recovered and vaccinated, vulnerable", "yellow", _YELLOW,
          **GREEN, recovered="2021-06-01", vulnerable=True),
]  # fmt: skip

_PERMIT = {"permits": ({"issued": "2021-09-20 06:00"},)}
_GREEN_15 = "15 green: public places, school, work, travel, business trips in and out"
_YELLOW_15 = "15 yellow: outdoor public places, school, work, travel and trips inside the country"
_GREEN_16 = "16 green: public places (supermarket, hospital, clinic, …), school, work, trips"
_YELLOW_16 = "16 yellow: outdoor public places, school, work (limited contact)"
_ANY = "none: REFER to an officer at a control station, REFUSE at a shop or factory"
_SHOPS = ("supermarket", "convenience_store", "food_outlet")
_CARE = ("hospital", "clinic")
_WORK = ("school", "office", "factory", _OUT)


def _opens(
    card: dict[str, Any], directive: int, places: tuple[str, ...], answer: str, clause: str
) -> list[Row]:
    colour = {"2": "green", "1": "yellow"}.get(str(card.get("doses")), "no card")
    return [
        row(f"{colour}, {place} under {directive}", card, answer, clause,
            at=place, directive=directive, **_PERMIT)
        for place in places
    ]  # fmt: skip


_ALL = ("control_station", *_SHOPS, *_CARE, *_WORK, "transport")
_SHUT = "card_does_not_open card=yellow"
ACCESS = [
    *_opens(GREEN, 15, _ALL, "admit card_opens card=green", _GREEN_15),
    *_opens(GREEN, 16, _ALL, "admit card_opens card=green", _GREEN_16),
    *_opens(YELLOW, 15, ("control_station", *_WORK, "transport"), "admit card=yellow", _YELLOW_15),
    *_opens(YELLOW, 15, _SHOPS, f"refuse {_SHUT}", _YELLOW_15),
    *_opens(YELLOW, 16, _WORK, "admit card=yellow", _YELLOW_16),
    *_opens(YELLOW, 16, (*_SHOPS, "transport"), f"refuse {_SHUT}", _YELLOW_16),
    *_opens(YELLOW, 16, ("control_station",), f"refer {_SHUT}", _YELLOW_16),
    *_opens(NOBODY, 15, ("control_station",), "refer no_card", _ANY),
    *_opens(NOBODY, 16, ("control_station",), "refer no_card", _ANY),
    *_opens(NOBODY, 15, (*_SHOPS, "factory", "office", "school"), "refuse no_card", _ANY),
    *_opens(NOBODY, 16, (*_SHOPS, "factory", "office", "school"), "refuse no_card", _ANY),
]
