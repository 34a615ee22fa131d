"""The live table of the demonstration: the kiosk, scans, verdicts, reasons, latencies."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rich.box import SIMPLE
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from admission import texts
from admission.verdict import Outcome
from appliance.tally import Row, Tally

MAX_ROWS = 14
WIDE = 100
"""Columns from which the holder's masked name has room beside the reason."""
AROUND_ROWS = 12
"""Lines that are no scans: address, panel, heading, counts, and the cursor's."""
STYLES = {Outcome.ADMIT: "bold green", Outcome.REFER: "bold yellow", Outcome.REFUSE: "bold red"}
MARKS = {Outcome.ADMIT: "✔", Outcome.REFER: "▲", Outcome.REFUSE: "✖"}


class Figures(msgspec.Struct, frozen=True):
    """What stands around the table. `release` is the sequence of the newest signed head."""

    kiosk: str
    journaled: int
    acknowledged: int
    frames_dropped: int
    release: int | None
    people: int
    hub: str


class Picture:
    """The kiosk's address, the newest scans and the counts: as much as the terminal holds."""

    def __init__(self, tally: Tally, figures: Callable[[], Figures]) -> None:
        self._tally = tally
        self._figures = figures

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        figures = self._figures()
        rows = max(1, min(MAX_ROWS, console.height - AROUND_ROWS))
        yield Text.assemble(("kiosk  ", "dim"), (figures.kiosk, "bold cyan underline"))
        yield Panel(
            _scans(list(self._tally.rows)[-rows:], wide=options.max_width >= WIDE),
            title="Chốt · demo",
            subtitle="Ctrl-C ends it",
            border_style="dim",
        )
        yield _counts(self._tally, figures)


def picture(tally: Tally, figures: Callable[[], Figures]) -> RenderableType:
    """Return what the live display shows."""
    return Picture(tally, figures)


def _scans(newest: list[Row], *, wide: bool) -> Table:
    table = Table(
        box=SIMPLE,
        expand=True,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        header_style="dim",
    )
    table.add_column("lane", min_width=7, no_wrap=True, overflow="ellipsis")
    table.add_column("code", min_width=11, no_wrap=True, overflow="ellipsis")
    if wide:
        table.add_column("holder", no_wrap=True, overflow="ellipsis")
    table.add_column("verdict", min_width=8, no_wrap=True)
    table.add_column("reason", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("ms", justify="right", min_width=5, no_wrap=True)
    for row in reversed(newest):
        table.add_row(*_cells(row, wide=wide))
    return table


def _cells(row: Row, *, wide: bool) -> list[Text]:
    outcome = row.verdict.outcome
    cells = [Text(row.lane), Text(row.kind.replace("_", " "))]
    if wide:
        cells.append(Text(row.holder))
    return [
        *cells,
        Text(f"{MARKS[outcome]} {outcome.upper()}", style=STYLES[outcome]),
        Text(texts.sentence(row.verdict.reason).en),
        Text("-" if row.latency_ms is None else f"{row.latency_ms:.1f}"),
    ]


def _counts(tally: Tally, figures: Figures) -> RenderableType:
    p50, p99 = tally.latency_ms(50), tally.latency_ms(99)
    latency = "-" if p50 is None else f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    grid.add_row("verdicts", ", ".join(f"{o} {tally.verdicts[o]}" for o in Outcome))
    grid.add_row("reading to light", latency)
    grid.add_row(
        "entries", f"{figures.journaled} journaled, {figures.acknowledged} acknowledged by the hub"
    )
    grid.add_row("hub", figures.hub)
    grid.add_row("head", f"{figures.release or 'none yet'}, {figures.people:,} identifiers")
    grid.add_row("frames dropped", f"{figures.frames_dropped}")
    return grid
