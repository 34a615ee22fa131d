"""The gate's end of the plug-ins' process: started, asked within a deadline, killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from appliance.credential_plugins.wire import (
    LENGTH_BYTES,
    MAX_MESSAGE_BYTES,
    Message,
    Request,
    pack,
    unpack_message,
)


class PluginProcess:
    """One process. Any failure ends its use: kill it, reap it, start another.

    :param command: starts `appliance.credential_plugins.worker`.
    :param environment: all that it gets of ours.
    :raises OSError: if it does not start.
    """

    def __init__(
        self,
        command: Sequence[str],
        monotonic_ns: Callable[[], int],
        *,
        environment: Mapping[str, str],
    ) -> None:
        self._monotonic_ns = monotonic_ns
        requests, self._requests = os.pipe2(os.O_CLOEXEC)
        self._answers, answers = os.pipe2(os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                list(command),
                stdin=requests,
                stdout=answers,
                stderr=subprocess.DEVNULL,  # a traceback could quote somebody's code
                cwd="/",
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for the appliance, which ends its workers
            )
        except OSError:
            self._close_pipes()
            raise
        finally:
            os.close(requests)
            os.close(answers)
        self._reaping = threading.Lock()
        self._reaped = False
        for pipe in (self._requests, self._answers):
            os.set_blocking(pipe, False)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended. It is not reaped by asking."""
        return self._ended(os.WNOHANG) is None

    def ask(self, request: Request, until_ns: int) -> Message:
        """Return the answer to a request.

        :raises TimeoutError: if there is none in time.
        :raises OSError: if the process has ended, or answers out of bounds or out of turn.
        :raises ValueError: if the request cannot be written (a lone surrogate in its text).
        """
        data = pack(request)
        rest = memoryview(len(data).to_bytes(LENGTH_BYTES, "big") + data)
        while rest:
            self._wait(self._requests, select.POLLOUT, until_ns)
            rest = rest[os.write(self._requests, rest) :]
        message = self.receive(until_ns)
        if message.number != request.number:
            raise OSError("the plug-ins' process answers out of turn")
        return message

    def receive(self, until_ns: int) -> Message:
        """Return the next message.

        :raises TimeoutError: if there is none in time.
        :raises OSError: if the process has ended, or the message is malformed or oversized.
        """
        length = int.from_bytes(self._exactly(LENGTH_BYTES, until_ns), "big")
        if length > MAX_MESSAGE_BYTES:
            raise OSError("a message of the plug-ins' process is oversized")
        try:
            return unpack_message(self._exactly(length, until_ns))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OSError("a message of the plug-ins' process is malformed") from error

    def kill(self) -> None:
        """End the process at once, and what it started in its session. Does not wait.

        May be called by any thread, and again. Until it is reaped its number is nobody else's.
        """
        with self._reaping, suppress(OSError):
            if not self._reaped:
                os.killpg(self._process.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Wait for the end of a killed process, and close the pipes."""
        self._ended(0)
        with self._reaping:
            self._process.wait()
            self._reaped = True
        self._close_pipes()

    def _ended(self, flags: int) -> os.waitid_result | None:
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | flags)

    def _close_pipes(self) -> None:
        for pipe in (self._requests, self._answers):
            with suppress(OSError):
                os.close(pipe)

    def _exactly(self, size: int, until_ns: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            self._wait(self._answers, select.POLLIN, until_ns)
            part = os.read(self._answers, size - len(received))
            if not part:
                raise OSError("the plug-ins' process has ended")
            received += part
        return bytes(received)

    def _wait(self, pipe: int, event: int, until_ns: int) -> None:
        left_ms = (until_ns - self._monotonic_ns()) / 1e6
        poll = select.poll()
        poll.register(pipe, event)
        if left_ms <= 0 or not poll.poll(left_ms):
            raise TimeoutError("the plug-ins' process hangs")
