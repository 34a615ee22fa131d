"""What a run over photographs comes to: pure, from attempts to the figures that are printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from appliance.percentile import percentile
from benchmarks.corpus import Photograph
from benchmarks.decoders import Attempt, By
from benchmarks.machine import Machine
from benchmarks.truth import Judgement, judge

Attempts = Sequence[Attempt | None]


class Found(msgspec.Struct, frozen=True):
    """A text in a photograph."""

    photograph: str
    text: str


class Category(msgspec.Struct, frozen=True):
    """Photographs of one kind of difficulty: how many are readable, and who read how many."""

    readable: int
    read: int
    best_peer: int
    peers_together: int


class PeerFigures(msgspec.Struct, frozen=True):
    """One peer in this run. Times as in `DecodeFigures`; `missing` says why there are none."""

    name: str
    missing: str = ""
    read: int = 0
    recall: float = 0.0
    wrong: int = 0
    false_reads: int = 0
    mean_ms: float = 0.0
    median_ms: float = 0.0
    p95_ms: float = 0.0
    max_ms: float = 0.0
    mean_cpu_ms: float = 0.0
    crashes: int = 0


class DecodeFigures(msgspec.Struct, frozen=True):
    """What `chot bench decode --json` prints. Recalls are shares of the readable photographs.

    Times are milliseconds a picture over the photographs with codes, by `clock` where not named
    `cpu`; without a prefix they are the inline lane's.
    """

    recall: float
    """Read by the inline lane, or by the slow lane within 500 ms of the frame."""
    wrong: int
    """Texts that contradict what is known to be in the photograph."""
    false_reads: int
    """Texts read in pictures without a code."""
    mean_ms: float
    p95_ms: float
    best_peer_recall: float | None
    """The best single peer's; None where none was asked."""
    best_peer: str
    peers_together_recall: float | None
    clock: By
    machine: Machine
    photographs: int
    """Photographs with codes."""
    readable: int
    negatives: int
    read: int
    inline_recall: float
    median_ms: float
    max_ms: float
    mean_cpu_ms: float
    p95_cpu_ms: float
    negatives_mean_ms: float
    slow_read: int
    """Photographs that the slow lane alone read."""
    slow_mean_ms: float
    """The slow lane's, over the photographs that it was asked about."""
    slow_max_ms: float
    crashes: int
    beyond_peers: int
    """Photographs whose codes nobody is known to have read, that no peer of this run reads, and
    that we read."""
    beyond_peers_here: int | None
    """Readable photographs that no peer of this run reads and we do; None where none was asked."""
    unverified: tuple[Found, ...]
    """Texts read where the text of (some) codes is not known: for a person to look at."""
    wrong_texts: tuple[Found, ...]
    false_texts: tuple[Found, ...]
    missed: tuple[str, ...]
    """Readable photographs that we did not read."""
    inline_rungs: dict[str, int]
    """Photographs by the rung that read them."""
    slow_rungs: dict[str, int]
    categories: dict[str, Category]
    peers: tuple[PeerFigures, ...]


def peer_figures(
    name: str, photographs: Sequence[Photograph], attempts: Attempts, crashes: int
) -> PeerFigures:
    """Return one peer's figures."""
    judged = _judged(photographs, attempts)
    times = _Times(photographs, attempts)
    read = sum(bool(judgement.right) for judgement in judged)
    return PeerFigures(
        name,
        read=read,
        recall=_share(read, photographs),
        wrong=sum(len(judgement.wrong) for judgement in judged),
        false_reads=sum(len(judgement.false) for judgement in judged),
        mean_ms=times.mean_ms,
        median_ms=times.at(50),
        p95_ms=times.at(95),
        max_ms=times.at(100),
        mean_cpu_ms=times.mean_cpu_ms,
        crashes=crashes,
    )


