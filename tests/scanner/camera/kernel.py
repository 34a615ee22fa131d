"""The kernel's side of a camera's controls, for tests: answers as videodev2.h has it."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

from scanner.camera.control_device import KernelControls
from scanner.camera.controls import Control, ControlRange

QUERYCAP, G_CTRL, S_CTRL, QUERYCTRL, QUERYMENU = (
    0x80685600,
    0xC008561B,
    0xC008561C,
    0xC0445624,
    0xC02C5625,
)
"""As the C compiler gives them for a little-endian machine of 64 bits, and of 32."""
MENU, INTEGER = 3, 1

WEBCAM = {
    Control.BRIGHTNESS: ControlRange(-64, 64),
    Control.GAIN: ControlRange(0, 100, 10),
    Control.AUTOGAIN: ControlRange(0, 1),
    Control.POWER_LINE_FREQUENCY: ControlRange(0, 2, choices=frozenset({0, 1, 2})),
    Control.EXPOSURE_AUTO: ControlRange(0, 3, choices=frozenset({1, 3})),
    Control.EXPOSURE_ABSOLUTE: ControlRange(3, 2047),
    Control.EXPOSURE_DYNAMIC_FRAMERATE: ControlRange(0, 1),
    Control.FOCUS_ABSOLUTE: ControlRange(0, 250, 5),
    Control.FOCUS_AUTO: ControlRange(0, 1),
}
"""What a common USB camera has; it cannot zoom, nor set contrast and sharpness."""


class FakeKernel:
    """One device behind the kernel's calls. `failing` maps a call to the error it ends with."""

    def __init__(
        self, ranges: dict[Control, ControlRange] | None = None, *, captures: bool = True
    ) -> None:
        self.ranges = dict(WEBCAM if ranges is None else ranges)
        self.capabilities = 0x04200001 if captures else 0x04A00000
        self.flags: dict[Control, int] = {}
        self.writes: list[tuple[Control, int]] = []
        self.failing: dict[int, int] = {}
        self.happened: Callable[[str], None] = lambda _: None
        self.descriptors: set[int] = set()

    def open(self, path: Path) -> KernelControls:
        return KernelControls(path, self.ioctl)

    def ioctl(self, descriptor: int, request: int, argument: bytearray) -> int:
        os.fstat(descriptor)
        self.descriptors.add(descriptor)
        assert len(argument) == request >> 16 & 0x3FFF
        if request in self.failing:
            raise OSError(self.failing[request], os.strerror(self.failing[request]))
        if request == QUERYCAP:
            name = struct.pack("=16s32s32s", b"uvcvideo", b"HD Webcam: HD Webcam", b"usb-1")
            # As an USB camera: the whole of it captures, this node may not.
            argument[:92] = name + struct.pack("=III", 6, 0x84A00001, self.capabilities)
            return 0
        (control,) = struct.unpack_from("=I", argument)
        have = self.ranges.get(control)  # type: ignore[call-overload]
        if have is None:
            raise OSError(errno.EINVAL, "Invalid argument")
        getattr(self, f"_{request:x}")(Control(control), have, argument)
        return 0

    def _c0445624(self, control: Control, have: ControlRange, argument: bytearray) -> None:
        kind = MENU if have.choices is not None else INTEGER
        own = (have.minimum, have.maximum, have.step, have.default, self.flags.get(control, 0))
        struct.pack_into("=II32siiiiI", argument, 0, control, kind, b"its name", *own)

    def _c02c5625(self, control: Control, have: ControlRange, argument: bytearray) -> None:
        (entry,) = struct.unpack_from("=I", argument, 4)
        if entry not in (have.choices or ()):
            raise OSError(errno.EINVAL, "Invalid argument")

    def _c008561b(self, control: Control, have: ControlRange, argument: bytearray) -> None:
        value = dict(self.writes).get(control, have.default)
        struct.pack_into("=i", argument, 4, value)

    def _c008561c(self, control: Control, have: ControlRange, argument: bytearray) -> None:
        (value,) = struct.unpack_from("=i", argument, 4)
        self.writes.append((control, value))
        self.happened(f"{control.name} = {value}")
