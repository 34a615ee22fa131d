"""`chot bench bridge`: its options, and its figures as a table for a person."""

from __future__ import annotations

from collections.abc import Iterator

import click
import uvloop
from rich.table import Table

from benchmarks import bridge as run
from benchmarks.bridge_figures import BridgeFigures, goals, met
from benchmarks.command import answer, json_option
from benchmarks.progress import shown

_QUICK = 500


@click.command()
@click.option(
    "--commands", default=10_000, show_default=True, type=click.IntRange(1, 1_000_000),
    help="Signals that the board runs; each is compared with what its pins did.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help=f"{_QUICK} commands: a look, not a proof.")
@json_option
def bridge(*, commands: int, quick: bool, as_json: bool) -> None:
    """Measure the firmware on a simulated chip: signal to pins, dead-man, pulled cable, size."""
    with shown() as progress:
        figures = uvloop.run(
            run.measure(commands=min(commands, _QUICK) if quick else commands, progress=progress)
        )
    answer(figures, table_of, as_json=as_json)


def table_of(figures: BridgeFigures) -> Table:
    """Return the figures for a person, beside their goals."""
    table = Table(title="The firmware bridge, ATmega328P at 16 MHz, 115200 Bd")
    for heading in ("", "measured", "goal", "beside"):
        table.add_column(heading, justify="left" if heading in {"", "beside"} else "right")
    bounds = goals(figures)
    for label, name, value, beside in _rows(figures):
        sense, bound = bounds.get(name, ("", 0.0))
        style = {True: "green", False: "red", None: ""}[met(figures, name)]
        goal = f"{sense} {bound:,g}" if sense else ""
        table.add_row(label, f"{value:,g}", goal, beside, style=style)
    return table


def _rows(f: BridgeFigures) -> Iterator[tuple[str, str, float, str]]:
    floor = f"floor: the frame on the cable, {f.floor_ms:g} ms"
    yield "show to pins, p50, ms", "p50_ms", f.p50_ms, floor
    yield "show to pins, p99, ms", "p99_ms", f.p99_ms, ""
    yield "dead-man, ms", "dead_man_ms", f.dead_man_ms, "host stopped or killed, gate open"
    yield "recovery, s", "recovery_s", f.recovery_s, "from the port's return"
    yield "flash, bytes", "flash_bytes", f.flash_bytes, ""
    yield "RAM, bytes", "ram_bytes", f.ram_bytes, "stack included"
    yield "wrong commands", "wrong", f.wrong, f"of {f.commands:,}"
