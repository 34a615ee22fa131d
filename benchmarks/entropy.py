"""What no format can undercut: the entropy of a synthetic population, and of its day.

A person's facts are independent groups, and a day's changes are of independent kinds: the bound is
the sum over the groups of what their values' shares say, and for a set of keys or ranks the
logarithm of how many such sets there are.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from benchmarks.churn import TEST_HOURS, Churn
from benchmarks.population import MASKS, MORNING, PRODUCT_SHARES, TICKED_SHARE, Words, column

_SAMPLE = 2_000_000
_IDENTITY_BITS = math.log2((1 << 16) - 1)
_GROUPS = {
    "residence": ("status", "vulnerable", "isolation_until", "district"),
    "vaccination": ("doses", "product", "last_dose"),
    "recovery": ("recovered",),
    "born": ("born",),
    "test": ("tested_h", "test_result"),
    "declaration": ("declared_h", "symptoms", "exposure"),
}


class Entropy(msgspec.Struct, frozen=True):
    """Bits a person. `groups` and the identity's 16 random bits make `facts`."""

    groups: dict[str, float]
    facts: float
    key: float
    """Of a set of 64-bit keys."""
    kept_key: float
    """Of a set of keys of as many bits as rows keep."""

    @property
    def floor_bytes(self) -> float:
        """Bytes a person: facts, and the keys as far as rows keep them."""
        return (self.facts + self.kept_key) / 8


def entropy_of(words: Words, people: int, kept_bits: int) -> Entropy:
    """Return the entropy of a population.

    :param words: its records, or as many of them as are at hand; up to two million are looked at.
        Of few people the figure is too low: they have not shown all that can be.
    :param kept_bits: bits of a key that the rows keep.
    """
    sample = np.asarray(words[:_SAMPLE])
    groups = {name: round(_of_group(sample, fields), 3) for name, fields in _GROUPS.items()}
    return Entropy(
        groups,
        round(sum(groups.values()) + _IDENTITY_BITS, 3),
        round(set_bits(64, people) / people, 3),
        round(set_bits(kept_bits, people) / people, 3),
    )


def _of_group(words: Words, fields: tuple[str, ...]) -> float:
    values = np.zeros(len(words), np.uint64)
    for name in fields:
        values = values << np.uint64(MASKS[name].bit_length()) | column(words, name)
    _, counts = np.unique(values, return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def churn_floor_bytes(churn: Churn, people: int, facts_bits: float) -> float:
    """Return bytes a change: which ranks of each kind, which new keys, and every new value.

    :param facts_bits: entropy of a new person's facts.
    """
    kinds = (churn.doses, churn.tests, churn.declarations, len(churn.removed))
    bits = sum(_choice_bits(people, count) for count in kinds)
    bits += set_bits(64, len(churn.added_keys)) + len(churn.added_keys) * facts_bits
    bits += churn.firsts * _share_bits(PRODUCT_SHARES)
    bits += churn.tests * math.log2(TEST_HOURS)
    ticks = _share_bits((TICKED_SHARE, 1 - TICKED_SHARE)) + TICKED_SHARE * math.log2(3)
    bits += churn.declarations * (math.log2(MORNING[1] - MORNING[0]) + ticks)
    return bits / 8 / len(churn)


def set_bits(key_bits: int, count: int) -> float:
    """Return the bits of a set of so many keys: as many drawn one by one, less their order.

    It is exact but for keys so short that many of those drawn would meet.
    """
    return count * key_bits - math.lgamma(count + 1) / math.log(2)


def _choice_bits(among: int, count: int) -> float:
    ways = math.lgamma(among + 1) - math.lgamma(count + 1) - math.lgamma(among - count + 1)
    return ways / math.log(2)


def _share_bits(shares: tuple[float, ...]) -> float:
    return -sum(share * math.log2(share) for share in shares)
