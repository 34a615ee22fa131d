"""The decoders that are measured: our two lanes, and their peers as their own users call them.

Each is made in a process of its own (`benchmarks.isolation`) by its name.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import zxingcpp

from benchmarks.errors import DecoderMissingError
from scanner.camera.ladder import SLOW_LIMIT_NS, read_inline, read_slowly
from scanner.camera.port import Gray
from scanner.camera.sighting import Sighting

OURS = "chot"
WECHAT_MODELS = "CHOT_WECHAT_MODELS"
"""Environment variable: the folder with WeChat's four model files."""


class By(StrEnum):
    """The clock that everybody goes by: ours by its budgets, and the benchmark by its times."""

    WALL = "wall"
    PROCESSOR = "processor"
    """What one core is busy for: on a machine that does other things at the same time."""


_CLOCKS: dict[By, Callable[[], int]] = {
    By.WALL: time.perf_counter_ns,
    By.PROCESSOR: time.process_time_ns,
}


class Attempt(msgspec.Struct, frozen=True):
    """What one decoder made of one picture. Times are of the run's clock, `cpu_ms` of a core.

    A peer has no slow lane: its `slow` texts are empty and `slow_ms` is 0.
    """

    texts: tuple[str, ...]
    ms: float
    cpu_ms: float
    rung: str = ""
    slow_texts: tuple[str, ...] = ()
    slow_ms: float = 0.0
    slow_rung: str = ""

    @property
    def all_texts(self) -> tuple[str, ...]:
        """The texts of both lanes."""
        return (*self.texts, *self.slow_texts)


Decode = Callable[[Gray], list[str]]
Attempting = Callable[[Gray], Attempt]
Clock = Callable[[], int]


def asked_by(clock: By, name: str) -> str:
    """Return what `attempting` is told of a decoder."""
    return f"{clock}:{name}"


def attempting(asked: str) -> Attempting:
    """Return what tries a picture with a decoder, warmed up.

    :param asked: the clock and the decoder's name, by `asked_by`.
    :raises DecoderMissingError: it is not installed.
    """
    cv2.setNumThreads(1)
    by, _, name = asked.partition(":")
    clock_ns = _CLOCKS[By(by)]
    attempt = _both_lanes(clock_ns) if name == OURS else _timed(PEERS[name](), clock_ns)
    warm_up = np.random.default_rng(1).integers(0, 256, (240, 320), np.uint8)
    for _ in range(3):
        attempt(warm_up)
    return attempt


def _timed(decode: Decode, clock_ns: Clock) -> Attempting:
    def attempt(gray: Gray) -> Attempt:
        began_ns, cpu_ns = clock_ns(), time.process_time_ns()
        texts = decode(gray)
        ms, cpu_ms = (clock_ns() - began_ns) / 1e6, (time.process_time_ns() - cpu_ns) / 1e6
        return Attempt(tuple(text for text in texts if text), ms, cpu_ms)

    return attempt


def _both_lanes(clock_ns: Clock) -> Attempting:
    """Read as the appliance does: one look, and where it saw nothing, the slow lane after it."""

    def attempt(gray: Gray) -> Attempt:
        began_ns, cpu_ns = clock_ns(), time.process_time_ns()
        inline = read_inline(gray, clock_ns)
        looked_ns = clock_ns()
        ms, cpu_ms = (looked_ns - began_ns) / 1e6, (time.process_time_ns() - cpu_ns) / 1e6
        if inline:
            return Attempt(_texts(inline), ms, cpu_ms, inline[0].rung)
        slow = read_slowly(gray, began_ns + SLOW_LIMIT_NS, clock_ns)
        read_ns = clock_ns()
        in_time = read_ns - began_ns <= SLOW_LIMIT_NS
        return Attempt(
            (), ms, cpu_ms,
            slow_texts=_texts(slow) if in_time else (),
            slow_ms=(read_ns - looked_ns) / 1e6,
            slow_rung=slow[0].rung if slow and in_time else "",
        )  # fmt: skip

    return attempt


def _texts(sightings: list[Sighting]) -> tuple[str, ...]:
    return tuple(sighting.text for sighting in sightings)


def _zxing(**options: Any) -> Decode:
    def decode(gray: Gray) -> list[str]:
        barcodes = zxingcpp.read_barcodes(gray, text_mode=zxingcpp.TextMode.Plain, **options)
        return [barcode.text for barcode in barcodes if "QR" in str(barcode.format)]

    return decode


def _opencv(detector: Any) -> Decode:
    def decode(gray: Gray) -> list[str]:
        try:
            found, texts, *_ = detector.detectAndDecodeMulti(gray)
        except (cv2.error, UnicodeDecodeError):  # both raise on pictures that they cannot digest
            return []
        return list(texts) if found else []

    return decode


def _zbar() -> Decode:
    try:
        pyzbar = importlib.import_module("pyzbar.pyzbar")
    except ImportError as error:
        raise DecoderMissingError(
            "zbar is not installed", hint="apt-get install libzbar0; pip install pyzbar"
        ) from error
    symbols = [pyzbar.ZBarSymbol.QRCODE]
    return lambda gray: [_decoded(code.data) for code in pyzbar.decode(gray, symbols=symbols)]


def _decoded(data: bytes) -> str:
    for charset in ("utf-8", "shift_jis"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _wechat() -> Decode:
    make = getattr(cv2, "wechat_qrcode_WeChatQRCode", None)
    folder = Path(os.environ.get(WECHAT_MODELS, ""))
    models = [folder / f"{part}.{kind}" for part in ("detect", "sr") for kind in _WECHAT_KINDS]
    if make is None or not all(model.is_file() for model in models):
        raise DecoderMissingError(
            "WeChat's decoder is not installed",
            hint=f"opencv-contrib-python-headless 4.x, its models in the folder {WECHAT_MODELS}",
        )
    detector = make(*(str(model) for model in models))
    return lambda gray: list(detector.detectAndDecode(gray)[0])


_WECHAT_KINDS = ("prototxt", "caffemodel")

PEERS: dict[str, Callable[[], Decode]] = {
    "zxing-cpp": _zxing,
    "zxing-cpp, QR only": lambda: _zxing(formats=zxingcpp.BarcodeFormat.QRCode),
    "OpenCV QRCodeDetector": lambda: _opencv(cv2.QRCodeDetector()),
    "OpenCV QRCodeDetectorAruco": lambda: _opencv(cv2.QRCodeDetectorAruco()),
    "zbar": _zbar,
    "WeChat": _wechat,
}
"""Peers by name, each with what its own users get without tuning anything."""
