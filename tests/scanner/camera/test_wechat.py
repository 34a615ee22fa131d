"""WeChat's decoder is asked only where it is installed; what is missing elsewhere is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scanner.camera.slow_reading import SlowReader, job_of
from scanner.camera.wechat import MODEL_FILES, RUNG, wechat_reader
from scanner.errors import CameraError
from tests.scanner.camera.pictures import canvas
from tests.scanner.camera.test_slow_reading import square


class Detector:
    """Answers as OpenCV's class does."""

    def __init__(self, *models: str) -> None:
        assert [Path(model).name for model in models] == list(MODEL_FILES)

    def detectAndDecode(self, gray: Any) -> tuple[list[str], list[Any]]:  # noqa: N802 - OpenCV's
        corners = np.array([[1, 2], [31, 2], [31, 32], [1, 32]], np.float32)
        return ["read", ""], [corners, corners]


class OpenCV:
    __version__ = "4.14.0"
    error = cv2.error
    wechat_qrcode_WeChatQRCode = Detector  # noqa: N815 - OpenCV's


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in MODEL_FILES:
        (tmp_path / name).touch()
    return tmp_path


def test_what_it_reads_is_a_sighting_in_the_whole_picture(models: Path) -> None:
    reader = SlowReader(lambda: 0, deep=[wechat_reader(models, OpenCV)])
    (sighting,) = reader.read(job_of(canvas(), candidates=[square(200, 100, 80)]), 1).sightings
    assert (sighting.text, sighting.payload, sighting.rung) == ("read", b"read", RUNG)
    assert sighting.quad[0][0] > 150


def test_an_opencv_without_it_is_told_with_the_remedy(models: Path) -> None:
    class Without:
        __version__ = "4.14.0"

    with pytest.raises(CameraError) as caught:
        wechat_reader(models, Without)
    assert "contrib" in caught.value.hint


def test_an_opencv_of_another_generation_is_told(models: Path) -> None:
    class Later(OpenCV):
        __version__ = "5.0.0"

    with pytest.raises(CameraError, match=r"5\.0\.0"):
        wechat_reader(models, Later)


def test_missing_models_are_named(models: Path) -> None:
    (models / "sr.caffemodel").unlink()
    with pytest.raises(CameraError, match=r"lacks sr\.caffemodel"):
        wechat_reader(models, OpenCV)


def test_models_that_do_not_load_are_told(models: Path) -> None:
    class Broken(OpenCV):
        @staticmethod
        def wechat_qrcode_WeChatQRCode(*_: str) -> None:  # noqa: N802 - OpenCV's
            raise cv2.error("no network")

    with pytest.raises(CameraError, match="cannot load"):
        wechat_reader(models, Broken)
