"""`chot scan` on a recording: the same again, on any machine, for whoever looks into a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from admission.repeat import Presentations
from appliance.cli.scan_report import Finding, Found, fault
from scanner.camera.deep import slow_reader
from scanner.camera.reader import FrameReader
from scanner.camera.slow_lane import LIMIT_NS, ImmediateLane
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.errors import CameraExhaustedError, PictureError, ScannerError
from scanner.replay import RecordedCamera


def replay(
    folder: Path,
    monotonic_ns: Callable[[], int],
    wanted: Wanted = QR_ONLY,
    looked: Callable[[], None] = lambda: None,
) -> Iterator[Finding]:
    """Yield each presentation of a recording, read as its live camera would have been.

    Attention and presentations go by the recorded stamps, and the budgets of both lanes by no clock
    at all: the same recording gives the same findings on any machine.

    :param looked: called for each frame.
    """
    source, presentations, seen = str(folder), Presentations(), False
    camera = RecordedCamera(folder, monotonic_ns)
    slow_lane = ImmediateLane(slow_reader(_still, wanted), _still, every_ns=LIMIT_NS)
    reader = FrameReader(source, _still, wanted=wanted, slow_lane=slow_lane)
    try:
        camera.open()
        while True:
            frame = camera.read()
            looked()
            began_ns = monotonic_ns()
            try:
                readings = reader.read(frame, frame.captured_ns)
            except PictureError as error:
                yield Finding(source, frame=frame.sequence, error=f"{frame.label}: {error}")
                continue
            ms = (monotonic_ns() - began_ns) / 1e6
            new = [r for r in readings if presentations.begins_presentation(r.text, r.captured_ns)]
            if new:
                seen = True
                found = tuple(Found(r.text, r.symbology, r.rung) for r in new)
                yield Finding(source, found, ms, frame.sequence, film=True)
    except CameraExhaustedError:
        if not seen:
            yield Finding(source, film=True)
    except ScannerError as error:
        yield fault(source, error)
    finally:
        camera.close()


def _still() -> int:
    return 0
