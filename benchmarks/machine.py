"""The machine that figures were taken on: no figure travels without it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import cv2
import msgspec

_CPUINFO = Path("/proc/cpuinfo")
_MEMINFO = Path("/proc/meminfo")
_MODEL_KEYS = ("model name", "Model")  # x86 names its processor, a Raspberry Pi its board


class Machine(msgspec.Struct, frozen=True):
    """Processor, cores and the versions that decide about speed."""

    processor: str
    cores: int
    python: str
    opencv: str
    zxing_cpp: str


def this_machine() -> Machine:
    """Return the machine that this runs on; an unknown processor is named by its architecture."""
    return Machine(
        _processor(),
        len(os.sched_getaffinity(0)),
        platform.python_version(),
        cv2.__version__,
        version("zxing-cpp"),
    )


def available_bytes() -> int:
    """Return the memory that may be taken without swapping, 0 where the system does not tell."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    kib = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    return int(next(kib, "0")) << 10


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.machine()
    named = dict(line.split(":", 1) for line in lines if ":" in line)
    values = {key.strip(): value.strip() for key, value in named.items()}
    return next((values[key] for key in _MODEL_KEYS if key in values), platform.machine())
