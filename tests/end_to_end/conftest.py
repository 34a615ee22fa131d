from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.running import RunningGate, RunningHub, prepare_hub, running


@pytest.fixture(scope="session")
def prepared_hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare_hub(folder)
    return folder


@pytest.fixture
def site(prepared_hub: Path, tmp_path: Path) -> Iterator[tuple[RunningHub, RunningGate]]:
    """A hub and a gate, running."""
    with running(prepared_hub, tmp_path) as both:
        yield both
