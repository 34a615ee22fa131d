"""`chot bench order-rungs`: learns the order of the decode ladder's rungs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.corpus import Photograph, photographs
from benchmarks.errors import BenchmarkError
from benchmarks.machine import this_machine
from benchmarks.rungs.candidates import CANDIDATES
from benchmarks.rungs.learning import HeldOut, folds_of
from benchmarks.rungs.order import Order, order_of, write
from benchmarks.rungs.reads import Reads, measured
from scanner.camera.rungs import RUNGS, Cost, Rung


@click.command("order-rungs")
@click.option(
    "--corpus",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of photographs: one folder a set, each with a manifest.json.",
)
@click.option("--sets", default="", help="Only these sets, separated by commas. Default: all.")
@click.option("--try/--no-try", "trying", default=True, help="Also rungs outside the ladder.")
@click.option(
    "--reads",
    "kept",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep what was measured in this file, and take it from there if it is there.",
)
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the order with its figures to this file, as it is checked in.",
)
def order_rungs(
    *, corpus: Path, sets: str, trying: bool, kept: Path | None, target: Path | None
) -> None:
    """Learn the rungs' order: new photographs a millisecond, judged on unseen scenes."""
    chosen = [p for p in photographs(corpus, [s for s in sets.split(",") if s]) if p.codes]
    tried = CANDIDATES if trying else ()
    reads = _kept(kept, chosen)
    if reads is None:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("photographs", total=len(chosen))
            reads = measured(
                chosen,
                *_groups(tried),
                progress=lambda done: progress.update(task, completed=done),
            )
        if kept is not None:
            kept.write_bytes(msgspec.json.encode(reads))
    at_once, in_turn = _groups()
    order = order_of(
        reads,
        folds_of(chosen),
        at_once=[rung.name for rung in at_once],
        in_turn=[rung.name for rung in in_turn],
        tried=[rung.name for rung in tried],
        machine=this_machine(),
    )
    console = Console()
    console.print(_steps(order))
    if order.tried:
        console.print(_tried(order))
    if order.names != [rung.name for rung in RUNGS]:
        console.print("The table in scanner/camera/rungs.py has another order.", style="yellow")
    if target is not None:
        write(order, target)


def _groups(tried: Sequence[Rung] = ()) -> tuple[list[Rung], list[Rung]]:
    """Return the rungs that are tried at once, and those in turn with the `tried` after them."""
    at_once = [rung for rung in RUNGS if rung.cost is Cost.CHEAP]
    in_turn = [rung for rung in RUNGS if rung.cost is Cost.EXPENSIVE]
    return at_once, [*in_turn, *tried]


def _kept(file: Path | None, chosen: list[Photograph]) -> Reads | None:
    if file is None or not file.exists():
        return None
    try:
        reads = msgspec.json.decode(file.read_bytes(), type=Reads)
    except msgspec.DecodeError as error:
        msg = f"{file} holds no reads of rungs: {error}"
        raise BenchmarkError(msg) from error
    if reads.photographs != tuple(photograph.name for photograph in chosen):
        msg = f"{file} is of other photographs"
        raise BenchmarkError(msg, hint="remove it, and they are measured anew")
    return reads


def _steps(order: Order) -> Table:
    table = Table(title=f"{order.readable} readable of {order.photographs} photographs")
    for heading in ("rung", "mean ms", "reads", "new", "recall"):
        table.add_column(heading, justify="left" if heading == "rung" else "right")
    for step in order.steps:
        table.add_row(
            step.name, f"{step.mean_ms:.2f}", str(step.reads), str(step.new), f"{step.recall:.1%}"
        )
    table.caption = _caption(order.held_out)
    return table


def _tried(order: Order) -> Table:
    table = Table(title="outside the ladder")
    for heading in ("rung", "mean ms", "reads", "new", "wrong", "folds"):
        table.add_column(heading, justify="left" if heading == "rung" else "right")
    for rung in order.tried:
        counts = (rung.reads, rung.new, rung.wrong, rung.folds)
        table.add_row(rung.name, f"{rung.mean_ms:.2f}", *(str(count) for count in counts))
    if order.with_tried is not None:
        table.caption = _caption(order.with_tried)
    return table


def _caption(held_out: HeldOut) -> str:
    return "read within " + ", ".join(
        f"{budget} ms: {share:.1%} unseen ({held_out.seen[budget]:.1%} seen)"
        for budget, share in held_out.unseen.items()
    )
