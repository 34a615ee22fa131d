"""[lane.sound] of a configuration: when a lane's buzzer is quiet, and how quiet."""

from __future__ import annotations

from admission.quiet import Quiet, QuietHours
from appliance.site_table import HOURS_HINT, Fault, hours_of
from appliance.table import Table

QUIET_HINT = f"one of: {', '.join(Quiet)}"


class SoundTable(Table, frozen=True):
    """[lane.sound]: hours, in the site's local time, in which the buzzer is quiet. None = never.

    `quiet` says how: "short" keeps each rhythm in a quarter of the time, "silent" leaves the buzzer
    out. An alarm sounds at any hour; while the clock cannot be trusted it is never quiet.
    """

    quiet_hours: tuple[str, ...] = ()
    quiet: Quiet = Quiet.SHORT


def fault_in(table: SoundTable) -> Fault | None:
    """Return the first value of the table that means nothing, None if all do."""
    try:
        quiet_from(table)
    except ValueError as error:
        return Fault("quiet_hours", str(error), HOURS_HINT)
    return None


def quiet_from(table: SoundTable) -> QuietHours | None:
    """Return when the lane is quiet, None for never.

    :raises ValueError: if `fault_in` finds a fault.
    """
    if not table.quiet_hours:
        return None
    return QuietHours(tuple(hours_of(text) for text in table.quiet_hours), table.quiet)
