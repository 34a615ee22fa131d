"""WeChat's decoder with its neural networks, where a site has installed it: never inline.

It reads some codes in glare and on creased paper that nothing else here does, in 15 ms or in four
seconds. It is part of OpenCV's contributed modules (opencv-contrib-python-headless 4.x in place of
opencv-python-headless), and its four model files are not part of any package of OpenCV. It hands
out texts alone: a part of a structured append is to it a code of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from admission.reading import MAX_TEXT_LENGTH, Symbology
from scanner.camera.port import Gray
from scanner.camera.sighting import Sighting
from scanner.camera.slow_reading import DeepReader
from scanner.errors import CameraError

RUNG = "wechat"
MODEL_FILES = ("detect.prototxt", "detect.caffemodel", "sr.prototxt", "sr.caffemodel")
_LAST_WITH_THESE_MODELS = 4


def check_models(models: Path, opencv: Any = cv2) -> None:
    """Judge whether the decoder is there, and its models in this folder, without loading them.

    :param opencv: the OpenCV to ask, this process's own unless given.
    :raises CameraError: OpenCV is without it, or of another generation, or models are missing.
    """
    known = hasattr(opencv, "wechat_qrcode_WeChatQRCode")
    if not known or int(opencv.__version__.split(".")[0]) > _LAST_WITH_THESE_MODELS:
        msg = f"OpenCV {opencv.__version__} comes without WeChat's decoder for these models"
        raise CameraError(
            msg,
            hint="install opencv-contrib-python-headless 4.x in its place, or leave out"
            " wechat_models",
        )
    missing = [name for name in MODEL_FILES if not (models / name).is_file()]
    if missing:
        msg = f"{models}: lacks {', '.join(missing)}"
        raise CameraError(msg, hint="wechat_models names the folder with WeChat's four model files")


def wechat_reader(models: Path, opencv: Any = cv2) -> DeepReader:
    """Return a reader of crops by the models in a folder.

    :raises CameraError: as `check_models`, or the models cannot be loaded.
    """
    check_models(models, opencv)
    make = opencv.wechat_qrcode_WeChatQRCode
    try:
        detector = make(*(str(models / name) for name in MODEL_FILES))
    except opencv.error as error:
        msg = f"{models}: OpenCV cannot load WeChat's models"
        raise CameraError(msg, hint="they are the originals of opencv_3rdparty") from error

    def read(gray: Gray, until_ns: int) -> Sequence[Sighting]:
        del until_ns  # it cannot be told when to stop
        texts, corners = detector.detectAndDecode(np.ascontiguousarray(gray))
        return [_sighting(text, quad) for text, quad in zip(texts, corners, strict=True) if text]

    return read


def _sighting(text: str, corners: Any) -> Sighting:
    a, b, c, d = ((float(x), float(y)) for x, y in np.asarray(corners).reshape(4, 2))
    payload = text.encode("utf-8", "surrogateescape")
    text = payload.decode("utf-8", "replace")[: MAX_TEXT_LENGTH + 1]
    return Sighting(text, Symbology.QR_CODE, RUNG, (a, b, c, d), payload[: 2 * MAX_TEXT_LENGTH])
