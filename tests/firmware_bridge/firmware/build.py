"""The firmware's host builds, made when a test first asks for one."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware_bridge" / "firmware"


@cache
def built(product: str, target: str) -> Path:
    """Return `build/product` after `make target`; skip the test where there is no compiler."""
    if shutil.which("make") is None or shutil.which("gcc") is None:
        pytest.skip("apt-get install make gcc")
    build = FIRMWARE / "build"
    build.mkdir(exist_ok=True)
    # Test processes that run side by side build once.
    with (build / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make = subprocess.run(
            ["make", "-s", "-C", str(FIRMWARE), target], capture_output=True, text=True, check=False
        )
    assert make.returncode == 0, make.stderr
    return build / product
