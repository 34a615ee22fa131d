"""Photographs read by our two lanes and by their peers, in the same run.

All decoders are asked about one photograph after the other, each in a process of its own, so that
whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

import msgspec

from benchmarks.corpus import Photograph, picture
from benchmarks.decode_figures import DecodeFigures, PeerFigures, figures_of, peer_figures
from benchmarks.decoders import OURS, Attempt, By, asked_by, attempting
from benchmarks.errors import DecoderMissingError
from benchmarks.isolation import Isolated
from benchmarks.machine import this_machine


class Run(msgspec.Struct):
    """What one decoder made of every photograph; None where it crashed."""

    name: str
    attempts: list[Attempt | None]
    crashes: int = 0
    missing: str = ""
    """Why it was not asked."""


def measure(
    photographs: Sequence[Photograph],
    *,
    peers: Iterable[str],
    by: By = By.WALL,
    progress: Callable[[int], None],
) -> DecodeFigures:
    """Return the figures of our lanes and of `peers` (names of `decoders.PEERS`).

    :param progress: called with the number of photographs done.
    :raises CorpusError: a photograph cannot be read from its file.
    """
    with ExitStack() as children:
        ours = Run(OURS, [])
        asked = [(ours, children.enter_context(Isolated(attempting, asked_by(by, OURS))))]
        missing: list[Run] = []
        for name in peers:
            try:
                child = children.enter_context(Isolated(attempting, asked_by(by, name)))
            except DecoderMissingError as error:
                missing.append(Run(name, [], missing=str(error)))
            else:
                asked.append((Run(name, []), child))
        for number, photograph in enumerate(photographs):
            gray = picture(photograph)
            for run, child in asked:
                run.attempts.append(child.ask(gray))
            progress(number + 1)
        for run, child in asked:
            run.crashes = child.crashes
    others = [run for run, _ in asked[1:]]
    measured: list[PeerFigures] = [
        peer_figures(run.name, photographs, run.attempts, run.crashes) for run in others
    ]
    absent = [PeerFigures(run.name, missing=run.missing) for run in missing]
    return figures_of(
        photographs,
        ours.attempts,
        ours.crashes,
        peer_attempts=[run.attempts for run in others],
        peers=(*measured, *absent),
        by=by,
        machine=this_machine(),
    )
