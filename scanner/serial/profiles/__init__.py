"""Profiles of serial scanners, by the name that a configuration uses."""

from __future__ import annotations

from scanner.serial.profiles.datalogic import DATALOGIC, DATALOGIC_GRYPHON
from scanner.serial.profiles.de2120 import DE2120
from scanner.serial.profiles.gm65 import GM65
from scanner.serial.profiles.honeywell import HONEYWELL
from scanner.serial.profiles.newland import NEWLAND
from scanner.serial.profiles.profile import Capability, Framing, Profile
from scanner.serial.profiles.zebra import ZEBRA_SSI

__all__ = ["GENERIC", "PROFILES", "Capability", "Framing", "Profile"]

GENERIC = Profile(
    name="generic", title="Any scanner that sends lines; it is told nothing", baud=115_200
)

PROFILES = {
    profile.name: profile
    for profile in (
        GENERIC,
        HONEYWELL,
        ZEBRA_SSI,
        NEWLAND,
        DATALOGIC,
        DATALOGIC_GRYPHON,
        GM65,
        DE2120,
    )
}
