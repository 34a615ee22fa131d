"""The demonstration's figures: nothing is counted that has no entry, nothing twice."""

from __future__ import annotations

from admission.credential import UNRECOGNISED
from admission.verdict import Outcome, Reason, Verdict
from appliance.observation import Scan
from appliance.observers import Observers
from appliance.tally import KEPT_SCANS, Tally
from tests.worlds import a_reading


def a_scan(light_ms: float | None = 10.0, *, journaled: int | None = 1) -> Scan:
    verdict = Verdict(Outcome.REFUSE, (Reason.UNRECOGNISED,))
    return Scan(
        lane="gate-1",
        reading=a_reading("x"),
        credential=UNRECOGNISED,
        judged=verdict,
        sequence=journaled,
        shown=verdict,
        lit=light_ms is not None,
        stamps_ns=(0, 0, 0, int((light_ms or 0) * 1e6)),
    )


def test_percentiles_are_of_what_was_lit() -> None:
    tally = Tally()
    assert tally.latency_ms(50) is None
    for milliseconds in range(1, 101):
        tally.scanned(a_scan(milliseconds))
    tally.scanned(a_scan(None))
    assert tally.readings == 101
    assert tally.latency_ms(50) == 50
    assert tally.latency_ms(99) == 99
    assert tally.latency_ms(100) == 100


def test_a_verdict_without_an_entry_is_not_counted_as_one() -> None:
    tally = Tally()
    tally.scanned(a_scan(journaled=None))
    assert tally.readings == 0
    assert tally.unjournaled == 1
    assert tally.reasons == {}


def test_the_table_keeps_the_newest_rows_only() -> None:
    tally = Tally()
    for _ in range(KEPT_SCANS + 5):
        tally.scanned(a_scan())
    assert len(tally.rows) == KEPT_SCANS


def test_every_observer_hears_everything() -> None:
    first, second = Tally(), Tally()
    both = Observers(first, second)
    both.scanned(a_scan())
    both.repeated("gate-1")
    both.turned_away("gate-1")
    both.failed("gate-1", "journal", OSError())
    for tally in (first, second):
        assert (tally.readings, tally.repeats, tally.away) == (1, 1, 1)
        assert tally.failures == {"journal": 1}
