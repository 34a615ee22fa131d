"""The order of the rungs with its figures, as it is checked in beside the table that it orders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.errors import BenchmarkError
from benchmarks.machine import Machine
from benchmarks.rungs.learning import HeldOut, beyond, cross_validated, learnt
from benchmarks.rungs.reads import Reads

TRIED_AT_MOST = 5
CHECKED_IN = Path(__file__).with_name("order.json")


class Step(msgspec.Struct, frozen=True):
    """One rung in its place.

    `mean_ms` is what it costs on a photograph that it is asked about, on one core. All are asked
    about the hard photographs, which no rung at once reads; those at once about all.
    """

    name: str
    mean_ms: float
    reads: int
    """Photographs that it reads by itself, of those that it is asked about."""
    new: int
    """Photographs that no rung before it reads."""
    recall: float
    """Share of the readable photographs that are read up to here."""


class Tried(msgspec.Struct, frozen=True):
    """A rung that is not in the ladder."""

    name: str
    mean_ms: float
    reads: int
    new: int
    """Photographs that no rung of the ladder reads."""
    wrong: int
    folds: int
    """In how many of the folds it was among the first `TRIED_AT_MOST` to be added."""


class Order(msgspec.Struct, frozen=True):
    """What `chot bench order-rungs` learns."""

    machine: Machine
    photographs: int
    readable: int
    steps: tuple[Step, ...]
    held_out: HeldOut
    tried: tuple[Tried, ...] = ()
    with_tried: HeldOut | None = None
    """Recalls of the ladder with `TRIED_AT_MOST` of those that were tried after its own rungs."""

    @property
    def names(self) -> list[str]:
        """The rungs in their order."""
        return [step.name for step in self.steps]


def order_of(
    reads: Reads,
    folds: Sequence[int],
    *,
    at_once: Sequence[str],
    in_turn: Sequence[str],
    tried: Sequence[str],
    machine: Machine,
) -> Order:
    """Return the learnt order of the ladder's rungs, and what those that were tried are worth.

    :param at_once: the ladder's rungs that come before all others.
    :param in_turn: its other rungs.
    :param tried: rungs that are not in the ladder.
    """
    ours = [*at_once, *in_turn]
    groups = [at_once, in_turn]
    held_out, _ = cross_validated(reads, folds, groups)
    with_tried, chosen = cross_validated(
        reads, folds, [*groups, tried], most=len(ours) + TRIED_AT_MOST
    )
    return Order(
        machine,
        len(reads.photographs),
        reads.readable,
        _steps(reads, learnt(reads, range(len(folds)), groups)),
        held_out,
        tuple(
            Tried(
                name,
                _mean_ms(reads, name),
                sum(reads.named(name).read),
                beyond(reads, name, ours),
                reads.named(name).wrong,
                chosen[name],
            )
            for name in sorted(tried, key=lambda name: (-beyond(reads, name, ours), -chosen[name]))
        ),
        with_tried if tried else None,
    )


def _steps(reads: Reads, order: Sequence[str]) -> tuple[Step, ...]:
    steps: list[Step] = []
    known = [False] * len(reads.photographs)
    for name in order:
        read = reads.named(name).read
        new = sum(mark and not before for mark, before in zip(read, known, strict=True))
        known = [mark or before for mark, before in zip(read, known, strict=True)]
        recall = round(sum(known) / reads.readable, 4) if reads.readable else 0.0
        steps.append(Step(name, _mean_ms(reads, name), sum(read), new, recall))
    return tuple(steps)


def _mean_ms(reads: Reads, name: str) -> float:
    asked = [ms for ms in reads.named(name).ms if ms]
    return round(sum(asked) / len(asked), 2) if asked else 0.0


def load(path: Path = CHECKED_IN) -> Order:
    """Return the order that is checked in.

    :raises BenchmarkError: it is not there, or malformed.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Order)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"no order of rungs in {path}: {error}"
        raise BenchmarkError(msg, hint="make rungs writes it") from error


def write(order: Order, path: Path) -> None:
    """Write an order where `load` finds it."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(order), indent=2) + b"\n")
