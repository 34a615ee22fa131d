"""The order of the rungs, learnt from what each reads: most new photographs a millisecond first.

Learnt on some families of photographs and judged on the others: photographs of one scene are of
one family, so that nobody is examined on what he has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from benchmarks.corpus import Photograph
from benchmarks.rungs.reads import Reads, RungReads

FOLDS = 5
AT_ONCE = 4
"""Rungs that are tried in every picture; what they do not read is hard."""
BUDGETS_MS = (5.0, 15.0, 30.0, 100.0, 500.0)


class HeldOut(msgspec.Struct, frozen=True):
    """Shares of the readable photographs that are read within a budget of one core.

    Keys are the budgets' milliseconds. `unseen` is by the orders that were learnt without the
    photographs that they are judged on, `seen` by the one order that all of them taught.
    """

    unseen: dict[str, float]
    seen: dict[str, float]


def folds_of(photographs: Sequence[Photograph], count: int = FOLDS) -> list[int]:
    """Return the fold of each photograph: whatever shares a text is together, folds are even.

    Photographs whose texts nobody knows are together by their category.
    """
    families: dict[int, list[int]] = {}
    for at, family in enumerate(_families(photographs)):
        families.setdefault(family, []).append(at)
    folds = [0] * len(photographs)
    sizes = [0] * count
    for members in sorted(families.values(), key=lambda family: (-len(family), family[0])):
        fold = sizes.index(min(sizes))
        sizes[fold] += len(members)
        for at in members:
            folds[at] = fold
    return folds


def _families(photographs: Sequence[Photograph]) -> list[int]:
    """Return a number for each photograph, the same for those that share texts by any chain."""
    first_with: dict[str, int] = {}
    parent = list(range(len(photographs)))

    def root(at: int) -> int:
        while parent[at] != at:
            at = parent[at]
        return at

    for at, photograph in enumerate(photographs):
        for text in photograph.texts or (f"\0{photograph.category}",):
            other = first_with.setdefault(text.strip(), at)
            parent[root(at)] = root(other)
    return [root(at) for at in range(len(photographs))]


def learnt(reads: Reads, places: Iterable[int], groups: Sequence[Sequence[str]]) -> list[str]:
    """Return the rungs of all groups in the order that the photographs at `places` teach.

    A group's rungs all come before those of the next one. The next rung is the one that reads most
    of what is not read yet for what it costs on all that is not read yet. When nothing is new any
    more, it goes on with the hard photographs once more: what reads them in another way reads
    others like them.
    """
    seen = list(places)
    order: list[str] = []
    unread = seen
    for group in groups:
        left = [reads.named(name) for name in group]
        remaining = unread
        while left:
            best = _best(left, remaining)
            if not _gain(best, remaining):
                remaining = _hard(reads, order, seen)
                best = _best(left, remaining)
            left.remove(best)
            order.append(best.name)
            remaining = [at for at in remaining if not best.read[at]]
            unread = [at for at in unread if not best.read[at]]
    return order


def _best(rungs: Sequence[RungReads], remaining: Sequence[int]) -> RungReads:
    """Return the rung that gains most; of those that gain nothing the cheapest."""
    return max(rungs, key=lambda rung: (_gain(rung, remaining), -sum(rung.ms)))


def _gain(rung: RungReads, remaining: Sequence[int]) -> float:
    """Return how many of the remaining photographs a rung reads for each millisecond on them."""
    read = sum(rung.read[at] for at in remaining)
    return read / sum(rung.ms[at] for at in remaining) if read else 0.0


def _hard(reads: Reads, order: Sequence[str], seen: Sequence[int]) -> list[int]:
    first = [reads.named(name) for name in order[:AT_ONCE]]
    return [at for at in seen if not any(rung.read[at] for rung in first)]


def cross_validated(
    reads: Reads,
    folds: Sequence[int],
    groups: Sequence[Sequence[str]],
    *,
    most: int | None = None,
) -> tuple[HeldOut, dict[str, int]]:
    """Return the recalls of learnt orders, and in how many folds each rung was among the first.

    :param groups: the rungs to choose from, as for `learnt`.
    :param most: how many rungs a ladder may have; None for all.
    """
    everything = range(len(folds))
    unseen: dict[int, float | None] = {}
    chosen = {name: 0 for group in groups for name in group}
    for fold in sorted(set(folds)):
        order = learnt(reads, (at for at in everything if folds[at] != fold), groups)[:most]
        for name in order:
            chosen[name] += 1
        unseen |= read_after_ms(reads, order, (at for at in everything if folds[at] == fold))
    seen = read_after_ms(reads, learnt(reads, everything, groups)[:most], everything)
    return HeldOut(within(unseen, reads.readable), within(seen, reads.readable)), chosen


def read_after_ms(
    reads: Reads, order: Sequence[str], places: Iterable[int]
) -> dict[int, float | None]:
    """Return for each photograph what all rungs cost up to the one that reads it; None if none."""
    rungs = [reads.named(name) for name in order]
    after: dict[int, float | None] = {}
    for at in places:
        spent = 0.0
        after[at] = None
        for rung in rungs:
            spent += rung.ms[at]
            if rung.read[at]:
                after[at] = spent
                break
    return after


def within(after: Mapping[int, float | None], readable: int) -> dict[str, float]:
    """Return the share of the `readable` photographs that is read within each budget."""
    return {
        f"{budget_ms:g}": round(
            sum(ms is not None and ms <= budget_ms for ms in after.values()) / readable, 4
        )
        for budget_ms in BUDGETS_MS
    }


def beyond(reads: Reads, name: str, names: Iterable[str]) -> int:
    """Return how many photographs the rung `name` reads that none of the other `names` reads."""
    others = [reads.named(other) for other in names if other != name]
    mine = reads.named(name)
    return sum(
        mine.read[at] and not any(other.read[at] for other in others)
        for at in range(len(mine.read))
    )
