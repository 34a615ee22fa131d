from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.passes.fonts import Fonts, find_fonts
from tests.hub.passes.office import Office


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offices") / "office"
    Office(folder).found()
    return folder


@pytest.fixture
def office(founded: Path, tmp_path: Path) -> Office:
    shutil.copytree(founded, tmp_path / "office")
    return Office(tmp_path / "office")


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    return find_fonts()
