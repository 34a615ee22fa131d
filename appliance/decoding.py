"""How a camera's frames are read: its symbologies, and the worker beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from admission.reading import Symbology
from appliance.camera_table import CameraSourceTable
from appliance.errors import ConfigError
from scanner.camera.slow_lane import SlowLane, ThreadLane
from scanner.camera.slow_process import WorkerProcess
from scanner.camera.symbologies import Wanted
from scanner.camera.wechat import check_models
from scanner.errors import CameraError

_ENVIRONMENT = ("PATH", "LANG", "LD_LIBRARY_PATH")


def wanted_of(table: CameraSourceTable) -> Wanted:
    """Return the symbologies that the table takes."""
    return Wanted(Symbology(each) for each in table.symbologies)


def slow_lane_of(
    table: CameraSourceTable, monotonic_ns: Callable[[], int], draw: Callable[[], float]
) -> SlowLane | None:
    """Return the lane beside the table's camera, not started yet; None if it goes without.

    :raises ConfigError: WeChat's models are named and cannot be used.
    """
    if not table.slow_lane:
        return None
    models = models_of(table)
    return beside(wanted_of(table), monotonic_ns, draw, name=table.name, wechat_models=models)


def models_of(table: CameraSourceTable) -> Path | None:
    """Return the folder of WeChat's models, None if the table names none.

    :raises ConfigError: OpenCV comes without WeChat's decoder, or models are missing.
    """
    if not table.wechat_models:
        return None
    models = Path(table.wechat_models)
    try:
        check_models(models)
    except CameraError as error:
        raise ConfigError(str(error), hint=error.hint) from error
    return models


def beside(
    wanted: Wanted,
    monotonic_ns: Callable[[], int],
    draw: Callable[[], float],
    *,
    name: str,
    wechat_models: Path | None = None,
) -> SlowLane:
    """Return a lane whose worker is a process of its own, not started yet."""
    command = [sys.executable, "-P", "-m", "appliance.slow_worker"]
    arguments = [str(wechat_models or ""), *sorted(wanted.symbologies)]
    worker = WorkerProcess(
        [*command, *arguments], monotonic_ns, environment=_environment(), draw=draw
    )
    return ThreadLane(worker, monotonic_ns, name=f"{name}-slow")


def _environment() -> dict[str, str]:
    """Return what a worker needs of ours: where its libraries are, and no secrets."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
