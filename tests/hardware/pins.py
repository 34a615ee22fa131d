"""Simulated GPIO chips of the machine's kernel: made through configfs, seen through sysfs."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

CONFIGFS = Path("/sys/kernel/config")
LINES = 28


class SimulatedChip:
    """One chip with a label, from its making on. Its outputs can be seen and its inputs pulled."""

    def __init__(self, name: str, label: str, hogs: dict[int, str] | None = None) -> None:
        device = CONFIGFS / "gpio-sim" / name
        device.mkdir()
        bank = device / "bank0"
        bank.mkdir()
        (bank / "num_lines").write_text(str(LINES))
        (bank / "label").write_text(label)
        for line, user in (hogs or {}).items():
            hog = bank / f"line{line}" / "hog"
            hog.mkdir(parents=True)
            (hog / "name").write_text(user)
            (hog / "direction").write_text("input")
        (device / "live").write_text("1")
        chip = (bank / "chip_name").read_text().strip()
        self.path = f"/dev/{chip}"
        self._lines = Path("/sys/devices/platform", (device / "dev_name").read_text().strip(), chip)

    def level(self, line: int) -> int:
        """Return the electrical level of a line."""
        return int((self._lines / f"sim_gpio{line}" / "value").read_text())

    def pull(self, line: int, *, up: bool) -> None:
        """Pull a line from outside: what a contact does."""
        (self._lines / f"sim_gpio{line}" / "pull").write_text("pull-up" if up else "pull-down")

    def chatter(self, line: int, changes: int) -> float:
        """Pull a line up and down as fast as that goes; return the longest pause in seconds."""
        pauses_s = []
        with (self._lines / f"sim_gpio{line}" / "pull").open("wb", buffering=0) as file:
            for turn in range(changes):
                begun_s = time.monotonic()
                os.pwrite(file.fileno(), b"pull-up" if turn % 2 else b"pull-down", 0)
                pauses_s.append(time.monotonic() - begun_s)
        return max(pauses_s)


def load_simulator() -> None:
    subprocess.run(["modprobe", "-a", "configfs", "gpio-sim-rig"], check=True)
    subprocess.run(["mount", "-t", "configfs", "none", str(CONFIGFS)], check=False)
