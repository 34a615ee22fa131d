"""The demonstration is read on an ssh terminal and a Pi's console, too: what matters is not cut."""

from __future__ import annotations

import pytest
from rich.console import Console

from admission.verdict import Outcome, Reason, Verdict
from appliance.demo.table import MAX_ROWS, Figures, picture
from appliance.tally import Row, Tally

URL = "http://127.0.0.1:8080/"
HOLDER = "N***** X*** PHUC"


def drawn(width: int, height: int, *, rows: int = 50) -> list[str]:
    tally = Tally()
    verdict = Verdict(Outcome.REFER, (Reason.NO_RECORD,))
    for _ in range(rows):
        tally.rows.append(Row("scanner", "s", "citizen_card", HOLDER, verdict, 12.3))
    figures = Figures(URL, 60, 60, 0, 4, 6_000, "http://127.0.0.1:1")
    console = Console(width=width, height=height, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(picture(tally, lambda: figures))
    return capture.get().splitlines()


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 45)])
def test_all_of_it_is_there_on_any_usual_terminal(size: tuple[int, int]) -> None:
    lines = drawn(*size)
    assert URL in lines[0]
    assert len(lines) < size[1], "the live display cuts what is higher than the terminal"
    assert sum("REFER" in line for line in lines) == min(MAX_ROWS, size[1] - 12)
    assert all(len(line) <= size[0] for line in lines)
    assert "frames dropped" in lines[-1]
    assert any("We could not find your record." in line for line in lines)
    assert any(line.startswith("head ") and "4, 6,000 identifiers" in line for line in lines)


@pytest.mark.parametrize(("width", "shown"), [(80, False), (99, False), (100, True)])
def test_the_holder_gives_way_to_the_reason(width: int, shown: bool) -> None:
    assert any(HOLDER in line for line in drawn(width, 30)) is shown


def test_the_smallest_terminal_still_shows_the_newest_scan() -> None:
    assert sum("REFER" in line for line in drawn(80, 8)) == 1
