"""Everything that the slow lane tries, put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scanner.camera.slow_reading import DeepReader, SlowReader
from scanner.camera.symbol.candidates import thorough_candidates
from scanner.camera.symbol.nonplanar import nonplanar_reader
from scanner.camera.symbologies import QR_ONLY, Wanted
from scanner.camera.wechat import wechat_reader


def slow_reader(
    monotonic_ns: Callable[[], int],
    wanted: Wanted = QR_ONLY,
    *,
    wechat_models: Path | None = None,
) -> SlowReader:
    """Return what reads the slow lane's jobs.

    :param wechat_models: the folder of WeChat's models, None to go without.
    :raises CameraError: as `wechat_reader`.
    """
    deep: list[DeepReader] = [nonplanar_reader(monotonic_ns)]
    if wechat_models is not None:
        deep.append(wechat_reader(wechat_models))
    return SlowReader(monotonic_ns, wanted=wanted, locate=thorough_candidates, deep=deep)
