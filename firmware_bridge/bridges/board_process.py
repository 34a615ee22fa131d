"""The process of a local board: the microcontroller's machine over this computer's own terminals.

`local.py` starts it as `python -m firmware_bridge.bridges.board_process LINK ERRORS`: two inherited
file descriptors, the link's end and where to tell why it ends; on standard input its order. It
lives beside the daemon so that what is energised ends although the daemon was killed, hangs, or is
held in a debugger. Everything goes off, and it ends, when the link is closed, the daemon's process
is gone, a signal tells it to (SIGABRT is what systemd sends to all when the daemon hangs), or a
terminal fails.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from admission.gate import Input
from admission.signal import Output
from firmware_bridge.errors import BridgeError
from firmware_bridge.link.board import Board
from firmware_bridge.link.configuration import BoardConfiguration, unpack
from firmware_bridge.terminals.opening import TerminalsSpec, open_terminals
from firmware_bridge.terminals.terminals import Terminals

STALL_S: Final = 0.9
"""The kernel ends this process by SIGALRM when one turn takes longer: a terminal blocks."""
OPENING_S: Final = 10.0
PATIENCE_MS: Final = 250
MIN_READ_NS: Final = 1_000_000
"""Inputs are looked at once a millisecond at most, as on the microcontroller: a contact that hums
must neither eat the processor nor be taken for one that rests."""
MAX_ORDER_BYTES: Final = 65_536
_READ_BYTES: Final = 4_096
_ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGABRT)

Opener = Callable[[TerminalsSpec, BoardConfiguration, Callable[[], int]], Terminals]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the process is started for. `configuration` has the 26 bytes of a board's.

    `parent` is the process whose end is the end of this one.
    """

    parent: int
    boot_count: int
    configuration: bytes
    terminals: TerminalsSpec


class Told(msgspec.Struct, frozen=True):
    """Why the process ends, in its last words."""

    message: str
    hint: str = ""


class LocalBoardLoop:
    """Runs a board over its terminals until the host hangs up or `leave_fds` can be read."""

    def __init__(
        self,
        board: Board,
        terminals: Terminals,
        link: socket.socket,
        leave_fds: tuple[int, ...],
        monotonic_ns: Callable[[], int],
    ) -> None:
        self._board = board
        self._terminals = terminals
        self._link = link
        self._leave_fds = frozenset(leave_fds)
        self._monotonic_ns = monotonic_ns
        self._carried: frozenset[Output] = frozenset()
        self._poll = select.poll()
        for fd in (link.fileno(), *leave_fds, *terminals.wake_fds):
            self._poll.register(fd, select.POLLIN)
        self._read_ns = monotonic_ns()

    def run(self) -> None:
        """Return when there is no more to do; the terminals are left as they are.

        :raises TerminalsError: if they fail.
        """
        link, wakes = self._link.fileno(), frozenset(self._terminals.wake_fds)
        self._sense()
        while True:
            _arm(STALL_S)
            ready = {fd for fd, _ in self._poll.poll(self._patience_ms())}
            _arm(STALL_S)
            if ready & self._leave_fds:
                return
            now_ns = self._monotonic_ns()
            # No contact counts as one that rested up to now, where the kernel has seen it move.
            moved = self._interrupt()
            if link in ready and not self._hear(now_ns):
                return
            # What is due goes off before anything slow is asked, and before it is acknowledged.
            self._drive(now_ns)
            if not self._speak():
                return
            if moved or ready & wakes or self._read_due_ns <= self._monotonic_ns():
                self._sense()

    @property
    def _read_due_ns(self) -> float:
        period_ms = self._terminals.poll_ms
        return math.inf if period_ms is None else self._read_ns + period_ms * 1_000_000

    def _patience_ms(self) -> int:
        due_ns = min(self._board.next_deadline_ns or math.inf, self._read_due_ns)
        left_ms = (due_ns - self._monotonic_ns()) / 1e6
        return math.ceil(min(max(left_ms, 0), PATIENCE_MS))

    def _interrupt(self) -> frozenset[Input]:
        moved = self._terminals.take_moved()
        self._board.interrupt(moved)
        return moved

    def _hear(self, now_ns: int) -> bool:
        try:
            data = self._link.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._board.receive(data, now_ns)
        return bool(data)

    def _drive(self, now_ns: int) -> None:
        self._board.advance(now_ns)
        self._board.take_edges()
        coils = self._board.coils
        if coils != self._carried:
            self._terminals.write(coils)
            self._carried = coils

    def _speak(self) -> bool:
        data = self._board.take_bytes()
        try:
            if data:
                self._link.send(data)
        except BlockingIOError:
            return True  # nobody reads: lost, as on a cable
        except OSError:
            return False
        return True

    def _sense(self) -> None:
        early_ns = self._read_ns + MIN_READ_NS - self._monotonic_ns()
        if early_ns > 0:
            time.sleep(early_ns / 1e9)
        self._read_ns = self._monotonic_ns()
        self._interrupt()
        self._board.sample(self._terminals.read(), self._read_ns)


def main(arguments: list[str], open_them: Opener = open_terminals) -> int:
    """Run one board; return the process's exit status.

    :param arguments: the numbers of the two descriptors.
    """
    link_fd, errors_fd = map(int, arguments)
    with socket.socket(fileno=link_fd) as link, os.fdopen(errors_fd, "wb", buffering=0) as errors:
        link.setblocking(False)
        try:
            order = msgspec.json.decode(sys.stdin.buffer.read(MAX_ORDER_BYTES), type=Order)
            _serve(order, link, open_them)
        except BridgeError as error:
            errors.write(msgspec.json.encode(Told(str(error), error.hint)))
            return 1
        except Exception as error:
            errors.write(msgspec.json.encode(Told(f"{type(error).__name__}: {error}")))
            raise
    return 0


def _serve(order: Order, link: socket.socket, open_them: Opener) -> None:
    monotonic_ns = time.monotonic_ns  # noqa: TID251 - a process of its own reads its own clock
    configuration = unpack(order.configuration)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM, *_ENDING})
    with _parent(order.parent) as parent_fd, _told_to_end() as told_fd:
        _arm(OPENING_S)
        terminals = open_them(order.terminals, configuration, monotonic_ns)
        try:
            board = Board(monotonic_ns(), configuration=configuration, boot_count=order.boot_count)
            LocalBoardLoop(board, terminals, link, (parent_fd, told_fd), monotonic_ns).run()
        finally:
            _arm(STALL_S)
            terminals.close()


def _arm(limit_s: float) -> None:
    """Let the kernel end this process in so many seconds, unless this is called again.

    It needs neither a thread nor the interpreter: a call that blocks in a driver is ended as well.
    """
    signal.setitimer(signal.ITIMER_REAL, limit_s)


@contextlib.contextmanager
def _parent(pid: int) -> Iterator[int]:
    """Yield a descriptor that can be read once the daemon's process has ended, however it did.

    :raises BridgeError: if it has ended already.
    """
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise BridgeError("the daemon has ended") from error
    try:
        if os.getppid() != pid:
            raise BridgeError("the daemon has ended")
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _told_to_end() -> Iterator[int]:
    """Yield a descriptor that can be read once a signal has told this process to end."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing)
    for number in _ENDING:
        signal.signal(number, lambda *_: None)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(-1)
        os.close(reading)
        os.close(writing)


if __name__ == "__main__":
    # Everything is off and told: no library's threads or exit handlers are waited for.
    os._exit(main(sys.argv[1:]))
