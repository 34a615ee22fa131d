"""The naming trap: our packages bear plain names, and the package index has others like them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from appliance.errors import HouseError

PACKAGES = ("admission", "appliance", "benchmarks", "cache", "firmware_bridge", "hub", "scanner")


def check_house(root: Path | None = None) -> None:
    """Return if every package would be imported from the folder that holds this one.

    :raises HouseError: naming the first package that would come from elsewhere.
    """
    home = root or Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        origin = Path(found.origin).resolve() if found and found.origin else None
        if origin is None or origin.parent.parent != home:
            msg = f"the package '{name}' would be imported from {origin}, not from {home}"
            raise HouseError(
                msg,
                hint=f"run Chốt in a virtual environment of its own, without a package '{name}'",
            )
