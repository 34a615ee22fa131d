"""The other end of the cable: serial scanners behind pseudo-terminals, as their manuals say."""

from __future__ import annotations

from scanner.serial.simulated.device import SimulatedDevice
from scanner.serial.simulated.terminal import Pacing, SimulatedScanner

__all__ = ["Pacing", "SimulatedDevice", "SimulatedScanner"]
