"""One recording from the first frame to the summary: whole, however it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from scanner.camera.backlog import Backlog, Pump
from scanner.camera.port import Camera
from scanner.errors import CameraError
from scanner.privacy import PrivateRecorder
from scanner.recording import Recorder

BACKLOG_BYTES = 256_000_000
_TAKE_S = 0.1
_STOP_TIMEOUT_S = 3.0


class Bounds(msgspec.Struct, frozen=True):
    """Where a recording ends by itself."""

    seconds: float
    max_frames: int
    max_bytes: int


class RecordSummary(msgspec.Struct, frozen=True):
    """What was recorded. `full` and `failure` say why it ended early, if it did."""

    frames: int
    bytes: int
    dropped: int
    with_code: int
    full: str = ""
    failure: str = ""


def run(
    camera: Camera,
    folder: Path,
    bounds: Bounds,
    monotonic_ns: Callable[[], int],
    *,
    raw: bool,
) -> RecordSummary:
    """Record until a bound is reached, the camera ends, or Ctrl-C (which then is no error).

    :param raw: keep the frames as they are.
    :raises CameraError: the camera cannot be opened.
    :raises RecordingError: the folder cannot be written.
    """
    camera.open()
    backlog = Backlog(BACKLOG_BYTES)
    pump = Pump(camera, backlog)
    try:
        with (
            Recorder(folder, max_frames=bounds.max_frames, max_bytes=bounds.max_bytes) as recorder,
            _interrupts() as interrupted,
            _progress(bounds.seconds) as show,
        ):
            private = None if raw else PrivateRecorder(recorder)
            add = recorder.add if private is None else private.add
            began_ns = monotonic_ns()
            pump.start()
            while not backlog.over:
                elapsed_s = (monotonic_ns() - began_ns) / 1e9
                if not pump.stopped and (elapsed_s >= bounds.seconds or interrupted.is_set()):
                    pump.stop(_STOP_TIMEOUT_S)
                frame = backlog.take(_TAKE_S)
                if frame is not None and not add(frame):
                    break
                show(min(elapsed_s, bounds.seconds), recorder, len(backlog))
            if private is not None:
                private.finish()
    finally:
        pump.stop(_STOP_TIMEOUT_S)
    if pump.failure is not None and not isinstance(pump.failure, CameraError):
        raise pump.failure
    return RecordSummary(
        frames=recorder.frames,
        bytes=recorder.bytes,
        dropped=backlog.dropped,
        with_code=0 if private is None else private.with_code,
        full=recorder.full,
        failure="" if pump.failure is None else str(pump.failure),
    )


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C, hang-up or termination into an event; a second one cuts all short."""
    told = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def note(number: int, _: FrameType | None) -> None:
        told.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, note)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(seconds: float) -> Iterator[Callable[[float, Recorder, int], None]]:
    """Show a bar on standard error, if somebody watches it."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("recording"),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[told]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=seconds, told="")

        def show(elapsed_s: float, recorder: Recorder, waiting: int) -> None:
            told = f"{recorder.frames} frames, {recorder.bytes / 1e6:.1f} MB, {waiting} to write"
            bar.update(task, completed=elapsed_s, told=told)

        yield show
