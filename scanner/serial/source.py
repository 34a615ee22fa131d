"""A serial scanner as a source of readings, which can be told how its text was judged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from admission.backoff import Backoff
from admission.reading import Reading
from scanner.serial.dialogue import Dialogue, Messages
from scanner.serial.line import Line, LineSettings
from scanner.serial.outbox import Outbox
from scanner.serial.port import Port
from scanner.serial.profiles import GENERIC, Capability, Profile
from scanner.serial.reopening import REOPENING, Device, DeviceReader, DeviceSource


class SerialStatistics(msgspec.Struct, frozen=True):
    """Counts of one source since it was made. `failure` says why it is, or last was, down."""

    up: bool
    openings: int
    bytes_received: int
    readings: int
    oversized: int
    abandoned: int
    damaged: int
    """Packets whose checksum was wrong; the scanner was asked for them again."""
    unanswered: int
    """Commands that the scanner did not acknowledge, though its protocol wants it to."""
    unsent_bytes: int
    """Bytes of commands that the port did not take."""
    failure: str


class OpenSerialPort(Device, Protocol):
    """An open port that can be written, too."""

    def write(self, data: bytes) -> int:
        """Write what fits, at once, and return how many bytes that were.

        :raises ScannerError: the device is gone.
        """
        ...


class OpenPort(Protocol):
    """How a source opens its port."""

    def __call__(self, path: str, baud: int) -> OpenSerialPort:
        """Return the open port.

        :raises SerialError: it cannot be opened.
        """
        ...


class _Talk:
    """One opening of the port: what is said, what waits to be written, and when to speak up."""

    def __init__(
        self, port: OpenSerialPort, dialogue: Dialogue, elapsed: Callable[[], None]
    ) -> None:
        self.dialogue = dialogue
        self.outbox = Outbox(port)
        self._port = port
        self._elapsed = elapsed
        self._timer: asyncio.TimerHandle | None = None
        self._next_call: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self.fileno = port.fileno
        self.read = port.read

    def pump(self, now_ns: int) -> None:
        """Write what is to be said, and set the clock for what is due."""
        if data := self.dialogue.take():
            self.outbox.send(data)
        due_ns = self.dialogue.due_ns
        if due_ns is not None and self._timer is None:
            self._timer = self._loop.call_later(max(0.0, (due_ns - now_ns) / 1e9), self._ring)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call after a while, unless the port is closed before."""
        self._next_call = self._loop.call_later(delay_s, call)

    def close(self) -> None:
        """Give the port back."""
        for timer in (self._timer, self._next_call):
            if timer is not None:
                timer.cancel()
        self.outbox.stop()
        self._port.close()

    def _ring(self) -> None:
        self._timer = None
        self._elapsed()


