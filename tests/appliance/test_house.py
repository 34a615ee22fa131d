"""A package of somebody else's with one of our plain names is found at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import HouseError
from appliance.house import check_house


def test_this_house_is_in_order() -> None:
    check_house()


def test_a_package_from_elsewhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(HouseError, match="admission") as caught:
        check_house(tmp_path)
    assert "virtual environment" in caught.value.hint
