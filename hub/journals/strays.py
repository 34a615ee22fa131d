"""Rows in a day that no journal notes: entries are read by what is noted, searches find all."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hub.days import name_of
from hub.journals.finding import Finding, FindingKind
from hub.journals.held import CHUNK, HeldReport
from hub.store.entries import JournalKey
from hub.store.examined import ExaminedStore


async def with_strays(
    store: ExaminedStore, reports: Iterable[HeldReport], days: Iterable[int]
) -> list[HeldReport]:
    """Return the reports with what else lies in these days under the journals' names.

    :param days: all days that the store has.
    :raises StoreError: if the store cannot be read.
    """
    by_key = {report.standing.key: report for report in reports}
    for day in days:
        for key, lying in (await store.lying(day)).items():
            report = by_key.get(key)
            if report is None:
                continue
            if lying <= report.by_day.get(day, 0):
                continue
            # More came in meanwhile, or was slipped in: what is noted afterwards tells.
            strays = lying - await _noted(store, key, day)
            if strays > 0:
                said = f"{strays} in the day of {name_of(day)}"
                finding = Finding(FindingKind.INSERTED, 0, 0, said)
                by_key[key] = msgspec.structs.replace(report, findings=[*report.findings, finding])
    return list(by_key.values())


async def _noted(store: ExaminedStore, key: JournalKey, day: int) -> int:
    count, after = 0, 0
    while spans := await store.spans(key, after, limit=CHUNK):
        count += sum(span.last - span.first + 1 for span in spans if span.day == day)
        after = spans[-1].last
    return count
