"""One measurement in a fresh process: memory and reads from the medium are its own."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.errors import ChildError

Result = TypeVar("Result")

_SAMPLE_S = 0.002
_END_S = 5.0
_KIB = 1024


def in_child(work: Callable[..., Result], *arguments: object) -> tuple[Result, int]:
    """Return what `work(*arguments)` returns in a new interpreter, and its most memory.

    :param work: of a module's top level; it and what goes in and comes out must be picklable.
    :returns: the second in bytes: the most anonymous memory that samples every 2 ms saw.
    :raises ChildError: if it raises, or ends without an answer.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    largest = 0
    with _ended(process), ours:
        while not ours.poll(_SAMPLE_S):
            largest = max(largest, anonymous_bytes(process.pid))
        try:
            done, result = ours.recv()
        except EOFError:
            raise ChildError("a measurement's process ended without an answer") from None
        if not done:
            msg = f"a measurement failed: {result}"
            raise ChildError(msg)
        answer: Result = result
    return answer, largest


def anonymous_bytes(process: int | None = None) -> int:
    """Return the anonymous memory of a process that is in use, 0 if it has ended.

    :param process: its number; None = this one.
    """
    return _number_of(Path(f"/proc/{process or 'self'}/status"), "RssAnon:") * _KIB


def read_bytes() -> int:
    """Return the bytes that this process has read from a medium so far (proc(5), `io`)."""
    return _number_of(Path("/proc/self/io"), "read_bytes:")


def _number_of(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def _answer(pipe: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    try:
        pipe.send((True, work(*arguments)))
    except Exception as error:  # noqa: BLE001 - told to the parent, which raises
        pipe.send((False, f"{type(error).__name__}: {error}"))


@contextlib.contextmanager
def _ended(process: BaseProcess) -> Iterator[None]:
    """End the process on the way out, whatever happened."""
    try:
        yield
    finally:
        process.join(_SAMPLE_S if process.is_alive() else 0)
        process.terminate()
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()
