"""[journal] of a configuration: how long a lane waits for the medium, how long entries are kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from appliance.table import Table
from cache.journal.file_journal import JournalSettings
from cache.journal.retention import Keeping

Days = Annotated[int, msgspec.Meta(ge=1, le=3_650)]
TIMEOUT_HINT = "milliseconds from 20 to 5000 that a lane waits for the medium; 150 is the default"
BUDGET_HINT = "mebibytes from 64 to 1048576; 2048 hold three weeks of four busy lanes"
DAYS_HINT = "days from 1 to 3650; entries that the hub has not acknowledged are never removed"


class WhenUnavailable(StrEnum):
    """What a lane does while the medium does not take its entries in time."""

    HOLD = "hold"
    """REFER everybody, gate shut: nobody passes without an entry."""
    ADMIT = "admit"
    """Show the verdict all the same, and write the entry as soon as the medium takes it."""


class Remember(StrEnum):
    """How long people are told apart who passed: until then anti-passback and counts know them."""

    UNTIL_POWER_OFF = "until_power_off"
    """The key is in memory: who takes the gate away finds nobody."""
    UNTIL_RESET = "until_reset"
    """The key is on the disk until the zone's reset: survives a power cut, and can be stolen."""


class KeepDays(Table, frozen=True):
    """[journal.keep_days]: how long acknowledged entries stay here, by what they are about."""

    scans: Days = 21
    acts: Days = 21
    """Officers' overrides, corrections and counts."""
    enquiries: Days = 21


class JournalTable(Table, frozen=True):
    """[journal]: what is written of every scan, and when a lane may go on.

    A lane waits `timeout_ms` for its entry to be durable; past it, or while the medium refuses,
    `when_unavailable` decides. All files together take `budget_mib` at most.
    """

    timeout_ms: Annotated[int, msgspec.Meta(ge=20, le=5_000)] = 150
    when_unavailable: WhenUnavailable = WhenUnavailable.HOLD
    budget_mib: Annotated[int, msgspec.Meta(ge=64, le=1 << 20)] = 2_048
    keep_days: KeepDays = KeepDays()
    remember: Remember = Remember.UNTIL_POWER_OFF


def settings_from(table: JournalTable) -> JournalSettings:
    """Return the journal's bounds."""
    return JournalSettings(timeout_s=table.timeout_ms / 1_000, budget_bytes=table.budget_mib << 20)


def keeping_from(table: KeepDays) -> Keeping:
    """Return how long what the hub holds stays here."""
    return Keeping(table.scans, table.acts, table.enquiries)
