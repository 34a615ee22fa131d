"""Records a gate under load: a hub beside it, strace around it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.end_to_end.running import RunningHub, gate_configuration, prepare_hub
from tests.power_cuts.trace import CALLS, Operation, Vouched, operations
from tests.worlds import ROOT

SCANS = 1_500
LANES = 4
_LONGEST_STRING = 1 << 20


class Recording(msgspec.Struct, frozen=True):
    """What a gate did to its state folder."""

    state: str
    trace: list[Operation]

    @property
    def vouched(self) -> list[bytes]:
        """What it vouched for."""
        return [one.said for one in self.trace if isinstance(one, Vouched)]


def recorded(folder: Path) -> Recording:
    """Return the recording of one gate's run in a folder of its own.

    Skips where strace is not installed.
    """
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: apt-get install strace")
    prepare_hub(folder)
    hub = RunningHub(folder)
    hub.start()
    state, log = folder / "state", folder / "strace.log"
    config, codes = folder / "gate.toml", folder / "codes.txt"
    config.write_text(_config(hub, state))
    codes.write_text("\n".join(hub.texts()) + "\n")
    try:
        subprocess.run(
            [
                strace, "-f", "-qq", "-y", "-xx", "-s", str(_LONGEST_STRING), "-o", str(log),
                "-e", f"trace={CALLS}", "-e", "signal=none",
                sys.executable, "-m", "tests.power_cuts.daemon_under_load",
                str(config), str(codes), str(SCANS),
            ],
            check=True, timeout=240, cwd=ROOT,
        )  # fmt: skip
    finally:
        hub.stop()
    with log.open(encoding="ascii", errors="replace") as lines:
        return Recording(str(state), operations(lines, str(state)))


def _config(hub: RunningHub, state: Path) -> str:
    lanes = "".join(
        f"""
[[lane]]
name = "lane-{number}"
rearm_s = 0.001
sources = [{{kind = "serial", name = "scanner-{number}", port = "/dev/chot-none-{number}"}}]
bridge = {{kind = "screen_only"}}
"""
        for number in range(1, LANES + 1)
    )
    return gate_configuration(hub, state, lanes)
