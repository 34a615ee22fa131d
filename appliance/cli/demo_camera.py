"""`--camera demo`: people who show their codes well and wrongly, for whoever has no camera yet."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from appliance.camera_table import CameraSourceTable
from scanner.camera.port import Camera
from scanner.scenes.camera import SceneCamera
from scanner.scenes.lesson import lesson

DEMO = "demo"


def is_demo(table: object) -> bool:
    """Return whether the table is of a camera of this name. A file `demo` is named `./demo`."""
    return isinstance(table, CameraSourceTable) and table.device == DEMO


def demo_camera(monotonic_ns: Callable[[], int], fps: float = 15.0) -> Camera:
    """Return a camera in front of which a lesson is played, over and over, in real time."""
    return SceneCamera(
        lesson(),
        rng=random.Random(1),  # noqa: S311 - a show, no secret
        monotonic_ns=monotonic_ns,
        sleep=_pause,
        fps=fps,
        pause_s=0.8,
    )


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
