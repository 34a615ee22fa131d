"""Fixtures that several of the replica's suites share; a suite may put its own in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cache.replica.gates import Gate
from tests.cache.replica.releases import MemorySource, Release


@pytest.fixture
def old(tmp_path: Path) -> Release:
    return Release(tmp_path, 100)


@pytest.fixture
def new(tmp_path: Path) -> Release:
    """A release that knows the people 100 to 129 too."""
    return Release(tmp_path, 130)


@pytest.fixture
def source() -> MemorySource:
    """An upstream with nothing to offer yet."""
    return MemorySource()


@pytest.fixture
def gate(tmp_path: Path, source: MemorySource) -> Gate:
    return Gate(tmp_path, source)