class SerialSource(DeviceSource):
    """Readings from the serial scanner at `path`, handed to `deliver` on the loop's own thread.

    `name` is the readings' `source`. `changed(up)` hears of each opening and loss. `draw()`
    returns a random number in [0, 1). The owner's task group runs `run`; cancelling it closes the
    port. An exception out of `deliver` ends `run`.

    Whatever is told to the scanner is written at once as far as the port takes it; a scanner that
    is slow, deaf or unplugged holds nobody up.

    :param baud: the profile's if None.
    :param settings: how lines are framed, in place of the profile's.
    :param feedback: whether `acknowledge` tells the scanner anything.
    :param set_up: whether the profile's settings are sent at each opening.
    :param trigger_every_s: how often the trigger is pulled, for a scanner that reads only when its
        host says so; None for one with a trigger, or eyes, of its own.
    """

    def __init__(
        self,
        path: str,
        name: str,
        deliver: Callable[[Reading], None],
        *,
        monotonic_ns: Callable[[], int],
        draw: Callable[[], float],
        baud: int | None = None,
        profile: Profile = GENERIC,
        settings: LineSettings | None = None,
        feedback: bool = True,
        set_up: bool = True,
        release_s: float = 2.0,
        trigger_every_s: float | None = None,
        backoff: Backoff = REOPENING,
        changed: Callable[[bool], None] | None = None,
        open_port: OpenPort = Port,
    ) -> None:
        self.name = name
        self._deliver = deliver
        self._profile = profile
        self._settings = settings or profile.line
        self._feedback = feedback
        self._set_up: Messages = profile.set_up if set_up else ()
        self._release_s = release_s
        self._trigger_every_s = trigger_every_s
        self._monotonic_ns = monotonic_ns
        self._open_port = open_port
        self._talk: _Talk | None = None
        self._bytes = self._readings = 0
        self._oversized = self._abandoned = self._damaged = self._unanswered = self._unsent = 0
        self._reader = DeviceReader(
            lambda: self._open(path, profile.baud if baud is None else baud),
            received=self._received,
            quiet=self._quiet,
            quiet_s=profile.quiet_s(self._settings),
            opened=self._greet,
            monotonic_ns=monotonic_ns,
            draw=draw,
            backoff=backoff,
            changed=changed,
        )

    def acknowledge(self, *, good: bool) -> bool:
        """Tell the scanner, for the person in front, how its last text was judged.

        Returns at once; False if the scanner cannot be told, or is not there.
        """
        if not self._feedback:
            return False
        capability = Capability.GOOD if good else Capability.BAD
        return self._told(capability, lambda dialogue: dialogue.answer)

    def command(self, capability: Capability) -> bool:
        """Tell the scanner something; returns as `acknowledge`."""
        return self._told(capability, lambda dialogue: dialogue.say)

    def statistics(self) -> SerialStatistics:
        """Return the counts so far."""
        reader, talk = self._reader, self._talk
        dialogue = talk.dialogue if talk else None
        return SerialStatistics(
            up=reader.up,
            openings=reader.openings,
            bytes_received=self._bytes,
            readings=self._readings,
            oversized=self._oversized + (dialogue.oversized if dialogue else 0),
            abandoned=self._abandoned + (dialogue.abandoned if dialogue else 0),
            damaged=self._damaged + (dialogue.damaged if dialogue else 0),
            unanswered=self._unanswered + (dialogue.unanswered if dialogue else 0),
            unsent_bytes=self._unsent + (talk.outbox.dropped_bytes if talk else 0),
            failure=str(reader.failure or ""),
        )

    def _told(
        self,
        capability: Capability,
        how: Callable[[Dialogue], Callable[[Messages, int], None]],
    ) -> bool:
        messages, talk = self._profile.messages(capability), self._talk
        if not messages or talk is None or not self.up:
            return False
        now_ns = self._monotonic_ns()
        how(talk.dialogue)(messages, now_ns)
        talk.pump(now_ns)
        return True

    def _open(self, path: str, baud: int) -> Device:
        """Half a text from before a loss must not become the beginning of the next."""
        port = self._open_port(path, baud)
        self._close_accounts()
        dialogue = self._profile.dialogue(
            self._settings, feedback=self._feedback, release_s=self._release_s
        )
        self._talk = _Talk(port, dialogue, self._elapsed)
        return self._talk

    def _close_accounts(self) -> None:
        if (talk := self._talk) is not None:
            dialogue = talk.dialogue
            self._oversized += dialogue.oversized
            self._abandoned += dialogue.abandoned + dialogue.pending
            self._damaged += dialogue.damaged
            self._unanswered += dialogue.unanswered
            self._unsent += talk.outbox.dropped_bytes
            self._talk = None

    def _greet(self) -> None:
        self._say(self._set_up)
        self._pull_trigger()

    def _say(self, messages: Messages) -> None:
        if messages and (talk := self._talk) is not None:
            now_ns = self._monotonic_ns()
            talk.dialogue.say(messages, now_ns)
            talk.pump(now_ns)

    def _pull_trigger(self) -> None:
        """Begin a read, and again and again: each ends by itself, with a text or without."""
        if self._trigger_every_s is not None and self._talk is not None:
            self._say(self._profile.trigger_on)
            self._talk.call_later(self._trigger_every_s, self._pull_trigger)

    def _received(self, data: bytes, now_ns: int) -> None:
        self._bytes += len(data)
        talk = self._talk
        if talk is not None:
            lines = talk.dialogue.feed(data, now_ns)
            if lines:
                self._hand_on(lines)
            talk.pump(now_ns)

    def _quiet(self, now_ns: int) -> None:
        talk = self._talk
        if talk is not None:
            self._hand_on(talk.dialogue.idle(now_ns))
            talk.pump(now_ns)

    def _elapsed(self) -> None:
        talk = self._talk
        if talk is not None:
            now_ns = self._monotonic_ns()
            talk.dialogue.elapse(now_ns)
            talk.pump(now_ns)

    def _hand_on(self, lines: list[Line]) -> None:
        for line in lines:
            self._readings += 1
            self._deliver(Reading(line.text, line.symbology, self.name, line.captured_ns))
