"""Protects the peers' figures: each store holds everybody and answers the same question alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.population import Keys, Population, Words
from benchmarks.replica_peers import (
    Find,
    build_dict,
    build_lmdb,
    build_sqlite,
    open_lmdb,
    open_sqlite,
)

PEOPLE = 3_000
KEYS, WORDS = Population(PEOPLE, planted=(1, 1 << 63, (1 << 64) - 1)).arrays()


def halves() -> Iterator[tuple[Keys, Words]]:
    yield KEYS[:1_000], WORDS[:1_000]
    yield KEYS[1_000:], WORDS[1_000:]


@contextlib.contextmanager
def opened(name: str, folder: Path) -> Iterator[Find]:
    if name == "dict":
        yield build_dict(halves()).get
    elif name == "lmdb":
        assert PEOPLE * 24 < build_lmdb(folder, PEOPLE, halves()) < PEOPLE * 80
        with open_lmdb(folder) as find:
            yield find
    else:
        assert PEOPLE * 24 < build_sqlite(folder, halves()) < PEOPLE * 80
        both = name == "sqlite held and mapped"
        with open_sqlite(folder, mapped=both, held=both) as find:
            yield find


@pytest.mark.parametrize("name", ["sqlite", "sqlite held and mapped", "lmdb", "dict"])
def test_everybody_is_found_with_his_record_and_nobody_else(name: str, tmp_path: Path) -> None:
    records = [words.astype("<u8").tobytes() for words in WORDS]
    with opened(name, tmp_path) as find:
        assert [find(int(key)) for key in KEYS] == records
        assert find(int(KEYS[5]) + 4) is None
        assert find(0) is None
