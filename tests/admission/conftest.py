"""The rulebook that ships, as the law sees it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from admission.rulebook import Rulebook, load_rulebook
from tests.worlds import ROOT

SHIPPED = ROOT / "configs" / "rulebooks" / "hcmc-2021-09.json"


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return load_rulebook(SHIPPED.read_bytes())


@pytest.fixture
def rulebook_file() -> dict[str, Any]:
    """The shipped file's content, for a test to spoil."""
    content: dict[str, Any] = msgspec.json.decode(SHIPPED.read_bytes())
    return content
