"""A camera that films rendered people, from its table in the configuration."""

from __future__ import annotations

import itertools
import json
import random
import threading
from collections.abc import Callable
from pathlib import Path

from admission.reading import MAX_TEXT_LENGTH
from appliance.config import ScenesSourceTable
from appliance.errors import ConfigError
from scanner.scenes.camera import SceneCamera
from scanner.scenes.presentation import varied

MAX_SAMPLES = 10_000


def read_samples(path: Path) -> list[str]:
    """Return the texts of a file of samples, at most `MAX_SAMPLES`, in their order.

    :raises ConfigError: if it cannot be read, or a line is no JSON object with a text.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            texts = [str(json.loads(line)["text"]) for line in itertools.islice(lines, MAX_SAMPLES)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path}: not a file of samples: {error}"
        raise ConfigError(msg, hint="`chot hub synthesize --samples` writes one") from error
    fitting = [text for text in texts if 0 < len(text) <= MAX_TEXT_LENGTH]
    if not fitting:
        msg = f"{path}: holds no samples"
        raise ConfigError(msg, hint="`chot hub synthesize --samples` writes one")
    return fitting


def scene_camera(table: ScenesSourceTable, monotonic_ns: Callable[[], int]) -> SceneCamera:
    """Return the camera of a configuration's table of scenes.

    :raises ConfigError: if its samples cannot be read.
    """
    rng = random.Random(table.seed)  # noqa: S311 - a show, no secret
    texts = read_samples(Path(table.samples))
    rng.shuffle(texts)
    return SceneCamera(
        varied(itertools.cycle(texts), rng),
        rng=rng,
        monotonic_ns=monotonic_ns,
        sleep=_pause,
        fps=table.fps,
        size=(table.width_px, table.height_px),
    )


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
