"""The real firmware on a simulated ATmega328P in real time: its cable, its contacts, its pins."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import msgspec

from admission.gate import Input
from admission.signal import Output
from benchmarks.chip.build import build
from benchmarks.chip.events import ChipStatistics, Edge, Moment, News, Reset
from benchmarks.errors import ChildError

CHIP_HZ: Final = 16_000_000
CYCLES_PER_MS: Final = CHIP_HZ // 1_000
EEPROM_BYTES: Final = 1_024
LED: Final = "B5"
"""D13 of an Uno."""
CAUSES: Final = ("power_on", "external", "brown_out", "watchdog")

_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.01
_JUMPER: Final = "B1"
_CONTACTS: Final = {
    Input.BUTTON: "C0",
    Input.TAMPER: "C1",
    Input.PASSAGE_A: "C2",
    Input.PASSAGE_B: "C3",
    Input.FIRE: "C4",
    Input.STOP: "C5",
    Input.READY: "B0",
}


def pin_of(output: Output) -> str:
    """Return the pin of an output, as in docs/wiring.md: D2 to D7."""
    return f"D{2 + output}"


class Chip:
    """Context manager around one running chip. Lists grow while it runs; read them freely.

    :param elf: another program than the shipped firmware.
    :param eeprom: what the EEPROM holds at first (1024 bytes); erased without.
    :raises ToolMissingError: on entering, if what builds it is missing here.
    :raises ChildError: on entering, if it does not build or start.
    """

    def __init__(self, *, elf: Path | None = None, eeprom: bytes | None = None) -> None:
        self.edges: list[Edge] = []
        self.delimiters: list[Moment] = []
        """When the receiver had each 0x00: a frame's end is one."""
        self.resets: list[Reset] = []
        self._elf = elf
        self._first_eeprom = eeprom
        self._changed = threading.Condition()
        self._asking = threading.Lock()
        self._answers: list[News] = []
        self._levels: dict[str, int | None] = {}
        self._ended = False

    def __enter__(self) -> Self:
        rig, elf = build()
        with contextlib.ExitStack() as opening:
            folder = opening.enter_context(tempfile.TemporaryDirectory(prefix="chot-chip-"))
            self._folder = Path(folder)
            self.path = str(self._folder / "board")
            """The serial port for McuBridge."""
            command = [str(rig), str(self._elf or elf), self.path]
            if self._first_eeprom is not None:
                command.append(str(self._eeprom_file(self._first_eeprom)))
            opening.callback(self._start(command))
            self._await(lambda: bool(self._answers), "start")
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def _start(self, command: list[str]) -> Callable[[], None]:
        """Start the rig. Return what ends it."""
        process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._to_rig, from_rig = _pipe(process.stdin), _pipe(process.stdout)
        reader = threading.Thread(target=self._read, args=(from_rig,), daemon=True)
        reader.start()

        def end() -> None:
            process.kill()
            process.wait()
            reader.join()
            self._to_rig.close()
            from_rig.close()

        return end

    def edges_of(self, output: Output) -> list[Edge]:
        """Return the edges of an output's pin."""
        pin = pin_of(output)
        return [edge for edge in self.edges if edge.pin == pin]

    def level(self, output: Output) -> int | None:
        """Return what the output's pin drives now, None if it lets go."""
        return self._levels.get(pin_of(output))

    def wait_until(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        """Return whether this holds, asked after each event, within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: holds() or self._ended, timeout_s) and holds()

    def run_for(self, duration_ms: float) -> None:
        """Return once the chip has lived so long: its own time, not this machine's."""
        end = self.statistics().cycle + int(duration_ms * CYCLES_PER_MS)
        while self.statistics().cycle < end:
            self.wait_until(lambda: False, _POLL_S)

    def contact(self, source: Input, *, closed: bool, at_cycle: int | None = None) -> Moment:
        """Close or open a contact between an input and ground, now or in a cycle to come.

        :returns: when this was asked.
        """
        later = "" if at_cycle is None else f" {at_cycle}"
        return self._moment(f"pin {_CONTACTS[source]} {int(not closed)}{later}")

    def jumper(self, *, fitted: bool) -> Moment:
        """Fit or pull the configuration jumper."""
        return self._moment(f"pin {_JUMPER} {int(not fitted)}")

    def reset(self, cause: str = "power_on", *, bootloader: bool = False) -> Moment:
        """Restart the chip for a cause of `CAUSES`.

        Power on and brown-out lose the RAM, and the byte of the EEPROM that is being written. With
        `bootloader`, r2 tells the cause and MCUSR is clear, as behind Optiboot.
        """
        return self._moment(f"reset {cause}{' bootloader' if bootloader else ''}")

    def hang(self, *, deaf: bool = False) -> Moment:
        """Let the program stand still; its interrupts go on unless it is `deaf`."""
        return self._moment("hang deaf" if deaf else "hang")

    def stray_interrupt(self) -> Moment:
        """Let an interrupt come that the firmware does not use."""
        return self._moment("stray_interrupt")

    def stop_tick(self) -> Moment:
        """Let the millisecond's interrupt fail."""
        return self._moment("stop_tick")

    def unplug(self) -> Moment:
        """Pull the cable. The chip keeps its power."""
        return self._moment("unplug")

    def replug(self) -> Moment:
        """Plug the cable in: `path` is there again."""
        return self._moment("replug")

    def statistics(self) -> ChipStatistics:
        """Return the counters, and the time now."""
        news = self._ask("stat")
        return ChipStatistics(
            news.cycle, news.at_ns, news.lost, news.overruns, news.ram_used, news.slips
        )

    def eeprom(self) -> bytes:
        """Return what the EEPROM holds."""
        path = self._folder / "saved"
        self._ask(f"eeprom save {path}")
        return path.read_bytes()

    def _eeprom_file(self, content: bytes) -> Path:
        path = self._folder / "eeprom"
        path.write_bytes(content)
        return path

    def _moment(self, command: str) -> Moment:
        news = self._ask(command)
        return Moment(news.cycle, news.at_ns)

    def _ask(self, command: str) -> News:
        """Return the answer to a command.

        :raises ChildError: if the rig has ended, or does not understand.
        """
        with self._asking:
            count = len(self._answers)
            with contextlib.suppress(BrokenPipeError):  # then no answer comes
                self._to_rig.write(f"{command}\n".encode())
                self._to_rig.flush()
            self._await(lambda: len(self._answers) > count, command)
            answer = self._answers[-1]
        if answer.error:
            msg = f"the chip's bench: {answer.error}: {command}"
            raise ChildError(msg)
        return answer

    def _await(self, holds: Callable[[], bool], what: str) -> None:
        if not self.wait_until(holds, _PATIENCE_S):
            msg = f"the chip's bench gave no answer: {what}"
            raise ChildError(msg)

    def _read(self, from_rig: IO[bytes]) -> None:
        decoder = msgspec.json.Decoder(News)
        for line in from_rig:
            news = decoder.decode(line)
            with self._changed:
                self._note(news)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _note(self, news: News) -> None:
        match news.event:
            case "pin":
                self._note_level(news, int(news.level) if news.level in {"0", "1"} else None)
            case "delimiter":
                self.delimiters.append(Moment(news.cycle, news.at_ns))
            case "reset":
                self.resets.append(Reset(news.cause, news.cycle, news.at_ns))
            case "done":
                self._answers.append(news)

    def _note_level(self, news: News, level: int | None) -> None:
        # From pulled up to floating is no edge: nothing is driven.
        if self._levels.get(news.pin) != level:
            self._levels[news.pin] = level
            self.edges.append(Edge(news.pin, level, news.cycle, news.at_ns))


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise ChildError("the chip's bench has no pipe")
    return end
