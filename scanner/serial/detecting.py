"""Finds serial scanners and how they are set: asks those that answer, listens to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

import msgspec

from scanner.errors import ScannerError
from scanner.serial.detection import BAUDS, Guess, Heard, identified, judge
from scanner.serial.marked import MarkedPort, Marks
from scanner.serial.profiles import PROFILES
from scanner.serial.source import OpenPort, OpenSerialPort

HEARD_LIMIT_BYTES = 8192
"""Bytes of one scan that are judged; more are read and dropped."""
ASKING_ORDER = ("datalogic", "zebra-ssi", "honeywell", "newland", "gm65", "de2120")
"""Datalogic first: single characters out of the others' questions are commands to it. It is
enabled again at the end, should one of them have made it blind."""


class Patience(msgspec.Struct, frozen=True):
    """How long is waited: for the beginning of a reply, and for the silence that ends it.

    A DE2120 takes 430 ms to say its version.
    """

    reply_s: float = 0.5
    silence_s: float = 0.12


def find_ports(device_folder: Path = Path("/dev")) -> list[str]:
    """Return the serial ports that there are, by their stable names where they have one."""
    by_id = sorted((device_folder / "serial" / "by-id").glob("*"))
    found = [str(path) for path in by_id]
    known = {path.resolve() for path in by_id}
    for kind in ("ttyACM*", "ttyUSB*"):
        found += [str(path) for path in sorted(device_folder.glob(kind)) if path not in known]
    return found


async def ask(
    path: str,
    *,
    bauds: Sequence[int] = BAUDS,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    open_port: OpenPort = MarkedPort,
    progress: Callable[[int], None] = lambda _baud: None,
) -> Guess | None:
    """Return how the scanner at `path` is set, by its own word; None if it answers at no rate.

    :param progress: called with each baud rate before it is tried.
    :raises SerialError: the port cannot be opened.
    :raises SerialLostError: the scanner was unplugged.
    """
    for baud in bauds:
        progress(baud)
        with _Ear(open_port(path, baud)) as ear:
            for name in ASKING_ORDER:
                for message in PROFILES[name].query:
                    ear.port.write(message)
                heard = await ear.hear(baud, patience.reply_s, patience.silence_s)
                if guess := identified(heard.data, baud):
                    return guess
            for message in PROFILES[ASKING_ORDER[0]].enable:
                ear.port.write(message)
    return None


async def listen(
    path: str,
    *,
    bauds: Sequence[int] = BAUDS,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    open_port: OpenPort = MarkedPort,
    progress: Callable[[int], None] = lambda _baud: None,
    heard: Callable[[Heard], None] = lambda _heard: None,
) -> Guess:
    """Return how the scanner at `path` is set, by the codes that people scan meanwhile.

    Each scan is heard at one rate; one that does not convince is a reason to try the next.

    :param progress: called with each baud rate before it is tried.
    :param heard: called with each scan.
    :raises SerialError: the port cannot be opened.
    :raises SerialLostError: the scanner was unplugged.
    """
    while True:
        scans: list[Heard] = []
        for baud in bauds:
            progress(baud)
            with _Ear(open_port(path, baud)) as ear:
                scans.append(await ear.hear(baud, None, patience.silence_s))
            heard(scans[-1])
            if guess := judge(scans, final=len(scans) == len(bauds)):
                return guess


async def first_heard(
    listenings: Iterable[tuple[str, asyncio.Task[Guess]]],
) -> tuple[str, Guess]:
    """Return the first port that was understood, and how it is set; the others are cancelled.

    :raises SerialError: no port is left: what became of the last one.
    """
    tasks = {task: path for path, task in listenings}
    waiting = set(tasks)
    try:
        while True:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda each: isinstance(each.exception(), ScannerError)):
                if not (waiting and isinstance(task.exception(), ScannerError)):
                    return tasks[task], task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Ear:
    """One opening of a port, listened to on the running loop, as a context manager."""

    def __init__(self, port: OpenSerialPort) -> None:
        self.port = port
        self._loop = asyncio.get_running_loop()
        self._stirred = asyncio.Event()
        self._lost: ScannerError | None = None
        self._data = bytearray()
        self._marks = Marks()

    def __enter__(self) -> Self:
        self._loop.add_reader(self.port.fileno(), self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self.port.fileno())
        self.port.close()

    async def hear(self, baud: int, first_s: float | None, silence_s: float) -> Heard:
        """Return what comes until a silence or the limit; nothing if nothing does in `first_s`.

        :raises ScannerError: the device is gone.
        """
        self._data.clear()
        errors = self._marks.errors
        try:
            wait_s = first_s
            while True:
                self._stirred.clear()
                async with asyncio.timeout(wait_s):
                    await self._stirred.wait()
                if self._lost is not None:
                    raise self._lost
                if len(self._data) + self._marks.errors - errors >= HEARD_LIMIT_BYTES:
                    break
                wait_s = silence_s
        except TimeoutError:
            pass
        return Heard(baud, bytes(self._data), self._marks.errors - errors)

    def _read(self) -> None:
        try:
            data = self._marks.sound(self.port.read())
        except ScannerError as error:
            self._lost = error
            self._loop.remove_reader(self.port.fileno())
        else:
            self._data += data[: HEARD_LIMIT_BYTES - len(self._data)]
        self._stirred.set()
