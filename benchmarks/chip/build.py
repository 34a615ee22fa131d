"""Builds what the bench runs: the firmware as it is shipped, and the rig around libsimavr."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import firmware_bridge
from benchmarks.errors import ChildError, ToolMissingError

FIRMWARE: Final = Path(firmware_bridge.__file__).parent / "firmware"
ELF: Final = FIRMWARE / "build" / "chot-atmega328p.elf"
RIG: Final = FIRMWARE / "build" / "chip-rig"
_SOURCES: Final = Path(__file__).parent
_LIBRARIES: Final = ("-lsimavr", "-lelf", "-lutil")
_WARNINGS: Final = ("-Wall", "-Wextra", "-Werror")
_HINT: Final = "apt-get install avr-libc gcc gcc-avr libelf-dev libsimavr-dev make"


def build() -> tuple[Path, Path]:
    """Return the rig and the firmware's ELF, both up to date.

    :raises ToolMissingError: if a compiler or libsimavr is missing.
    :raises ChildError: if what should build does not.
    """
    with _alone():
        _make_firmware()
        _compile_rig()
    return RIG, ELF


def footprint() -> dict[str, int]:
    """Return `flash_bytes` and `ram_bytes` of the firmware, the deepest stack included.

    :raises ToolMissingError: if the compiler is missing.
    :raises ChildError: if it does not build, or one is above its limit.
    """
    with _alone():
        _need("make", "avr-gcc")
        lines = _run("make", "--no-print-directory", "-C", str(FIRMWARE), "size").splitlines()
    figures = (line.split()[:2] for line in lines if line.startswith(("flash_bytes", "ram_bytes")))
    return {name: int(value) for name, value in figures}


@contextmanager
def _alone() -> Iterator[None]:
    """Keep two test processes from building at the same time."""
    ELF.parent.mkdir(exist_ok=True)
    with (ELF.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_firmware() -> None:
    _need("make", "avr-gcc")
    _run("make", "-C", str(FIRMWARE), "avr")


def _compile_rig() -> None:
    sources = sorted(_SOURCES.glob("*.c"))
    newest = max(path.stat().st_mtime for path in _SOURCES.glob("*.[ch]"))
    if RIG.exists() and RIG.stat().st_mtime > newest:
        return
    _need("gcc")
    if not _succeeds("gcc", "-fsyntax-only", "-include", "simavr/sim_avr.h", "-xc", "/dev/null"):
        raise ToolMissingError("libsimavr is not installed", hint=_HINT)
    fresh = RIG.with_suffix(".new")
    _run("gcc", "-O2", *_WARNINGS, *map(str, sources), "-o", str(fresh), *_LIBRARIES)
    fresh.replace(RIG)


def _need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            msg = f"{tool} is not installed"
            raise ToolMissingError(msg, hint=_HINT)


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        msg = f"{' '.join(command[:3])}: {(done.stdout + done.stderr).strip()[-2000:]}"
        raise ChildError(msg)
    return done.stdout
