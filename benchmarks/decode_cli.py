"""`chot bench decode`: its options, and its figures as tables for a person."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.command import json_option
from benchmarks.corpus import photographs
from benchmarks.decode import measure
from benchmarks.decode_figures import DecodeFigures
from benchmarks.decoders import PEERS, By


@click.command()
@click.option(
    "--corpus",
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of photographs: one folder a set, each with a manifest.json.",
)
@click.option("--sets", default="", help="Only these sets, separated by commas. Default: all.")
@click.option("--peers/--no-peers", default=True, show_default=True, help="Other decoders beside.")
@click.option("--by-category", is_flag=True, help="Also by the photographs' kind of difficulty.")
@click.option(
    "--cpu-time",
    is_flag=True,
    help="Go by what a core is busy for, not by the wall: on a machine that does other things too.",
)
@json_option
def decode(
    *, corpus: Path, sets: str, peers: bool, by_category: bool, cpu_time: bool, as_json: bool
) -> None:
    """Photographs read, wrongly read and what it cost, beside other decoders in the same run."""
    chosen = photographs(corpus, [name for name in sets.split(",") if name])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("photographs", total=len(chosen))
        figures = measure(
            chosen,
            peers=PEERS if peers else (),
            by=By.PROCESSOR if cpu_time else By.WALL,
            progress=lambda done: progress.update(task, completed=done),
        )
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
        return
    console = Console()
    console.print(_decoders(figures))
    if by_category:
        console.print(_by_category(figures))
    for title, texts in (
        ("wrong", figures.wrong_texts),
        ("false", figures.false_texts),
        ("not verified", figures.unverified),
    ):
        for found in texts:
            console.print(f"{title}: {found.photograph}: {found.text!r}", markup=False)


def _decoders(figures: DecodeFigures) -> Table:
    table = Table(
        title=f"{figures.readable} readable photographs of {figures.photographs} with codes,"
        f" {figures.negatives} without"
    )
    for heading in ("decoder", "read", "wrong", "false", "mean ms", "p95 ms", "max ms"):
        table.add_column(heading, justify="left" if heading == "decoder" else "right")
    table.add_row(
        "Chốt, both lanes", f"{figures.recall:.1%}", str(figures.wrong), str(figures.false_reads)
    )
    table.add_row(
        "  inline lane", f"{figures.inline_recall:.1%}", "", "",
        f"{figures.mean_ms:.2f}", f"{figures.p95_ms:.1f}", f"{figures.max_ms:.0f}",
    )  # fmt: skip
    table.add_row(
        "  slow lane", f"+{figures.slow_read}", "", "",
        f"{figures.slow_mean_ms:.1f}", "", f"{figures.slow_max_ms:.0f}",
    )  # fmt: skip
    for peer in figures.peers:
        if peer.missing:
            table.add_row(peer.name, "not installed")
            continue
        table.add_row(
            peer.name, f"{peer.recall:.1%}", str(peer.wrong), str(peer.false_reads),
            f"{peer.mean_ms:.2f}", f"{peer.p95_ms:.1f}", f"{peer.max_ms:.0f}",
        )  # fmt: skip
    if figures.peers_together_recall is not None:
        table.add_row("all peers together", f"{figures.peers_together_recall:.1%}")
        table.caption = (
            f"{figures.beyond_peers} photographs that nobody is known to have read,"
            f" {figures.beyond_peers_here} more that no peer of this run reads"
        )
    return table


def _by_category(figures: DecodeFigures) -> Table:
    table = Table(title="readable photographs by kind")
    for heading in ("kind", "readable", "Chốt", "best peer", "peers together"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for name, kind in figures.categories.items():
        counts = (kind.readable, kind.read, kind.best_peer, kind.peers_together)
        table.add_row(name, *(str(count) for count in counts))
    return table