def figures_of(
    photographs: Sequence[Photograph],
    ours: Attempts,
    crashes: int,
    *,
    peer_attempts: Sequence[Attempts],
    peers: Sequence[PeerFigures],
    by: By,
    machine: Machine,
) -> DecodeFigures:
    """Return our figures beside those of `peers`, whose readings are `peer_attempts`."""
    judged = _judged(photographs, ours)
    by_peer = [_judged(photographs, attempts) for attempts in peer_attempts]
    times = _Times(photographs, ours)
    slow = [a for p, a in zip(photographs, ours, strict=True) if a and p.codes and a.slow_ms]
    best = max((p for p in peers if not p.missing), key=lambda p: p.read, default=None)
    together = [any(each[at].right for each in by_peer) for at in range(len(photographs))]
    something = [  # by a peer, in this run: whether it is true or not
        any(a is not None and a.all_texts for a in each)
        for each in zip(*peer_attempts, strict=True)
    ] or [False] * len(photographs)
    read = [bool(judgement.right) for judgement in judged]
    return DecodeFigures(
        recall=_share(sum(read), photographs),
        wrong=sum(len(judgement.wrong) for judgement in judged),
        false_reads=sum(len(judgement.false) for judgement in judged),
        mean_ms=times.mean_ms,
        p95_ms=times.at(95),
        best_peer_recall=best.recall if best else None,
        best_peer=best.name if best else "",
        peers_together_recall=_share(sum(together), photographs) if best else None,
        clock=by,
        machine=machine,
        photographs=sum(p.codes > 0 for p in photographs),
        readable=sum(p.readable for p in photographs),
        negatives=sum(p.codes == 0 for p in photographs),
        read=sum(read),
        inline_recall=_share(
            sum(bool(a and a.texts and r) for a, r in zip(ours, read, strict=True)), photographs
        ),
        median_ms=times.at(50),
        max_ms=times.at(100),
        mean_cpu_ms=times.mean_cpu_ms,
        p95_cpu_ms=times.cpu_at(95),
        negatives_mean_ms=_Times(photographs, ours, with_codes=False).mean_ms,
        slow_read=sum(bool(a and a.slow_texts and r) for a, r in zip(ours, read, strict=True)),
        slow_mean_ms=_mean([a.slow_ms for a in slow]),
        slow_max_ms=round(max((a.slow_ms for a in slow), default=0.0), 3),
        crashes=crashes,
        beyond_peers=sum(
            bool(p.codes and not p.readable and judgement.unverified and not theirs)
            for p, judgement, theirs in zip(photographs, judged, something, strict=True)
        ),
        beyond_peers_here=sum(r and not t for r, t in zip(read, together, strict=True))
        if best
        else None,
        unverified=_found(photographs, [judgement.unverified for judgement in judged]),
        wrong_texts=_found(photographs, [judgement.wrong for judgement in judged]),
        false_texts=_found(photographs, [judgement.false for judgement in judged]),
        missed=tuple(
            p.name for p, r in zip(photographs, read, strict=True) if p.readable and not r
        ),
        inline_rungs=_counted([a.rung for a in ours if a]),
        slow_rungs=_counted([a.slow_rung for a in ours if a]),
        categories=_categories(photographs, judged, by_peer),
        peers=tuple(peers),
    )


class _Times:
    """Milliseconds of the pictures with codes (or without); crashes have none."""

    def __init__(
        self, photographs: Sequence[Photograph], attempts: Attempts, *, with_codes: bool = True
    ) -> None:
        taken = [
            attempt
            for photograph, attempt in zip(photographs, attempts, strict=True)
            if attempt is not None and (photograph.codes > 0) is with_codes
        ]
        self._ms = [attempt.ms for attempt in taken]
        self._cpu_ms = [attempt.cpu_ms for attempt in taken]

    @property
    def mean_ms(self) -> float:
        return _mean(self._ms)

    @property
    def mean_cpu_ms(self) -> float:
        return _mean(self._cpu_ms)

    def at(self, percent: float) -> float:
        return round(percentile(self._ms or [0.0], percent), 3)

    def cpu_at(self, percent: float) -> float:
        return round(percentile(self._cpu_ms or [0.0], percent), 3)


def _judged(photographs: Sequence[Photograph], attempts: Attempts) -> list[Judgement]:
    return [
        judge(photograph, attempt.all_texts if attempt else ())
        for photograph, attempt in zip(photographs, attempts, strict=True)
    ]


def _share(read: int, photographs: Sequence[Photograph]) -> float:
    readable = sum(photograph.readable for photograph in photographs)
    return round(read / readable, 4) if readable else 0.0


def _mean(samples: Sequence[float]) -> float:
    return round(sum(samples) / len(samples), 3) if samples else 0.0


def _counted(rungs: list[str]) -> dict[str, int]:
    return dict(Counter(rung for rung in rungs if rung).most_common())


def _found(
    photographs: Sequence[Photograph], texts: Sequence[tuple[str, ...]]
) -> tuple[Found, ...]:
    return tuple(
        Found(photograph.name, text)
        for photograph, each in zip(photographs, texts, strict=True)
        for text in each
    )


def _categories(
    photographs: Sequence[Photograph],
    ours: Sequence[Judgement],
    by_peer: Sequence[Sequence[Judgement]],
) -> dict[str, Category]:
    members: dict[str, list[int]] = {}
    for at, photograph in enumerate(photographs):
        if photograph.readable:
            members.setdefault(photograph.category, []).append(at)

    def read(judged: Sequence[Judgement], places: list[int]) -> int:
        return sum(bool(judged[at].right) for at in places)

    return {
        name: Category(
            len(places),
            read(ours, places),
            max((read(peer, places) for peer in by_peer), default=0),
            sum(any(peer[at].right for peer in by_peer) for at in places),
        )
        for name, places in sorted(members.items())
    }
