"""A board without a microcontroller: this computer's own terminals, driven by a process of its own.

To the host's side it is one more board on a link; opening it starts the process, closing it ends
the process, and a process that ended is a board that was unplugged. `McuBridge` does the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from admission.backoff import Backoff
from admission.signal import Output
from firmware_bridge.bridges.board_process import Order, Told
from firmware_bridge.bridges.listeners import AliveListener, EventListener
from firmware_bridge.bridges.mcu import McuBridge
from firmware_bridge.errors import BridgeError, BridgeUnavailable, TerminalsError
from firmware_bridge.link.configuration import BoardConfiguration
from firmware_bridge.terminals.opening import TerminalsSpec

COMMAND: Final = (sys.executable, "-P", "-m", "firmware_bridge.bridges.board_process")
RESTART: Final = Backoff(first_s=0.1, ceiling_s=2.0, jitter=0)
END_S: Final = 2.0
"""How long a process may take to switch everything off and end. It is killed after that."""
HANG_S: Final = 0.5
"""How long a process that answered once may be silent, beyond the second that the link allows."""
_LAST_WORDS_S: Final = 0.2
_LAST_WORDS_BYTES: Final = 4_096


class LocalBoard:
    """Keeps at most one process. `open` is what `McuBridge` calls in place of opening a port."""

    def __init__(
        self,
        spec: TerminalsSpec,
        configuration: BoardConfiguration,
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._spec = spec
        self._configuration = configuration
        self._command = command
        self._starts = 0
        self.device: LocalDevice | None = None
        """The newest process, or None before the first."""

    @property
    def pid(self) -> int | None:
        """The newest process' number, or None before the first."""
        return self.device.pid if self.device else None

    def open(self, path: str) -> LocalDevice:  # noqa: ARG002 - the hook's; there is only one
        """Start the process, once the one before has ended. May take `END_S`: call it on a thread.

        :raises BridgeUnavailable: if no process can be started.
        """
        if self.device is not None:
            self.device.close()
            self.device.join()
        self._starts += 1
        order = Order(
            parent=os.getpid(),
            boot_count=self._starts & 0xFFFF,
            configuration=self._configuration.pack(),
            terminals=self._spec,
        )
        try:
            self.device = _started(self._command, msgspec.json.encode(order))
        except OSError as error:
            msg = f"cannot start the board's process: {error.strerror or error}"
            raise BridgeUnavailable(msg) from error
        return self.device


class LocalDevice:
    """One process and our end of its link, as `McuBridge` wants a device."""

    def __init__(
        self, process: subprocess.Popen[bytes], link: socket.socket, errors_fd: int
    ) -> None:
        self._process = process
        self._link = link
        self._errors_fd = errors_fd
        self._closed = False
        self._hung = False
        # Not a daemon thread: when our own process ends, it waits for this, and leaves no orphan.
        self._ending = threading.Thread(target=self._end, name="local-board-end")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def fileno(self) -> int:
        """Our end of the link."""
        return self._link.fileno()

    def kill(self) -> None:
        """End a process that no longer answers. Nothing if it was hung up on already."""
        if not self._closed:
            self._hung = True
            self._process.kill()

    def reason(self) -> BridgeError | None:
        """Return why the process ended, or None if nothing tells. Takes at most 0.2 s."""
        if self._hung:
            return _silent()
        # Its last words come before its end, which takes a while on a slow computer.
        with contextlib.suppress(BlockingIOError, msgspec.DecodeError):
            told = msgspec.json.decode(os.read(self._errors_fd, _LAST_WORDS_BYTES), type=Told)
            return TerminalsError(told.message, hint=told.hint)
        try:
            return _ended(self._process.wait(_LAST_WORDS_S))
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Hang up, so that the process switches everything off and ends. Returns at once."""
        if self._closed:
            return
        self._closed = True
        # A copy of this end may live on in a forked process: only a shutdown is seen for certain.
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()
        self._ending.start()

    def join(self) -> None:
        """Wait for the end of a closed device's process."""
        self._ending.join()

    def _end(self) -> None:
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._errors_fd)


class Overseer:
    """Ends a process that has fallen silent: stopped, or stuck where its own alarm does not ring.

    What it drives would stay as it is for as long as it lives; its successor begins with all off.
    `turned` is the bridge's `on_alive`, and tells `told` in turn.
    """

    def __init__(self, board: LocalBoard, told: AliveListener | None = None) -> None:
        self._board = board
        self._told = told
        self._due: asyncio.TimerHandle | None = None

    def turned(self, alive: bool) -> None:
        """Take note of the link's state."""
        if self._due is not None:
            self._due.cancel()
        if not alive and (device := self._board.device) is not None:
            self._due = asyncio.get_running_loop().call_later(HANG_S, device.kill)
        if self._told is not None:
            self._told(alive)


def local_bridge(
    spec: TerminalsSpec,
    configuration: BoardConfiguration,
    *,
    monotonic_ns: Callable[[], int],
    nonce: Callable[[int], int],
    required: frozenset[Output] = frozenset(),
    on_event: EventListener | None = None,
    on_alive: AliveListener | None = None,
) -> McuBridge:
    """Return the bridge to a local board with these terminals. See `McuBridge` for the rest."""
    board = LocalBoard(spec, configuration)
    return McuBridge(
        str(spec.__struct_config__.tag),
        monotonic_ns=monotonic_ns,
        nonce=nonce,
        required=required,
        on_event=on_event,
        on_alive=Overseer(board, on_alive).turned,
        open_device=board.open,
        reopen=RESTART,
    )


def _started(command: Sequence[str], order: bytes) -> LocalDevice:
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        # A session of its own: a Ctrl-C at the terminal is the daemon's to handle.
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, str(theirs.fileno()), str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(), writing),
            start_new_session=True,
        )
    except OSError:
        ours.close()
        os.close(reading)
        raise
    finally:
        theirs.close()
        os.close(writing)
    device = LocalDevice(process, ours, reading)
    ours.setblocking(False)
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(order)
    return device


def _silent() -> BridgeError:
    return BridgeUnavailable(
        "the board's process did not answer and was ended; it is started again",
        hint="if it happens again, this computer is overloaded, or somebody stops its processes",
    )


def _ended(status: int) -> BridgeError:
    if -status == signal.SIGALRM:
        return TerminalsError(
            "the terminals did not answer in time", hint="check the device's power and cable"
        )
    if status < 0:
        name = signal.Signals(-status).name
        return BridgeUnavailable(f"the board's process was ended by {name}; it is started again")
    return BridgeUnavailable(
        f"the board's process has ended with status {status}",
        hint="its last words are in the log; it is started again by itself",
    )
