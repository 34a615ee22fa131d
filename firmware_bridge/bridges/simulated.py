"""A board behind a pseudo-terminal: the protocol turned around, in real time, on its own thread.

A program that opens `SimulatedBoard.path` cannot tell it from a microcontroller on a cable. The
thread is what makes the dead-man honest: it counts on while the daemon's loop stands still.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import tempfile
import threading
import tty
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from admission.gate import Input
from admission.signal import Output, Signal
from firmware_bridge.bridges.faults import FaultyWire, carried
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.board import Board
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.link.messages import BoardState, ResetCause, Show
from firmware_bridge.link.outputs import Edge

MAX_TIMELINE: Final = 10_000
_JOIN_S: Final = 5.0
_READ_BYTES: Final = 4_096


class Shown(msgspec.Struct, frozen=True):
    """A signal that the board began to run at `at_ns`, for the admission `entry`."""

    signal: Signal
    at_ns: int
    entry: int = 0


class SimulatedBoard:
    """A context manager: within it the board runs and `path` can be opened.

    Stamps are from `monotonic_ns`. The board has its own power supply: `unplug` pulls the cable
    only, which is the harder case, and `reset` is a power cut. What it is configured with lasts
    over both; `damaged` is an EEPROM that does not read back. `to_board` and `to_host` may spoil
    the cable's two directions.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        *,
        configuration: BoardConfiguration | None = None,
        damaged: bool = False,
        to_board: FaultyWire | None = None,
        to_host: FaultyWire | None = None,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._configuration = configuration
        self._damaged = damaged
        self._jumper = False
        self._active: frozenset[Input] = frozenset()
        self._to_board = to_board
        self._to_host = to_host
        self._boot_count = 0
        self._news = threading.Condition()
        self._timeline: deque[Edge] = deque(maxlen=MAX_TIMELINE)
        self._shown: deque[Shown] = deque(maxlen=MAX_TIMELINE)
        self._commands: deque[Callable[[], None]] = deque()
        self._master: int | None = None
        self._slave: int | None = None
        self._wake: int | None = None
        self._stopping = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._live, name="simulated-board", daemon=True)
        self._board = self._started(ResetCause.POWER_ON)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="chot-board-")
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._plug()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._commands.append(self._stop)
        self._notify()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            raise BridgeError("the simulated board does not stop")
        if self._wake is not None:
            os.close(self._wake)
            self._wake = None
        self._folder.cleanup()
        if self._failure is not None:
            raise self._failure

    @property
    def path(self) -> str:
        """The device to open. It stays the same over `unplug` and `replug`, as under by-id."""
        return str(Path(self._folder.name, "board"))

    @property
    def timeline(self) -> list[Edge]:
        """Edges of the outputs so far, oldest first, at most the last `MAX_TIMELINE`."""
        with self._news:
            return list(self._timeline)

    @property
    def shown(self) -> list[Shown]:
        """Signals that began to run so far, oldest first, at most the last `MAX_TIMELINE`."""
        with self._news:
            return list(self._shown)

    @property
    def energised(self) -> frozenset[Output]:
        """What is on."""
        with self._news:
            return self._board.energised

    @property
    def coils(self) -> frozenset[Output]:
        """What carries current: with fail-safe locks, the gates that are locked."""
        with self._news:
            return self._board.coils

    @property
    def configuration(self) -> BoardConfiguration:
        """What is in force."""
        with self._news:
            return self._board.configuration

    @property
    def has_host(self) -> bool:
        """Whether a host holds a session with this board."""
        with self._news:
            return self._board.has_host

    def wait_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Block until `condition` holds, looked at after each thing the board does. Return it."""
        with self._news:
            return self._news.wait_for(condition, timeout_s)

    def unplug(self) -> None:
        """Pull the cable: the device vanishes, the board goes on alone."""
        self._command(self._pull)

    def replug(self) -> None:
        """Put the cable back: the device is there again."""
        self._command(self._plug)

    def reset(self, cause: ResetCause = ResetCause.BROWN_OUT) -> None:
        """Let the board's power fail for a moment: all outputs fall, its memory is lost."""
        self._command(lambda: self._restart(cause))

    def fit_jumper(self, fitted: bool = True) -> None:
        """Allow the host to configure the board, or forbid it again."""
        self._command(lambda: self._fit(fitted))

    def sense(self, source: Input, value: int) -> None:
        """Change a contact: 1 is active. It counts once it has held for the debounce time."""
        self._command(lambda: self._sense(source, value))

    def _command(self, command: Callable[[], None]) -> None:
        if not self._thread.is_alive():
            raise BridgeError("the simulated board is not running") from self._failure
        done = threading.Event()

        def run() -> None:
            command()
            done.set()

        self._commands.append(run)
        self._notify()
        if not done.wait(_JOIN_S):
            raise BridgeError("the simulated board has stopped") from self._failure

    def _notify(self) -> None:
        if self._wake is not None:
            os.eventfd_write(self._wake, 1)

    def _live(self) -> None:
        try:
            while not self._stopping:
                received = self._await()
                with self._news:
                    self._step(received)
                    self._news.notify_all()
        except Exception as error:  # noqa: BLE001 - the thread's owner gets it on leaving
            self._failure = error
        finally:
            self._pull()

    def _step(self, received: bytes) -> None:
        while self._commands:
            self._commands.popleft()()
        now_ns = self._monotonic_ns()
        if received:
            self._board.receive(carried(self._to_board, received), now_ns)
        self._board.advance(now_ns)
        self._timeline += self._board.take_edges()
        self._store(self._board.take_configuration())
        if answer := self._board.take_bytes():
            self._transmit(carried(self._to_host, answer))

    def _await(self) -> bytes:
        """Wait for bytes, a command or the board's next deadline. Return the bytes."""
        poll = select.poll()
        if self._wake is not None:
            poll.register(self._wake, select.POLLIN)
        if self._master is not None:
            poll.register(self._master, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(self._patience_ms())}
        if self._wake in ready and self._wake is not None:
            os.eventfd_read(self._wake)
        if self._master in ready and self._master is not None:
            return os.read(self._master, _READ_BYTES)
        return b""

    def _patience_ms(self) -> int | None:
        deadline_ns = self._board.next_deadline_ns
        if deadline_ns is None:
            return None
        return max(math.ceil((deadline_ns - self._monotonic_ns()) / 1e6), 0)

    def _transmit(self, data: bytes) -> None:
        if self._master is None or not data:
            return
        # A line on which nobody listens loses what is sent: so does this one, when it is full.
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    def _started(self, cause: ResetCause) -> Board:
        self._boot_count += 1
        state = BoardState(0) if self._configuration is None else BoardState.STORED
        now_ns = self._monotonic_ns()
        board = Board(
            now_ns,
            boot_count=self._boot_count,
            reset_cause=cause,
            configuration=None if self._damaged else self._configuration,
            state=BoardState.DAMAGED if self._damaged else state,
            on_show=self._note_show,
        )
        board.jumper = self._jumper
        board.sample(self._active, now_ns)
        return board

    def _note_show(self, show: Show) -> None:
        self._shown.append(Shown(show.signal, self._monotonic_ns(), show.entry))

    def _fit(self, fitted: bool) -> None:
        self._jumper = self._board.jumper = fitted

    def _sense(self, source: Input, value: int) -> None:
        self._active = self._active | {source} if value else self._active - {source}
        self._board.sense(source, value, self._monotonic_ns())

    def _store(self, accepted: BoardConfiguration | None) -> None:
        if accepted is not None:
            self._configuration, self._damaged = accepted, False
            self._commands.append(lambda: self._restart(ResetCause.EXTERNAL))
            self._notify()

    def _restart(self, cause: ResetCause) -> None:
        now_ns = self._monotonic_ns()
        self._timeline += [Edge(output, False, now_ns) for output in self._board.energised]
        self._board = self._started(cause)

    def _plug(self) -> None:
        if self._master is not None:
            return
        # Our own hold on the far end keeps the line up while no host has it open.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        Path(self.path).symlink_to(os.ttyname(self._slave))

    def _pull(self) -> None:
        if self._master is None or self._slave is None:
            return
        Path(self.path).unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = None

    def _stop(self) -> None:
        self._stopping = True
