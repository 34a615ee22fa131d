"""The slow lane's reader in a process of its own: whatever it does, the inline lane does not wait.

Readers that work in Python hold the interpreter's lock, and a decoder that crashes on a picture
takes its process along. `WorkerProcess` starts the worker and asks it; `serve` is the worker. They
speak over the worker's standard input and output: 4 bytes of length, a msgpack header, pixels.
"""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import prod
from typing import BinaryIO

import msgspec
import numpy as np

from admission.backoff import Backoff
from scanner.camera.crops import Crop
from scanner.camera.luma import DEFAULT_LIMITS
from scanner.camera.slow_lane import ReadsJobs
from scanner.camera.slow_reading import Found, Job

GRACE_NS = 1_000_000_000
"""A worker that has not answered so long after a job's end is taken to hang, and replaced."""
START_NS = 30_000_000_000
"""What a worker may need to load its libraries."""
RESTARTING = Backoff(0.5, 60.0)
_MAX_MESSAGE_BYTES = 1 << 22
_LENGTH_BYTES = 4


class _Place(msgspec.Struct, frozen=True):
    """A crop without its pixels."""

    height_px: int
    width_px: int
    left: int
    top: int


class _Request(msgspec.Struct, frozen=True):
    captured_ns: int
    until_ns: int
    crops: tuple[_Place, ...]
    picture: _Place | None


_to_bytes = msgspec.msgpack.Encoder().encode
_to_request = msgspec.msgpack.Decoder(_Request).decode
_to_found = msgspec.msgpack.Decoder(Found).decode


