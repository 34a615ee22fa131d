"""Decoders in processes of their own: a crash or a hang costs one picture and not the run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Generic, TypeVar

import numpy as np

from benchmarks.errors import DecoderMissingError
from scanner.camera.port import Gray

Answer = TypeVar("Answer")

_START_LIMIT_S = 60.0
_CRASHES_MAX = 25
"""A decoder that falls this often is not worth waiting for any further."""


class Isolated(Generic[Answer]):
    """Asks a child process about pictures, one after another; starts it anew when it falls.

    Stands as a context manager: on the way out the child is ended, whatever happened.

    :param make: called in the child with `argument`; returns what answers there. Both must be
        importable or picklable, as the child is a new interpreter.
    """

    def __init__(
        self, make: Callable[[str], Callable[[Gray], Answer]], argument: str, *, limit_s: float = 60
    ) -> None:
        self._make = make
        self._argument = argument
        self._limit_s = limit_s
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self.crashes = 0
        """How many pictures the child fell over, or did not answer in time."""

    def __enter__(self) -> Isolated[Answer]:
        """Start the child.

        :raises DecoderMissingError: what `make` raised in the child.
        """
        try:
            self._start()
        except BaseException:  # an interrupt included: nobody else knows of the child
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def ask(self, gray: Gray) -> Answer | None:
        """Return the child's answer; None if it crashed, raised or was not done in time."""
        if self.crashes >= _CRASHES_MAX:
            return None
        if self._process is None:
            self._start()
        pipe = self._pipe
        assert pipe is not None  # noqa: S101 - `_start` has just set both
        try:
            pipe.send_bytes(np.array(gray.shape, np.int64).tobytes())
            pipe.send_bytes(np.ascontiguousarray(gray).data.cast("B"))
            if pipe.poll(self._limit_s):
                answered, answer = pipe.recv()
                if answered:
                    found: Answer = answer
                    return found
        except (EOFError, OSError):
            pass
        self.crashes += 1
        self._end()
        return None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_answer, args=(theirs, self._make, self._argument), daemon=True
        )
        self._process.start()
        theirs.close()
        try:
            answered = self._pipe.poll(_START_LIMIT_S)
            ready, why, hint = (
                self._pipe.recv() if answered else (False, f"{self._argument} does not start", "")
            )
        except EOFError as error:
            self._end()
            msg = f"{self._argument} does not start"
            raise DecoderMissingError(msg) from error
        if not ready:
            self._end()
            raise DecoderMissingError(why, hint=hint)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def _answer(
    pipe: Connection, make: Callable[[str], Callable[[Gray], Answer]], argument: str
) -> None:
    """Answer until the other end is closed. Runs in the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us; no second traceback
    with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 2)  # C++ decoders complain there of every odd picture
    try:
        decode = make(argument)
    except DecoderMissingError as error:
        pipe.send((False, str(error), error.hint))
        return
    pipe.send((True, "", ""))
    with contextlib.suppress(EOFError, OSError):
        while True:
            height, width = np.frombuffer(pipe.recv_bytes(), np.int64)
            gray = np.frombuffer(pipe.recv_bytes(), np.uint8).reshape(height, width)
            try:
                pipe.send((True, decode(gray)))
            except Exception:  # noqa: BLE001 - a peer may raise anything: it costs it this picture
                pipe.send((False, None))
