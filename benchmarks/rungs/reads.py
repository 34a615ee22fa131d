"""What every rung reads of every photograph, and what it costs there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import cv2
import msgspec

from benchmarks.corpus import Photograph, picture
from benchmarks.truth import judge
from scanner.camera.port import Gray
from scanner.camera.rungs import Rung, read_rung

TURNS = 3
"""Each rung reads each photograph this often, and its best time counts: the first to touch a
picture waits for memory, and others are busy on most machines."""


class RungReads(msgspec.Struct, frozen=True):
    """One rung on all photographs, in their order. Milliseconds of one core.

    A photograph that it was not asked about has 0 ms, and counts as not read.
    """

    name: str
    read: tuple[bool, ...]
    """Whether it read a text that is truly there."""
    ms: tuple[float, ...]
    wrong: int
    """Texts that contradict what is known, or that stand where no code is."""


class Reads(msgspec.Struct, frozen=True):
    """All rungs on all photographs."""

    photographs: tuple[str, ...]
    readable: int
    """How many of them are known to be readable."""
    rungs: tuple[RungReads, ...]

    def named(self, name: str) -> RungReads:
        """Return one rung's reads.

        :raises KeyError: it was not measured.
        """
        for rung in self.rungs:
            if rung.name == name:
                return rung
        raise KeyError(name)


def measured(
    photographs: Sequence[Photograph],
    at_once: Sequence[Rung],
    in_turn: Sequence[Rung],
    *,
    progress: Callable[[int], None],
) -> Reads:
    """Return what each rung reads by itself, of the whole photograph.

    Only what none of the rungs `at_once` reads is shown to those `in_turn`.

    :param progress: called with the number of photographs done.
    """
    cv2.setNumThreads(1)
    rungs = (*at_once, *in_turn)
    read: list[list[bool]] = [[] for _ in rungs]
    ms: list[list[float]] = [[] for _ in rungs]
    wrong = [0] * len(rungs)
    for number, photograph in enumerate(photographs):
        gray = picture(photograph)
        easy = False
        for at, rung in enumerate(rungs):
            if at >= len(at_once) and easy:
                read[at].append(False)
                ms[at].append(0.0)
                continue
            texts, best_ms = _timed(rung, gray)
            ms[at].append(best_ms)
            judgement = judge(photograph, texts)
            read[at].append(bool(judgement.right))
            wrong[at] += len(judgement.wrong) + len(judgement.false)
            easy |= at < len(at_once) and bool(judgement.right)
        progress(number + 1)
    return Reads(
        tuple(photograph.name for photograph in photographs),
        sum(photograph.readable for photograph in photographs),
        tuple(
            RungReads(rung.name, tuple(read[at]), tuple(ms[at]), wrong[at])
            for at, rung in enumerate(rungs)
        ),
    )


def _timed(rung: Rung, gray: Gray) -> tuple[list[str], float]:
    """Return the texts that a rung reads, and the milliseconds that it needs at best."""
    best_ns: int | None = None
    texts: list[str] = []
    for _ in range(TURNS):
        began_ns = time.thread_time_ns()
        sightings = read_rung(rung, gray)
        taken_ns = time.thread_time_ns() - began_ns
        best_ns = taken_ns if best_ns is None else min(best_ns, taken_ns)
        texts = [sighting.text for sighting in sightings]
    return texts, round((best_ns or 0) / 1e6, 3)
