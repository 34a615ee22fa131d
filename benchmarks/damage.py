"""How much damage a symbol survives: zxing-cpp on its modules beside our own repair of them.

Both get the same symbols under the same damage. zxing-cpp sees each module dark or light, as a
decoder of hard bits does; `repair` sees how clearly it was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click
import msgspec
import numpy as np
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.damage_kinds import KINDS, Kind, Sample, sample
from benchmarks.machine import Machine, this_machine
from scanner.camera.symbol.reading import read_as_seen, read_matrix
from scanner.camera.symbol.reliability import Values
from scanner.camera.symbol.repair import repair
from scanner.camera.symbol.structure import Level

LEVELS = (Level.L, Level.M, Level.Q, Level.H)
READ_PERCENT = 90
"""Of the symbols, so many must be read for damage to count as survived."""
SEED = 18004

Read = Callable[[Values], bytes | None]


class Survived(msgspec.Struct, frozen=True):
    """The largest damage at which enough symbols are read; None if not even without any."""

    zxing: float | None
    chot: float | None


class KindFigures(msgspec.Struct, frozen=True):
    """One kind of damage."""

    measure: str
    """What the figures are: shares, or a standard deviation."""
    step: float
    most: float
    """The largest damage that was tried: more would have touched the finders, or is absurd."""
    levels: dict[str, Survived]


class DamageFigures(msgspec.Struct, frozen=True):
    """What `chot bench damage --json` prints."""

    machine: Machine
    version: int
    symbols: int
    read_percent: int
    seed: int
    damages: dict[str, KindFigures]
    zxing_wrong: int
    """How often, in the whole run, zxing-cpp read something that was not in the symbol..."""
    chot_wrong: int
    """...and how often our reader did."""


class Reader:
    """One of the two, and what it got wrong.

    :param read: returns the bytes that it reads in soft module values, or None.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self.wrong = 0
        """Reads of something that is not in the symbol."""

    def survives(self, samples: Sequence[Sample], kind: Kind, amount: float) -> bool:
        """Return whether enough symbols are read under so much damage; stop where that is clear."""
        missed, missed_at_most = 0, len(samples) * (100 - READ_PERCENT) // 100
        for whole in samples:
            text = self._read(kind.damaged(whole, amount))
            self.wrong += text not in (None, whole.text)
            missed += text != whole.text
            if missed > missed_at_most:
                return False
        return True

    def survived(self, samples: Sequence[Sample], kind: Kind, steps: int) -> float | None:
        """Return the largest damage, of up to `steps` steps, that this reader survives."""
        most = largest(lambda step: self.survives(samples, kind, step * kind.step), steps)
        return None if most is None else round(most * kind.step, 3)


def largest(survives: Callable[[int], bool], steps: int) -> int | None:
    """Return the largest number in 0 to `steps` that survives, by bisection; None if none does.

    More damage is taken to be read no better than less.

    >>> largest(lambda step: step <= 7, 30), largest(lambda step: False, 30)
    (7, None)
    """
    low, high = -1, steps + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if survives(middle) else (low, middle)
    return low if low >= 0 else None


def read_hard(values: Values) -> bytes | None:
    """Return what zxing-cpp reads where every module is dark or light (if unseen, light)."""
    barcode = read_as_seen(values > 0)
    return bytes(barcode.bytes) if barcode is not None and barcode.valid else None


def read_repaired(values: Values) -> bytes | None:
    """Return what the slow lane reads once it has these soft values."""
    repaired = repair(values)
    barcode = read_matrix(repaired.matrix) if repaired is not None else None
    return bytes(barcode.bytes) if barcode is not None else None


def measure(
    version: int,
    symbols: int,
    *,
    levels: Sequence[Level] = LEVELS,
    hard: Read = read_hard,
    repaired: Read = read_repaired,
    progress: Callable[[int], None],
) -> DamageFigures:
    """Find what each reader survives on `symbols` symbols of each level.

    :param progress: called with the number of searches done, of `searches(levels)`.
    """
    zxing, chot = Reader(hard), Reader(repaired)
    found: dict[str, dict[str, Survived]] = {key: {} for key in KINDS}
    done = 0
    for level in levels:
        samples = [
            sample(version, level, np.random.default_rng((SEED, version, level, number)))
            for number in range(symbols)
        ]
        for key, kind in KINDS.items():
            steps = kind.steps(version)
            found[key][level.name] = Survived(
                zxing.survived(samples, kind, steps), chot.survived(samples, kind, steps)
            )
            done += 1
            progress(done)
    damages = {
        key: KindFigures(
            kind.measure, kind.step, round(kind.steps(version) * kind.step, 3), found[key]
        )
        for key, kind in KINDS.items()
    }
    return DamageFigures(
        machine=this_machine(),
        version=version,
        symbols=symbols,
        read_percent=READ_PERCENT,
        seed=SEED,
        damages=damages,
        zxing_wrong=zxing.wrong,
        chot_wrong=chot.wrong,
    )


def searches(levels: Sequence[Level] = LEVELS) -> int:
    """Return how many searches `measure` goes through."""
    return len(KINDS) * len(levels)


@click.command()
@click.option("--version", default=5, show_default=True, type=click.IntRange(1, 40))
@click.option("--symbols", default=20, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def damage(*, version: int, symbols: int, as_json: bool) -> None:
    """Damage that a QR symbol survives: zxing-cpp on its modules beside our own repair."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("searches", total=searches())
        figures = measure(
            version, symbols, progress=lambda done: progress.update(task, completed=done)
        )
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        Console().print(_table(figures))


def _table(figures: DamageFigures) -> Table:
    """Return the figures as a table that is Markdown too: documents quote it as it is printed."""
    table = Table(box=box.MARKDOWN)
    table.add_column(f"version {figures.version}")
    for level in LEVELS:
        table.add_column(level.name, no_wrap=True)
    for key, found in figures.damages.items():
        table.add_row(KINDS[key].name, *(_cell(found, level.name) for level in LEVELS))
    table.caption = (
        f"zxing-cpp → Chốt: the largest damage at which at least {figures.read_percent} %"
        f" of {figures.symbols} symbols are read;"
        f" read wrongly in all trials: {figures.zxing_wrong} → {figures.chot_wrong}"
    )
    return table


def _cell(found: KindFigures, level: str) -> str:
    survived = found.levels[level]
    both = [_amount(found, amount) for amount in (survived.zxing, survived.chot)]
    return " → ".join(both) + (" %" if found.measure.startswith("share") else "")


def _amount(found: KindFigures, amount: float | None) -> str:
    if amount is None:
        return "none"
    at_least = "≥ " if amount >= found.most else ""
    if not found.measure.startswith("share"):
        return f"{at_least}{amount:.2f}"
    return f"{at_least}{amount:.{0 if found.step >= 0.01 else 1}%}".removesuffix("%")
