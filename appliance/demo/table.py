"""The live table of the demonstration: scans, verdicts, reasons, latencies, the kiosk."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from admission import texts
from admission.verdict import Outcome
from appliance.tally import Row, Tally

ROWS = 14
STYLES = {Outcome.ADMIT: "bold green", Outcome.REFER: "bold yellow", Outcome.REFUSE: "bold red"}
MARKS = {Outcome.ADMIT: "✔", Outcome.REFER: "▲", Outcome.REFUSE: "✖"}


class Figures(msgspec.Struct, frozen=True):
    """What stands under the table."""

    kiosk: str
    journaled: int
    acknowledged: int
    frames_dropped: int
    release: int | None
    people: int
    hub: str


def picture(tally: Tally, figures: Callable[[], Figures]) -> RenderableType:
    """Return the table of the newest scans with the counts under it."""
    table = Table(expand=True, pad_edge=False, header_style="dim", box=SIMPLE)
    for heading, width in (("lane", 8), ("code", 13), ("holder", None), ("verdict", 12)):
        table.add_column(heading, min_width=width, no_wrap=True, overflow="ellipsis")
    table.add_column("reason", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_column("ms", justify="right", min_width=6)
    newest = list(tally.rows)[-ROWS:]
    for row in reversed(newest):
        table.add_row(*_cells(row))
    return Group(
        Panel(table, title="Chốt · demo", subtitle="Ctrl-C ends it", border_style="dim"),
        _counts(tally, figures()),
    )


def _cells(row: Row) -> tuple[Text, ...]:
    outcome = row.verdict.outcome
    reason = texts.sentence(row.verdict.reason).en
    return (
        Text(row.lane),
        Text(row.kind.replace("_", " ")),
        Text(row.holder),
        Text(f"{MARKS[outcome]} {outcome.upper()}", style=STYLES[outcome]),
        Text(reason),
        Text("-" if row.latency_ms is None else f"{row.latency_ms:.1f}"),
    )


def _counts(tally: Tally, figures: Figures) -> RenderableType:
    p50, p99 = tally.latency_ms(50), tally.latency_ms(99)
    latency = "-" if p50 is None else f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    grid = Table.grid(padding=(0, 2))
    grid.add_row("verdicts", ", ".join(f"{o} {tally.verdicts[o]}" for o in Outcome))
    grid.add_row("reading to light", latency)
    grid.add_row(
        "entries",
        f"{figures.journaled} journaled, {figures.acknowledged} acknowledged by the hub"
        f" ({figures.hub})",
    )
    grid.add_row("release", f"{figures.release or 'none yet'}, {figures.people:,} identifiers")
    grid.add_row("frames dropped", f"{figures.frames_dropped}")
    grid.add_row("kiosk", Text(figures.kiosk, style="bold cyan underline"))
    return grid