class WorkerProcess:
    """Asks a worker, and replaces one that died or hangs, after a pause.

    Stands where a `SlowReader` may stand. Not for use by two threads at once, but for `close`.

    :param command: starts a worker that runs `serve`.
    :param environment: the worker's own.
    :param draw: gives a random number in [0, 1) for each pause of `backoff`.
    """

    def __init__(
        self,
        command: Sequence[str],
        monotonic_ns: Callable[[], int],
        *,
        environment: Mapping[str, str],
        draw: Callable[[], float],
        backoff: Backoff = RESTARTING,
    ) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._monotonic_ns = monotonic_ns
        self._draw = draw
        self._backoff = backoff
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._not_before_ns: int | None = None
        self._closed = threading.Event()
        self._busy = threading.Lock()

    def open(self) -> None:
        """Start the worker, if it may be started yet. One that does not start is tried again."""
        with self._busy, suppress(OSError):
            self._started()

    def read(self, job: Job, until_ns: int) -> Found:
        """Return what the worker reads; nothing, and a fault, if it dies or hangs over it."""
        with self._busy:
            try:
                process = self._started()
                if process is None or self._monotonic_ns() >= until_ns:
                    return Found(job.captured_ns, timed_out=True)
                for part in _written(job, until_ns):
                    self._send(process, part, until_ns + GRACE_NS)
                found = _to_found(self._receive(process, until_ns + GRACE_NS))
            except (OSError, msgspec.DecodeError) as error:
                self._lose()
                faults = 0 if self._closed.is_set() else 1
                return Found(
                    job.captured_ns, faults=faults, timed_out=isinstance(error, TimeoutError)
                )
            self._failures = 0
            return found

    def close(self) -> None:
        """End the worker, from any thread. A job that it is at ends with nothing read."""
        self._closed.set()
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for an answer sees the pipe end
        with self._busy:
            self._drop()

    def _started(self) -> subprocess.Popen[bytes] | None:
        """Return the running worker, starting one if need be; None while there may be none.

        :raises OSError: it does not start.
        """
        if self._process is not None or self._closed.is_set():
            return self._process
        now_ns = self._monotonic_ns()
        if self._not_before_ns is not None and now_ns < self._not_before_ns:
            return None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the appliance, which ends its workers
            )
            for pipe in (_stdin(self._process), _stdout(self._process)):
                os.set_blocking(pipe, False)
            if self._closed.is_set():
                self._process.kill()
            self._receive(self._process, now_ns + START_NS)
        except OSError:
            self._lose()
            raise
        return self._process

    def _lose(self) -> None:
        """Give the worker up, and wait before the next one is started."""
        self._drop()
        self._failures += 1
        pause_s = self._backoff.delay_s(self._failures, self._draw())
        self._not_before_ns = self._monotonic_ns() + int(pause_s * 1e9)

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _send(
        self, process: subprocess.Popen[bytes], part: bytes | memoryview, until_ns: int
    ) -> None:
        rest = memoryview(part)
        while rest:
            self._wait(_stdin(process), select.POLLOUT, until_ns)
            rest = rest[os.write(_stdin(process), rest) :]

    def _receive(self, process: subprocess.Popen[bytes], until_ns: int) -> bytes:
        length = int.from_bytes(self._exactly(process, _LENGTH_BYTES, until_ns), "big")
        if length > _MAX_MESSAGE_BYTES:
            raise OSError("the worker's answer is oversized")
        return self._exactly(process, length, until_ns)

    def _exactly(self, process: subprocess.Popen[bytes], size: int, until_ns: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            self._wait(_stdout(process), select.POLLIN, until_ns)
            part = os.read(_stdout(process), size - len(received))
            if not part:
                raise OSError("the worker has ended")
            received += part
        return bytes(received)

    def _wait(self, pipe: int, event: int, until_ns: int) -> None:
        left_ms = (until_ns - self._monotonic_ns()) / 1e6
        poll = select.poll()
        poll.register(pipe, event)
        if left_ms <= 0 or not poll.poll(left_ms):
            raise TimeoutError("the worker hangs")


def serve(requests: BinaryIO, answers: BinaryIO, reader: ReadsJobs) -> None:
    """Answer jobs until the other end closes.

    :raises ValueError: a request is malformed: the two ends are not of one mind.
    """
    _answer(answers, b"")
    while length := requests.read(_LENGTH_BYTES):
        size = int.from_bytes(length, "big")
        if size > _MAX_MESSAGE_BYTES:
            raise ValueError("a request is oversized")
        request = _to_request(requests.read(size))
        crops = tuple(_crop(place, requests) for place in request.crops)
        picture = _crop(request.picture, requests) if request.picture is not None else None
        found = reader.read(Job(request.captured_ns, crops, picture), request.until_ns)
        _answer(answers, _to_bytes(found))


def _answer(answers: BinaryIO, message: bytes) -> None:
    answers.write(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
    answers.flush()


def _crop(place: _Place, requests: BinaryIO) -> Crop:
    shape = (place.height_px, place.width_px)
    if min(shape) < 0 or prod(shape) > DEFAULT_LIMITS.max_pixels:
        raise ValueError("a crop is oversized")
    pixels = np.frombuffer(requests.read(prod(shape)), np.uint8)
    return Crop(pixels.reshape(shape), place.left, place.top)


def _written(job: Job, until_ns: int) -> Iterator[bytes | memoryview]:
    header = _to_bytes(
        _Request(
            job.captured_ns,
            until_ns,
            tuple(_place(crop) for crop in job.crops),
            _place(job.picture) if job.picture is not None else None,
        )
    )
    yield len(header).to_bytes(_LENGTH_BYTES, "big") + header
    for crop in (*job.crops, *([job.picture] if job.picture is not None else [])):
        yield np.ascontiguousarray(crop.gray).reshape(-1).data


def _place(crop: Crop) -> _Place:
    height, width = crop.gray.shape
    return _Place(height, width, crop.left, crop.top)


def _stdin(process: subprocess.Popen[bytes]) -> int:
    if process.stdin is None:
        raise OSError("the worker takes no requests")
    return process.stdin.fileno()


def _stdout(process: subprocess.Popen[bytes]) -> int:
    if process.stdout is None:
        raise OSError("the worker gives no answers")
    return process.stdout.fileno()
