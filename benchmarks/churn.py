"""What one day does to a synthetic population: the changes that a day's delta carries.

Of the people 3 % change, each in one way: 35 % get a dose, 50 % a negative test of the last
sixteen hours, 15 % declare their health in the morning. 0.1 % are new, 0.01 % are removed.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from admission.standing import TestResult
from benchmarks.population import (
    FULL_BITS,
    KEPT_BITS,
    TODAY,
    Keys,
    Words,
    column,
    draw_keys,
    draw_people,
    draw_products,
    draw_ticks,
    hour,
    morning_of,
    replace,
)

CHANGED_SHARE = 0.03
_NEW, _REMOVED = 1 / 30, 1 / 300
"""For one changed person."""
CHANGES_FOR_ONE = 1 + _NEW + _REMOVED
"""Changes in all, for one changed person."""
_DOSE, _TEST = 0.35, 0.50
TEST_HOURS = 16
_MOST_DOSES = 3


class Churn(msgspec.Struct, frozen=True):
    """Changes of one day. Ranks count the people in the order of their keys, from 0, ascending.

    `firsts` of the `doses` were first ones; `tests` and `declarations` count the others.
    """

    ranks: NDArray[np.int64]
    words: Words
    """Whole new records of the changed."""
    added_keys: Keys
    added_words: Words
    removed: NDArray[np.int64]
    """Ranks of the removed; none of them is among the changed."""
    doses: int
    firsts: int
    tests: int
    declarations: int

    def __len__(self) -> int:
        return len(self.ranks) + len(self.added_keys) + len(self.removed)

    @property
    def growth(self) -> int:
        """How many people more there are after the day."""
        return len(self.added_keys) - len(self.removed)

    def after(self, keys: Keys, words: Words) -> tuple[Keys, Words]:
        """Return everybody after the day, ascending by key.

        :param keys: the population before it, `words` its records.
        """
        changed = np.array(words)
        changed[self.ranks] = self.words
        kept = np.ones(len(keys), bool)
        kept[self.removed] = False
        keys = np.concatenate((keys[kept], self.added_keys))
        order = np.argsort(keys)
        return keys[order], np.concatenate((changed[kept], self.added_words))[order]


def a_day(keys: Keys, words: Words, *, changed: int | None = None, seed: int = 7) -> Churn:
    """Return what the day after does to a population.

    :param changed: how many people change; default 3 % of them. Others go with them in proportion.
    """
    rng, people = np.random.default_rng(seed), len(keys)
    count = int(people * CHANGED_SHARE) if changed is None else changed
    removals = int(count * _REMOVED)
    drawn = rng.choice(people, count + removals, replace=False, shuffle=True)
    ranks, removed = np.sort(drawn[:count]), np.sort(drawn[count:])
    now = np.array(words[ranks])
    kind = rng.random(count)
    dosed, declaring = kind < _DOSE, kind >= _DOSE + _TEST
    tested = ~dosed & ~declaring
    first = dosed & (column(now, "doses") == 0)
    replace(now, first, product=draw_products(rng, int(first.sum())))
    doses = np.minimum(column(now, "doses")[dosed].astype(np.int64) + 1, _MOST_DOSES)
    replace(now, dosed, doses=doses, last_dose=TODAY + 1)
    hours = hour(TODAY + 1, 24) - rng.integers(0, TEST_HOURS, int(tested.sum()))
    replace(now, tested, tested_h=hours, test_result=int(TestResult.NEGATIVE))
    declarations = int(declaring.sum())
    ticks = draw_ticks(rng, declarations)
    replace(
        now,
        declaring,
        declared_h=morning_of(rng, declarations, TODAY + 1),
        symptoms=ticks & 1,
        exposure=ticks >> 1,
    )
    added = _strangers(rng, keys, int(count * _NEW))
    return Churn(
        ranks,
        now,
        added,
        draw_people(rng, len(added)),
        removed,
        int(dosed.sum()),
        int(first.sum()),
        int(tested.sum()),
        declarations,
    )


def _strangers(rng: np.random.Generator, keys: Keys, count: int) -> Keys:
    """Return keys that nobody has, not even in their first 62 bits."""
    spare = np.uint64(FULL_BITS - KEPT_BITS)
    drawn = draw_keys(rng, count, (0, 1 << KEPT_BITS))
    # Of the first key at or after the prefix's lowest it is enough to know whether it is alike.
    at = np.searchsorted(keys, drawn >> spare << spare)
    near = np.asarray(keys[np.minimum(at, len(keys) - 1)])
    unlike: NDArray[np.bool_] = near >> spare != drawn >> spare
    return drawn[unlike]
