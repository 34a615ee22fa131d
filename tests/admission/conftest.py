"""The rulebook that ships, as the law sees it; property tests without a stopwatch."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import settings

from admission.rulebook import Rulebook
from admission.rulebook_loading import load_rulebook
from tests.worlds import ROOT

settings.register_profile("law", deadline=None)
settings.load_profile("law")

SHIPPED = ROOT / "configs" / "rulebooks" / "hcmc-2021-09.json"


@pytest.fixture(scope="session")
def rulebook() -> Rulebook:
    return load_rulebook(SHIPPED.read_bytes())


@pytest.fixture
def rulebook_file() -> dict[str, Any]:
    """The shipped file's content, for a test to spoil."""
    content: dict[str, Any] = msgspec.json.decode(SHIPPED.read_bytes())
    return content
