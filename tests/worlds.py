"""Small worlds for tests: clocks that stand still, sites, folders of data by others."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from admission.instant import ClockTrust, Instant
from admission.reading import Reading, Symbology
from admission.site import Place, Site

VIETNAM = timezone(timedelta(hours=7))
ROOT = Path(__file__).parent.parent


class ManualClock:
    """A clock that moves when told to. Stands behind the Clock port."""

    def __init__(
        self,
        start: datetime = datetime(2021, 9, 20, 1, 0, tzinfo=UTC),
        trust: ClockTrust = ClockTrust.SYNCHRONISED,
    ) -> None:
        self.wall_ns = int(start.timestamp()) * 1_000_000_000
        self.monotonic_ns = 1_000_000_000
        self.trust = trust
        self.boot_id = "boot-1"

    def now(self) -> Instant:
        return Instant(self.wall_ns, self.monotonic_ns, self.boot_id, self.trust)

    def advance(self, seconds: float) -> None:
        self.wall_ns += int(seconds * 1e9)
        self.monotonic_ns += int(seconds * 1e9)


def a_site(place: Place = Place.SUPERMARKET, directive: int = 15) -> Site:
    return Site("site-1", "Test site", place, "district-1", directive, VIETNAM)


def a_reading(text: str, *, symbology: Symbology = Symbology.QR_CODE, at_ns: int = 0) -> Reading:
    return Reading(text, symbology, "camera-1", at_ns)


def chot_data(*parts: str) -> Path:
    """Return a path under CHOT_DATA; skip where the folder is absent, fail where CI lacks it."""
    root = Path(os.environ.get("CHOT_DATA", ROOT.parent / "shared" / "data"))
    path = root.joinpath(*parts)
    if not path.exists():
        reason = f"test data by others is not here: set CHOT_DATA ({'/'.join(parts)} wanted)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
