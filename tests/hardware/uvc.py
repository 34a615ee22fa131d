"""What a USB video camera says of itself and of its controls (USB Video Class 1.0, MJPEG, bulk)."""

from __future__ import annotations

import struct
from collections.abc import Callable

import msgspec

from tests.hardware.usb_ip import Setup

WIDTH_PX, HEIGHT_PX, FPS = 1280, 720, 10
PAYLOAD_BYTES = 16_384
VENDOR, PRODUCT = 0x1209, 0x0001  # pid.codes' identifiers for tests
CAMERA_TERMINAL, PROCESSING_UNIT, OUTPUT_TERMINAL = 1, 2, 3
_INTERVAL_100NS = 10_000_000 // FPS
_TO_CAMERA, _FROM_CAMERA = 0x21, 0xA1
_SET_CUR = 0x01
_PROBE_BYTES = 26


class Level(msgspec.Struct):
    """One control of the camera: what it may be, and what it is."""

    name: str
    size: int
    minimum: int
    maximum: int
    step: int
    now: int


def controls() -> dict[tuple[int, int], Level]:
    """Return the controls of a common webcam, by unit and selector (A.9.4, A.9.5)."""
    return {
        # Of the mode, the step tells which bits there are: manual, and aperture priority.
        (CAMERA_TERMINAL, 0x02): Level("exposure mode", 1, 0, 0, 0b1001, 0b1000),
        (CAMERA_TERMINAL, 0x03): Level("exposure may lower the rate", 1, 0, 1, 1, 1),
        (CAMERA_TERMINAL, 0x04): Level("exposure", 4, 1, 5000, 1, 300),
        (CAMERA_TERMINAL, 0x06): Level("focus", 2, 0, 250, 5, 0),
        (CAMERA_TERMINAL, 0x08): Level("focus by itself", 1, 0, 1, 1, 1),
        (PROCESSING_UNIT, 0x02): Level("brightness", 2, 0, 255, 1, 128),
        (PROCESSING_UNIT, 0x04): Level("gain", 2, 0, 100, 1, 10),
        (PROCESSING_UNIT, 0x05): Level("power line", 1, 0, 2, 1, 2),
    }


class Uvc:
    """Answers the host's control transfers as such a camera does.

    :param was_set: told the name and the value of each control that the host sets.
    """

    def __init__(self, serial: str, was_set: Callable[[str, int], None]) -> None:
        self._strings = ["", "Chot", "Test camera", serial]
        self._was_set = was_set
        self._controls = controls()
        self.deaf = False
        """Whether it answers nothing any more, as crashed firmware does."""

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        """See `Device.control`."""
        if self.deaf:
            raise TimeoutError
        if setup.kind == 0x80 and setup.request == 6:
            return self._descriptor(setup.value >> 8, setup.value & 0xFF, setup.length)
        if setup.kind & 0x60 == 0:
            return bytes(2)[: setup.length] if setup.kind & 0x80 else b""
        if setup.kind in (_TO_CAMERA, _FROM_CAMERA):
            interface, unit, selector = setup.index & 0xFF, setup.index >> 8, setup.value >> 8
            if interface == 1:
                return self._stream(setup, selector)
            level = self._controls.get((unit, selector))
            return None if level is None else self._level(level, setup, data)
        return None

    def _level(self, level: Level, setup: Setup, data: bytes) -> bytes | None:
        if setup.request == _SET_CUR:
            level.now = int.from_bytes(data, "little")
            self._was_set(level.name, level.now)
            return b""
        if setup.request == 0x86:  # GET_INFO: can be read and set
            return b"\x03"
        value = {
            0x81: level.now,
            0x82: level.minimum,
            0x83: level.maximum,
            0x84: level.step,
            0x87: level.now,
        }.get(setup.request)
        if setup.request == 0x85:  # GET_LEN
            return struct.pack("<H", level.size)[: setup.length]
        return None if value is None else value.to_bytes(level.size, "little")[: setup.length]

    def _stream(self, setup: Setup, selector: int) -> bytes | None:
        """Answer what is asked of the stream's format (4.3.1.1): there is one only."""
        if selector not in (1, 2):
            return None
        if setup.request == _SET_CUR:
            return b""
        if setup.request == 0x85:
            return struct.pack("<H", _PROBE_BYTES)[: setup.length]
        if setup.request == 0x86:
            return b"\x03"
        sizes = (WIDTH_PX * HEIGHT_PX * 2, PAYLOAD_BYTES)
        probe = struct.pack("<HBBIHHHHHII", 1, 1, 1, _INTERVAL_100NS, 0, 0, 0, 0, 0, *sizes)
        return probe[: setup.length]

    def _descriptor(self, kind: int, number: int, length: int) -> bytes | None:
        if kind == 1:
            return _device()[:length]
        if kind == 2:
            return _configuration()[:length]
        if kind == 3 and number < len(self._strings):
            text = self._strings[number].encode("utf-16-le") if number else b"\x09\x04"
            return (bytes([len(text) + 2, 3]) + text)[:length]
        return None


def _device() -> bytes:
    identity = (VENDOR, PRODUCT, 0x0100, 1, 2, 3, 1)
    return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0xEF, 2, 1, 64, *identity)


def _own(kind: int, form: str, *values: int) -> bytes:
    """Return a descriptor of the video class."""
    body = struct.pack("<" + form, *values)
    return bytes([len(body) + 3, 0x24, kind]) + body


def _control_interface() -> bytes:
    units = (
        _own(0x02, "BHBBHHHB3s", CAMERA_TERMINAL, 0x0201, 0, 0, 0, 0, 0, 3, b"\x2e\x00\x02")
        + _own(0x05, "BBHBHB", PROCESSING_UNIT, CAMERA_TERMINAL, 0, 2, 0x0601, 0)
        + _own(0x03, "BHBBB", OUTPUT_TERMINAL, 0x0101, 0, PROCESSING_UNIT, 0)
    )
    header = _own(0x01, "HHIBB", 0x0100, 13 + len(units), 48_000_000, 1, 1)
    return bytes([9, 4, 0, 0, 0, 0x0E, 1, 0, 0]) + header + units


def _stream_interface() -> bytes:
    bits = WIDTH_PX * HEIGHT_PX * 2
    formats = (
        _own(0x06, "BBBBBBBB", 1, 1, 1, 1, 0, 0, 0, 0)
        + _own(
            0x07,
            "BBHHIIIIBI",
            *(1, 0, WIDTH_PX, HEIGHT_PX, 8_000_000, 100_000_000, bits),
            *(_INTERVAL_100NS, 1, _INTERVAL_100NS),
        )
        + _own(0x0D, "BBB", 1, 1, 4)
    )
    header = _own(0x01, "BHBBBBBBBB", 1, 14 + len(formats), 0x81, 0, OUTPUT_TERMINAL, 0, 0, 0, 1, 0)
    endpoint = struct.pack("<BBBBHB", 7, 5, 0x81, 2, 512, 0)
    return bytes([9, 4, 1, 0, 1, 0x0E, 2, 0, 0]) + header + formats + endpoint


def _configuration() -> bytes:
    association = bytes([8, 0x0B, 0, 2, 0x0E, 3, 0, 0])
    body = association + _control_interface() + _stream_interface()
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 2, 1, 0, 0x80, 250) + body
