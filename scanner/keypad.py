"""Typed codes: keystrokes become readings, from a terminal or an evdev keyboard."""

from __future__ import annotations

import contextlib
import os
import termios
import tty
from collections.abc import Callable
from typing import Protocol

import msgspec

from admission.backoff import Backoff
from admission.reading import Reading, Symbology
from scanner.errors import KeypadError
from scanner.input_events import (
    EV_KEY,
    EV_SYN,
    PRESSED,
    SYN_DROPPED,
    EventCutter,
    ReadyDescriptor,
)
from scanner.keystrokes import Key, Keystrokes
from scanner.serial.reopening import REOPENING, Device, DeviceReader, DeviceSource


class KeyDecoder(Protocol):
    """Turns a device's bytes into keys."""

    def keys(self, data: bytes) -> list[Key]:
        """Return the keys pressed in `data`, which may begin and end anywhere."""
        ...


_BYTE_KEYS = {
    **{ord(key.value): key for key in Key if len(key.value) == 1},
    0x0A: Key.ENTER,
    0x0D: Key.ENTER,
    0x08: Key.BACKSPACE,
    0x7F: Key.BACKSPACE,
    0x1B: Key.CLEAR,
    ord("*"): Key.CLEAR,
    ord("#"): Key.ENTER,
}


class TerminalKeys:
    """Keys typed at a terminal: one byte each; what is no key of a keypad is ignored."""

    def keys(self, data: bytes) -> list[Key]:
        """Return the keys pressed in `data`."""
        return [_BYTE_KEYS[byte] for byte in data if byte in _BYTE_KEYS]


_EVENT_KEYS = {
    1: Key.CLEAR,
    14: Key.BACKSPACE,
    28: Key.ENTER,
    96: Key.ENTER,
    0x20A: Key.CLEAR,
    0x20B: Key.ENTER,
    **dict(zip((11, *range(2, 11)), list(Key)[:10], strict=True)),
    **dict(zip((82, 79, 80, 81, 75, 76, 77, 71, 72, 73), list(Key)[:10], strict=True)),
    **dict(zip(range(0x200, 0x20A), list(Key)[:10], strict=True)),
}
"""Codes of linux/input-event-codes.h: the digit row, the number pad (whatever NumLock says), and
telephone keypads (KEY_NUMERIC_*)."""


class EventKeys:
    """Keys of an evdev keyboard. Releases and automatic repeats are no presses."""

    def __init__(self) -> None:
        self._cutter = EventCutter()

    def keys(self, data: bytes) -> list[Key]:
        """Return the keys pressed in `data`."""
        pressed = []
        for kind, code, value in self._cutter.events(data):
            if kind == EV_KEY and value == PRESSED and code in _EVENT_KEYS:
                pressed.append(_EVENT_KEYS[code])
            elif kind == EV_SYN and code == SYN_DROPPED:
                pressed.append(Key.CLEAR)
        return pressed


def open_terminal(descriptor: int) -> Device:
    """Return the terminal, each key readable as it is pressed and not shown; closing restores it.

    The descriptor stays the caller's. Ctrl-C keeps its meaning. A pipe is read as it is.

    :raises KeypadError: the terminal cannot be set.
    """
    if not os.isatty(descriptor):
        return ReadyDescriptor(descriptor, "the input", lambda: None)
    try:
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor, termios.TCSANOW)
    except termios.error as error:
        raise KeypadError("the terminal cannot be read key by key") from error

    def restore() -> None:
        # A terminal that has hung up has nothing left to restore.
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, before)

    return ReadyDescriptor(descriptor, "the terminal", restore)


class KeypadStatistics(msgspec.Struct, frozen=True):
    """Counts of one source since it was made. `failure` says why it is, or last was, down."""

    up: bool
    openings: int
    readings: int
    failure: str


class KeypadSource(DeviceSource):
    """Readings typed by people, handed to `deliver` on the loop's own thread.

    `open_device` and `decoder` go together: `input_events.open_keyboard` and `EventKeys`, or
    `open_terminal` and `TerminalKeys`. A code that is not ended within `clear_after_s` of its last
    key is forgotten. Otherwise as `SerialSource`.
    """

    def __init__(
        self,
        open_device: Callable[[], Device],
        decoder: Callable[[], KeyDecoder],
        name: str,
        deliver: Callable[[Reading], None],
        *,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        clear_after_s: float = 10.0,
        backoff: Backoff = REOPENING,
        changed: Callable[[bool], None] | None = None,
    ) -> None:
        self.name = name
        self._new_decoder = decoder
        self._decoder = decoder()
        self._deliver = deliver
        self._keystrokes = Keystrokes()
        self._readings = 0
        self._reader = DeviceReader(
            open_device,
            opened=self._start_anew,
            received=self._received,
            quiet=lambda _now_ns: self._keystrokes.clear(),
            quiet_s=clear_after_s,
            monotonic_ns=monotonic_ns,
            draw=draw,
            backoff=backoff,
            changed=changed,
        )

    def statistics(self) -> KeypadStatistics:
        """Return the counts so far."""
        reader = self._reader
        return KeypadStatistics(
            reader.up, reader.openings, self._readings, str(reader.failure or "")
        )

    def _start_anew(self) -> None:
        self._decoder = self._new_decoder()
        self._keystrokes.clear()

    def _received(self, data: bytes, now_ns: int) -> None:
        for key in self._decoder.keys(data):
            code = self._keystrokes.press(key)
            if code is not None:
                self._readings += 1
                self._deliver(Reading(code, Symbology.TYPED, self.name, now_ns))
