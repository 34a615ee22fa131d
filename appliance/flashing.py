"""Writes the firmware to a board with avrdude, and says in words what kept it from that.

avrdude is a program of its own (GPL): it is called, not linked, and what it says is read for the
few failures that a technician can do something about.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Final, Literal, Protocol, cast

import msgspec

from appliance.errors import ApplianceError

CHIP: Final = "m328p"
BOOTLOADER_BAUDS: Final = {"new": 115_200, "old": 57_600}
"""Nanos were sold with two bootloaders; the newer one is the Uno's, too."""
STABLE_NAMES: Final = Path("/dev/serial/by-id")
SECONDS: Final = 180
"""A whole chip takes some twenty; a programmer that hangs is not waited for for ever."""
Bootloader = Literal["auto", "new", "old"]

_NOT_IN_SYNC: Final = ("not in sync", "programmer is not responding")
_REMEDIES: Final[tuple[tuple[tuple[str, ...], str, str], ...]] = (
    (
        ("busy", "in use"),
        "the port is in use",
        "stop what has it open (sudo systemctl stop chot), then try again",
    ),
    (
        ("permission denied",),
        "this user may not open the port",
        "add the user to the group dialout and log in again; root is not needed",
    ),
    (
        ("cannot find usb device", "usb device with vid"),
        "the programmer is not plugged in",
        "plug it in; if only root finds it, its udev rule is missing (apt-get install avrdude)",
    ),
    (
        ("cannot open port", "can't open device", "no such file"),
        "the port cannot be opened",
        "is the board plugged in? `ls /dev/serial/by-id` lists what is",
    ),
    (
        ("expected signature", "invalid device signature"),
        "this is another chip than the ATmega328P, for which the firmware is made",
        "nothing was written; take an Uno R3 or Nano with an ATmega328P (not 328PB, not 168)",
    ),
    (
        ("verification mismatch", "verification error", "failed verification"),
        "what was written does not read back the same",
        "try another cable; if it stays so, the chip's flash is worn: take another board",
    ),
    (
        _NOT_IN_SYNC,
        "no bootloader answers",
        "is it an Uno or Nano? one that was burnt without a bootloader needs --programmer",
    ),
)


class FlashError(ApplianceError):
    """The firmware was not written. The board holds what it held, or what its bootloader says."""


class Avrdude(Protocol):
    """Runs avrdude. `runs_avrdude` is the real one; tests pass their own."""

    def __call__(self, command: Sequence[str], heard: Callable[[str], None]) -> int:
        """Return the exit code; hand what is said to `heard`, as it comes.

        :raises FlashError: it cannot be started. One that takes `SECONDS` is ended.
        """
        ...


class Flashing(msgspec.Struct, frozen=True):
    """What is to be written, and through what.

    `programmer` is avrdude's name of an ISP programmer; empty for the board's own bootloader.
    """

    hex_file: Path
    port: str = ""
    bootloader: Bootloader = "auto"
    programmer: str = ""

    @property
    def commands(self) -> Iterator[tuple[str, list[str]]]:
        """Yield which bootloader, and the command: to try while no bootloader answers."""
        write = ["-U", f"flash:w:{self.hex_file}:i"]
        if self.programmer:
            port = ["-P", self.port] if self.port else []
            yield "", ["avrdude", "-p", CHIP, "-c", self.programmer, *port, *write]
            return
        for name, baud in BOOTLOADER_BAUDS.items():
            if self.bootloader in ("auto", name):
                through = ["-c", "arduino", "-P", self.port, "-b", str(baud), "-D"]
                yield name, ["avrdude", "-p", CHIP, *through, *write]


def flash(flashing: Flashing, avrdude: Avrdude, heard: Callable[[str], None]) -> str:
    """Write the firmware, and have avrdude read it back. Return by which bootloader, "" for none.

    :raises FlashError: it was not written, or reads back otherwise.
    """
    said = ""
    for bootloader, command in flashing.commands:
        words: list[str] = []

        def listen(text: str, words: list[str] = words) -> None:
            words.append(text)
            heard(text)

        if avrdude(command, listen) == 0:
            return bootloader
        said = "".join(words)
        if not any(sign in said for sign in _NOT_IN_SYNC):
            break
    raise explained(said)


def explained(said: str) -> FlashError:
    """Return what avrdude's words of a failure mean."""
    lowered = said.lower()
    for signs, what, hint in _REMEDIES:
        if any(sign in lowered for sign in signs):
            return FlashError(what, hint=hint)
    lines = [line for line in said.splitlines() if "avrdude error" in line.lower()]
    msg = f"avrdude failed: {lines[-1].strip() if lines else 'it does not say why'}"
    return FlashError(
        msg, hint="what it said stands above; docs/commissioning.md has its common failures"
    )


def boards_here(folder: Path = STABLE_NAMES) -> list[str]:
    """Return the serial ports that are plugged in, by the names that stay."""
    return [str(path) for path in sorted(folder.glob("*"))]


def the_board_here(folder: Path = STABLE_NAMES) -> str:
    """Return the only serial port that is plugged in.

    :raises FlashError: there is none, or more than one: which one is a board, is not guessed.
    """
    found = boards_here(folder)
    if len(found) == 1:
        return found[0]
    if not found:
        raise FlashError("no serial port is plugged in", hint="plug the board in by USB")
    raise FlashError(
        "several serial ports are plugged in", hint=f"name the board's: --port {' or '.join(found)}"
    )


def runs_avrdude(command: Sequence[str], heard: Callable[[str], None]) -> int:
    """Run avrdude as this user. See `Avrdude`."""
    try:
        process = subprocess.Popen(  # noqa: S603 - a list, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except FileNotFoundError as error:
        raise FlashError("avrdude is not installed", hint="sudo apt-get install avrdude") from error
    except OSError as error:
        msg = f"avrdude cannot be started: {error.strerror}"
        raise FlashError(msg, hint="sudo apt-get install --reinstall avrdude") from error
    overdue = threading.Timer(SECONDS, process.kill)
    overdue.start()
    try:
        with process:
            said = cast("BufferedReader", process.stdout)
            while chunk := said.read1(4_096):
                heard(chunk.decode(errors="replace"))
            return process.wait()
    except BaseException:  # Ctrl-C among them: no avrdude stays behind
        process.kill()
        raise
    finally:
        overdue.cancel()
