"""A synthetic population for measurements: people as keys and records of layout 8, by numpy.

The same number and seed give the same people. Nobody is real; what is drawn, each by itself:

| fact            | drawn                                                                         |
|-----------------|-------------------------------------------------------------------------------|
| key             | uniform in 64 bits, as a keyed hash is; no two agree in their first 62        |
| revoked         | 0.5 %                                                                         |
| vulnerable      | 12 %                                                                          |
| isolation until | 1 %, one to fourteen days ahead                                               |
| district        | 24 districts of Ho Chi Minh City, then 63 provinces, by Zipf's law            |
| doses           | none 15 %, one 50 %, two 33 %, three 2 %                                      |
| product         | eight of them, the four commonest 97 %; none without a dose                   |
| last dose       | exponential, 30 days in the mean, 170 at most                                 |
| recovered       | 4 %, exponential, 30 days in the mean, 120 at most                            |
| born            | by six bands of age, each year of a band alike                                |
| test            | 35 %, exponential in hours, a week in the mean; 3 % of them positive          |
| declaration     | 60 %, geometric in days (30 % yesterday's), an hour from 6 to 9; 5 % ticked   |
| identity        | 16 random bits, never zero                                                    |

Known by it is the evening of 8 September 2021; `benchmarks.churn` is the day after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from admission.standing import CredentialStatus, Product, TestResult
from cache.replica.forms import BIRTH_YEAR_EPOCH, DATE_EPOCH, HOUR_EPOCH_H
from cache.replica.layout import PERSONS_3

Keys = NDArray[np.uint64]
Words = NDArray[np.uint64]
"""`[people, 2]`: records of layout 8 as their two little-endian words."""
Column = NDArray[np.uint64]

EVENING = date(2021, 9, 8)
TODAY = (EVENING - DATE_EPOCH).days
"""The evening's day, as a record holds dates."""
LOCAL_HOURS = 7
CHUNK_PEOPLE = 1 << 20
FULL_BITS = 64
KEPT_BITS = 62
"""Keys that agree in so many bits stand for one person."""

_DOSES = (0.15, 0.50, 0.33, 0.02)
PRODUCTS = (
    Product.ASTRAZENECA, Product.PFIZER, Product.MODERNA, Product.SINOPHARM,
    Product.SPUTNIK_V, Product.JANSSEN, Product.SINOVAC, Product.ABDALA,
)  # fmt: skip
PRODUCT_SHARES = (0.55, 0.20, 0.12, 0.10, 0.01, 0.01, 0.005, 0.005)
_AGES = (0, 12, 18, 40, 60, 75, 95)
_AGE_SHARES = (0.08, 0.15, 0.35, 0.25, 0.12, 0.05)
_DISTRICTS = (
    760, 761, 762, 763, 764, 765, 766, 767, 768, 769, 770, 771, 772, 773, 774, 775, 776, 777,
    778, 783, 784, 785, 786, 787,
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36,
    37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74,
    75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
)  # fmt: skip
MORNING = (6, 10)
"""Local hours of declarations: from the first, before the second."""
TICKED_SHARE = 0.05


def _places() -> dict[str, tuple[int, int]]:
    """Return the word and the shift of each field of layout 8."""
    places, at = {}, 0
    for field in PERSONS_3.fields:
        places[field.name] = divmod(at, FULL_BITS)
        at += field.bits
    return places


PLACES = _places()
MASKS = {field.name: (1 << field.bits) - 1 for field in PERSONS_3.fields}


