"""The chip, where its tools are: without them the tests are skipped, in CI they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks.chip.build import build
from benchmarks.chip.chip import Chip
from benchmarks.errors import ToolMissingError
from firmware_bridge.link.configuration import BoardConfiguration
from tests.firmware_bridge.chip.eeprom import with_configuration


@pytest.fixture(scope="session")
def tools() -> None:
    try:
        build()
    except ToolMissingError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"{error} ({error.hint})")


@pytest.fixture
def chip(tools: None) -> Iterator[Chip]:
    with Chip(eeprom=with_configuration(BoardConfiguration())) as chip:
        yield chip
