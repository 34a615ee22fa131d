"""Input devices of the kernel (evdev): their events, and how one is taken for this gate alone.

The kernel's interface is used as it is: one structure and three requests of linux/input.h, stable
since 2.6, need no library.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scanner.errors import KeypadError
from scanner.serial.reopening import Device

EVENT = struct.Struct("@llHHi")
"""`struct input_event`: two longs of time, then type, code and value."""
EV_SYN, EV_KEY, EV_LED = 0x00, 0x01, 0x11
SYN_REPORT, SYN_DROPPED = 0, 3
RELEASED, PRESSED = 0, 1
"""Values of EV_KEY; 2 is automatic repeat."""
READ_BYTES = 64 * EVENT.size
"""Most bytes taken per turn of the loop, so that a flood from one device starves no other."""

_EVIOCGVERSION = 0x80044501
_EVIOCGRAB = 0x40044590
_LAMPS = ((0, 1), (1, 0), (2, 0))
"""LED_NUML on, LED_CAPSL and LED_SCROLLL off."""
_TYPED_BY_ALL: int = sum(1 << code for code in (*range(2, 12), 28))
"""The digits' row and Enter."""


class InputEvent(NamedTuple):
    """One event, without its time: the kernel's is on another clock than ours."""

    kind: int
    code: int
    value: int


class EventCutter:
    """Cuts a device's bytes into events. Keeps less than one event."""

    def __init__(self) -> None:
        self._part = b""

    def events(self, data: bytes) -> list[InputEvent]:
        """Return the events that `data` completes; it may begin and end anywhere."""
        data = self._part + data
        whole = len(data) - len(data) % EVENT.size
        self._part = data[whole:]
        return [
            InputEvent(kind, code, value)
            for _, _, kind, code, value in EVENT.iter_unpack(data[:whole])
        ]


class ReadyDescriptor:
    """A descriptor that is only read when it is ready; a Device for `DeviceReader`.

    It is not made non-blocking: a terminal's standard input and output share that flag, and
    whoever draws on the screen relies on it.
    """

    def __init__(self, descriptor: int, name: str, give_back: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._name = name
        self._ready = select.poll()
        self._ready.register(descriptor, select.POLLIN)
        self.close = give_back

    def fileno(self) -> int:
        """Return the descriptor that the loop watches."""
        return self._descriptor

    def read(self) -> bytes:
        """Return at most `READ_BYTES` of what has arrived; empty if nothing has.

        :raises KeypadError: it was unplugged, or has ended.
        """
        if not self._ready.poll(0):
            return b""
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except OSError as error:
            msg = f"{self._name} is lost: {error.strerror}"
            raise KeypadError(msg, hint="check the keyboard's cable") from error
        if not data:
            msg = f"{self._name} has ended"
            raise KeypadError(msg)
        return data


def open_keyboard(path: str) -> Device:
    """Return the input device at `path` (/dev/input/by-id/…-event-kbd), taken for this gate.

    Its keys then reach no console or desktop. Its lamps are set to what its keys mean from here
    on, as some devices look at them: CapsLock is off, and the number pad types digits.

    :raises KeypadError: it is absent, not permitted, taken, or no input device.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        msg = f"{path} cannot be opened: {error.strerror}"
        raise KeypadError(msg, hint=_hint(error)) from error
    try:
        fcntl.ioctl(descriptor, _EVIOCGVERSION, bytes(4))
        fcntl.ioctl(descriptor, _EVIOCGRAB, 1)
        os.write(descriptor, b"".join(EVENT.pack(0, 0, EV_LED, *lamp) for lamp in _LAMPS))
    except OSError as error:
        os.close(descriptor)
        msg = f"{path} cannot be taken: {error.strerror}"
        raise KeypadError(msg, hint=_hint(error)) from error
    return ReadyDescriptor(descriptor, path, lambda: os.close(descriptor))


def is_keyboard(path: str, folder: Path = Path("/sys/class/input")) -> bool:
    """Return whether the input device at `path` has a keyboard's keys, as the kernel says.

    A scanner may be several devices, of which one types. True where `folder` says nothing.
    """
    node = Path(os.path.realpath(path)).name
    try:
        words = (folder / node / "device/capabilities/key").read_text().split()
        # The last word holds the lowest codes, in hexadecimal; these fit into any long.
        return int(words[-1], 16) & _TYPED_BY_ALL == _TYPED_BY_ALL
    except (OSError, ValueError, IndexError):
        return True


def _hint(error: OSError) -> str:
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "let this user read it: add it to the group input"
    if error.errno == errno.EBUSY:
        return "another program has taken this keyboard: stop it first"
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        return "plug it in; /dev/input/by-id names the devices that are there"
    return "name an input device: /dev/input/by-id/…-event-kbd"