class Population(msgspec.Struct, frozen=True):
    """So many people, in the order of their keys.

    :param planted: keys of people who must be among them, whose facts are drawn as anybody's: those
        of real identifiers. At most `people`, no two alike in their first 62 bits.
    """

    people: int
    seed: int = 1
    planted: tuple[int, ...] = ()

    def chunks(self) -> Iterator[tuple[Keys, Words]]:
        """Yield all people, ascending by key, about a million at a time.

        :raises ValueError: if more are planted than there are people, or two of them are alike.
        """
        bits = max(0, (self.people // CHUNK_PEOPLE).bit_length())
        planted = np.sort(np.array(self.planted, np.uint64))
        if len(planted) > self.people or _repeats(planted):
            raise ValueError("more keys are planted than there are people, or one twice")
        held = np.bincount(
            (planted >> np.uint64(FULL_BITS - bits) if bits else planted * 0).astype(np.intp),
            minlength=1 << bits,
        )
        others = np.random.default_rng(self.seed).multinomial(
            self.people - len(planted), np.full(1 << bits, 0.5**bits)
        )
        taken = 0
        for number, (own, drawn) in enumerate(zip(held, others, strict=True)):
            rng = np.random.default_rng((self.seed, number))
            low = number << KEPT_BITS - bits
            span = (low, low + (1 << KEPT_BITS - bits))
            keys = draw_keys(rng, int(own + drawn), span, planted[taken : taken + own])
            taken += int(own)
            yield keys, draw_people(rng, len(keys))

    def arrays(self) -> tuple[Keys, Words]:
        """Return all people at once, 24 bytes each."""
        keys, words = np.empty(self.people, np.uint64), np.empty((self.people, 2), np.uint64)
        at = 0
        for some, facts in self.chunks():
            keys[at : at + len(some)], words[at : at + len(some)] = some, facts
            at += len(some)
        return keys, words


def _repeats(planted: Keys) -> bool:
    return bool(np.any(np.diff(planted >> np.uint64(FULL_BITS - KEPT_BITS)) == 0))


def draw_keys(
    rng: np.random.Generator, count: int, span: tuple[int, int], planted: Keys | None = None
) -> Keys:
    """Return `count` random keys, ascending, no two alike in their first 62 bits.

    :param span: what those bits are drawn from, the second excluded.
    :param planted: keys that must be among them, ascending.
    """
    spare = np.uint64(FULL_BITS - KEPT_BITS)
    if planted is None:
        planted = np.zeros(0, np.uint64)
    prefixes = planted >> spare
    while len(prefixes) < count:
        drawn = rng.integers(*span, count - len(prefixes), np.uint64)
        # `np.unique` does the same by hashing, which takes ten times as long.
        ascending = np.sort(np.concatenate((prefixes, drawn)))
        prefixes = ascending[np.append(True, ascending[1:] != ascending[:-1])]
    keys: Keys = prefixes << spare | rng.integers(0, 1 << int(spare), count, np.uint64)
    keys[np.searchsorted(prefixes, planted >> spare)] = planted
    return keys


def draw_people(rng: np.random.Generator, count: int) -> Words:
    """Return the records of `count` people."""
    doses = _choice(rng, count, range(len(_DOSES)), _DOSES)
    tested = _some(rng, count, 0.35)
    declared = _some(rng, count, 0.60)
    ages = rng.choice(len(_AGE_SHARES), count, p=_AGE_SHARES)
    aged = rng.integers(np.array(_AGES)[ages], np.array(_AGES)[ages + 1])
    zipf = 1 / np.arange(1, len(_DISTRICTS) + 1)
    drawn = {
        "status": _some(rng, count, 0.005) * CredentialStatus.REVOKED,
        "vulnerable": _some(rng, count, 0.12),
        "isolation_until": _some(rng, count, 0.01) * (TODAY + rng.integers(1, 15, count)),
        "district": _choice(rng, count, _DISTRICTS, zipf / zipf.sum()),
        "doses": doses,
        "product": (doses > 0) * _choice(rng, count, PRODUCTS, PRODUCT_SHARES),
        "last_dose": (doses > 0) * (TODAY - _ago(rng, count, 30, 170)),
        "recovered": _some(rng, count, 0.04) * (TODAY - _ago(rng, count, 30, 120)),
        "born": EVENING.year - BIRTH_YEAR_EPOCH - aged,
        "tested_h": tested * (hour(TODAY, 24) - _ago(rng, count, 7 * 24, 1_666)),
        "test_result": tested
        * np.where(rng.random(count) < 0.03, TestResult.POSITIVE, TestResult.NEGATIVE),
        "declared_h": declared * _morning(rng, TODAY + 1 - rng.geometric(0.3, count).clip(1, 60)),
        "identity": rng.integers(1, 1 << 16, count),
    }
    ticks = declared * draw_ticks(rng, count)
    return pack({**drawn, "symptoms": ticks & 1, "exposure": ticks >> 1}, count)


def draw_ticks(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Return the two ticks of declarations, the symptoms' lowest."""
    return _some(rng, count, TICKED_SHARE) * rng.integers(1, 4, count)


def morning_of(rng: np.random.Generator, count: int, day: int) -> NDArray[np.int64]:
    """Return hours of declarations of one day."""
    return _morning(rng, np.full(count, day))


def _morning(rng: np.random.Generator, days: NDArray[np.int64]) -> NDArray[np.int64]:
    return hour(0, 0) + days * 24 + rng.integers(*MORNING, len(days))


def hour(day: int, local_hour: int) -> int:
    """Return an hour of a day in Vietnam, as a record holds hours."""
    midnight = (DATE_EPOCH.toordinal() - date(1970, 1, 1).toordinal()) * 24 - HOUR_EPOCH_H
    return midnight + day * 24 + local_hour - LOCAL_HOURS


def pack(columns: dict[str, NDArray[np.int64]], count: int) -> Words:
    """Return the records with these fields; others are zero."""
    words = np.zeros((count, 2), np.uint64)
    for name, column in columns.items():
        word, shift = PLACES[name]
        words[:, word] |= column.astype(np.uint64) << np.uint64(shift)
    return words


def column(words: Words, name: str) -> Column:
    """Return one field of the records."""
    word, shift = PLACES[name]
    return words[:, word] >> np.uint64(shift) & np.uint64(MASKS[name])


def replace(words: Words, rows: NDArray[np.bool_], **fields: NDArray[np.int64] | int) -> None:
    """Give some of the records other values, in place."""
    for name, value in fields.items():
        word, shift = PLACES[name]
        cleared = words[rows, word] & np.uint64(~(MASKS[name] << shift) & (1 << FULL_BITS) - 1)
        words[rows, word] = cleared | np.asarray(value).astype(np.uint64) << np.uint64(shift)


def _some(rng: np.random.Generator, count: int, share: float) -> NDArray[np.int64]:
    return (rng.random(count) < share).astype(np.int64)


def _ago(rng: np.random.Generator, count: int, mean: float, most: int) -> NDArray[np.int64]:
    return np.minimum(rng.exponential(mean, count), most).astype(np.int64)


def _choice(
    rng: np.random.Generator,
    count: int,
    values: Sequence[int],
    shares: Sequence[float] | NDArray[np.float64],
) -> NDArray[np.int64]:
    return np.array(values, np.int64)[rng.choice(len(values), count, p=shares)]


def draw_products(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Return products of first doses."""
    return _choice(rng, count, PRODUCTS, PRODUCT_SHARES)
