"""The facts that a rulebook's rules see, derived from a person's record and the gate's date.

`rule_data` documents every one. Dates are calendar dates; ages and months count as Vietnam's Civil
Code does (articles 147 and 148): a month ends on the corresponding day, or on the last day of a
month that has no such day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from admission.credential import Certificate
from admission.standing import PersonFacts, Product


class Course(msgspec.Struct, frozen=True, gc=False):
    """One product's row: how many doses are a full course, how many days after the last count."""

    doses: int
    waiting_days: int


PAYLOAD = frozenset(
    {
        "doses", "product", "last_dose", "days_since_last_dose", "doses_required", "waiting_days",
        "recovered", "months_since_recovery", "born", "age", "vulnerable", "district",
    }
)  # fmt: skip
"""Names under `payload`."""
EXTERNAL = frozenset({"today"})
"""Names under `external`."""
_PRODUCT_NAMES = {product: product.name.lower() for product in Product}


def rule_data(facts: PersonFacts, courses: Mapping[Product, Course], today: date) -> dict[str, Any]:
    """Return the data context of one person's rules on one day.

    | path | value |
    |---|---|
    | `payload.doses` | doses on record, an integer |
    | `payload.product` | product of the last dose in lower case (`pfizer`, …, `none`) |
    | `payload.last_dose` | `YYYY-MM-DD`, or null |
    | `payload.days_since_last_dose` | days from it to today, negative if it is ahead, or null |
    | `payload.doses_required` | doses of a full course, or null for a product without a row |
    | `payload.waiting_days` | days after the last dose from which the course counts, or null |
    | `payload.recovered` | `YYYY-MM-DD` of recovery, or null |
    | `payload.months_since_recovery` | calendar months begun since (`months_begun`), or null |
    | `payload.born` | `YYYY-MM-DD`, or null |
    | `payload.age` | completed years, or null |
    | `payload.vulnerable` | underlying disease or immunosuppression on record, a boolean |
    | `payload.district` | number of the district of residence, 0 = not stated |
    | `external.today` | the gate's date in its own time zone, `YYYY-MM-DD` |

    A rulebook's own `terms` are added under `terms`.
    """
    last_dose, recovered, born = facts.last_dose, facts.recovered, facts.born
    course = courses.get(facts.product)
    return {
        "payload": {
            "doses": facts.doses,
            "product": _PRODUCT_NAMES[facts.product],
            "last_dose": None if last_dose is None else last_dose.isoformat(),
            "days_since_last_dose": None if last_dose is None else (today - last_dose).days,
            "doses_required": None if course is None else course.doses,
            "waiting_days": None if course is None else course.waiting_days,
            "recovered": None if recovered is None else recovered.isoformat(),
            "months_since_recovery": None if recovered is None else months_begun(recovered, today),
            "born": None if born is None else born.isoformat(),
            "age": None if born is None else completed_years(born, today),
            "vulnerable": facts.vulnerable,
            "district": facts.district,
        },
        "external": {"today": today.isoformat()},
    }


def known_facts(record: PersonFacts, certificate: Certificate | None) -> PersonFacts:
    """Return what the record and a proven certificate say together.

    A certificate adds doses, a recovery or a test that the record lacks. It takes nothing away: who
    is vulnerable on record stays so, and of two tests the newer one counts.

    >>> from admission.credential import Evidence
    >>> from admission.standing import TestResult
    >>> test = PersonFacts(tested_h=20, test_result=TestResult.NEGATIVE)
    >>> facts = known_facts(PersonFacts(doses=2, tested_h=10), Certificate(Evidence.TEST, test))
    >>> facts.doses, facts.tested_h
    (2, 20)
    """
    if certificate is None:
        return record
    shown = certificate.facts
    changes: dict[str, Any] = {}
    if shown.doses > record.doses:
        changes |= {name: getattr(shown, name) for name in ("doses", "product", "last_dose")}
    if shown.recovered is not None and (record.recovered or date.min) < shown.recovered:
        changes["recovered"] = shown.recovered
    if shown.tested_h is not None and (record.tested_h or 0) < shown.tested_h:
        changes |= {name: getattr(shown, name) for name in ("tested_h", "test_result")}
    if record.born is None and shown.born is not None:
        changes["born"] = shown.born
    return msgspec.structs.replace(record, **changes) if changes else record


def completed_years(since: date, today: date) -> int:
    """Return the full years from `since` to `today`, negative if it lies ahead.

    >>> completed_years(date(1956, 9, 21), date(2021, 9, 20))
    64
    >>> completed_years(date(1956, 9, 20), date(2021, 9, 20))
    65
    """
    return today.year - since.year - ((today.month, today.day) < (since.month, since.day))


def months_begun(since: date, today: date) -> int:
    """Return how many calendar months after `since` reach `today`; one begun counts as full.

    0 on the day itself, negative if it lies ahead: within six months means from 0 to 6.

    >>> months_begun(date(2021, 3, 20), date(2021, 9, 20))
    6
    >>> months_begun(date(2021, 3, 20), date(2021, 9, 21))
    7
    >>> months_begun(date(2020, 8, 31), date(2021, 2, 28))
    6
    >>> months_begun(date(2021, 9, 21), date(2021, 9, 20))
    -1
    """
    if since > today:
        return -months_begun(today, since)
    months = (today.year - since.year) * 12 + today.month - since.month
    corresponding = min(since.day, monthrange(today.year, today.month)[1])
    return months + (today.day > corresponding)
