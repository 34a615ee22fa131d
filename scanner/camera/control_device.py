"""A V4L2 device's controls by the kernel's own calls.

OpenCV scales values, hides ranges and takes a refusal for granted, so they are set past it: the
kernel lets a device be opened a second time for its controls while it streams. Structures and
request codes: linux/videodev2.h, and the Linux Media userspace API under each call's name.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from scanner.camera.controls import Control, ControlRange, Ranges, Write
from scanner.errors import CameraError, CameraLostError

_CAPABILITY = struct.Struct("=16s32s32sII I12x")  # v4l2_capability: driver, card, bus, version...
_QUERY = struct.Struct("=II32siiiiI8x")  # v4l2_queryctrl: id, type, name, min, max, step, default
_MENU = struct.Struct("=II32s4x")  # v4l2_querymenu
_VALUE = struct.Struct("=Ii")  # v4l2_control
_READ, _WRITE = 2, 1


def _code(direction: int, number: int, form: struct.Struct) -> int:
    return direction << 30 | form.size << 16 | ord("V") << 8 | number


VIDIOC_QUERYCAP = _code(_READ, 0, _CAPABILITY)
VIDIOC_G_CTRL = _code(_READ | _WRITE, 27, _VALUE)
VIDIOC_S_CTRL = _code(_READ | _WRITE, 28, _VALUE)
VIDIOC_QUERYCTRL = _code(_READ | _WRITE, 36, _QUERY)
VIDIOC_QUERYMENU = _code(_READ | _WRITE, 37, _MENU)

_CAPTURES = 0x00000001 | 0x00001000  # V4L2_CAP_VIDEO_CAPTURE, _MPLANE
_HAS_DEVICE_CAPABILITIES = 0x80000000
_TYPE_MENUS = (3, 9)  # V4L2_CTRL_TYPE_MENU, _INTEGER_MENU
_UNUSABLE = 0x0001 | 0x0004  # V4L2_CTRL_FLAG_DISABLED, _READ_ONLY
_MENU_MAX = 32
_ABSENT = (errno.EINVAL, errno.ENOTTY)

_REPLUG = "unplug the camera and plug it in again"
_HINTS = {
    errno.EACCES: "the camera forbids it in its present mode: remove that key",
    errno.EBUSY: "another program holds the camera: end it",
    errno.ERANGE: "`chot camera controls DEVICE` lists what it takes",
}

Ioctl = Callable[[int, int, bytearray], int]


class Nameplate(msgspec.Struct, frozen=True):
    """What a device says that it is."""

    card: str
    driver: str
    captures: bool
    """Whether it gives pictures: a USB camera's second device gives only what describes them."""


class ControlDevice(Protocol):
    """A camera's controls, opened; a context manager that gives them back."""

    def nameplate(self) -> Nameplate:
        """Return what the device says that it is.

        :raises CameraError: it is no V4L2 device, or it is gone.
        """
        ...

    def ranges(self) -> Ranges:
        """Return the controls that can be set, of those that this appliance knows.

        :raises CameraError: it does not answer, or it is gone.
        """
        ...

    def value(self, control: Control) -> int:
        """Return the present value.

        :raises CameraError: it does not answer, or it is gone.
        """
        ...

    def write(self, writes: Iterable[Write]) -> None:
        """Set one after another.

        :raises CameraError: it refused one; those before it are set.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def _ioctl(descriptor: int, request: int, argument: bytearray) -> int:
    result: int = fcntl.ioctl(descriptor, request, argument, True)
    return result


class KernelControls:
    """The controls of the device at `path`, behind the `ControlDevice` port.

    :raises CameraError: it cannot be opened.
    """

    def __init__(self, path: Path, ioctl: Ioctl = _ioctl) -> None:
        self._path = path
        self._ioctl = ioctl
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._failed("be opened", error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def nameplate(self) -> Nameplate:
        """Return what the device says that it is. See `ControlDevice.nameplate`."""
        answer = self._ask(VIDIOC_QUERYCAP, bytearray(_CAPABILITY.size))
        if answer is None:
            msg = f"{self._path} is no video device"
            raise CameraError(msg, hint="name a camera such as /dev/video0")
        driver, card, _, _, whole, own = _CAPABILITY.unpack(answer)
        capabilities = own if whole & _HAS_DEVICE_CAPABILITIES else whole
        return Nameplate(_text(card), _text(driver), bool(capabilities & _CAPTURES))

    def ranges(self) -> Ranges:
        """Return the controls that can be set. See `ControlDevice.ranges`."""
        found = {}
        for control in Control:
            answer = self._ask(VIDIOC_QUERYCTRL, bytearray(_QUERY.pack(control, 0, b"", *[0] * 5)))
            if answer is None:
                continue
            _, kind, _, minimum, maximum, step, default, flags = _QUERY.unpack(answer)
            if flags & _UNUSABLE or minimum > maximum:
                continue
            menu = kind in _TYPE_MENUS
            choices = self._choices(control, minimum, maximum) if menu else None
            found[control] = ControlRange(minimum, maximum, max(1, step), default, choices)
        return found

    def value(self, control: Control) -> int:
        """Return the present value. See `ControlDevice.value`."""
        answer = self._ask(VIDIOC_G_CTRL, bytearray(_VALUE.pack(control, 0)))
        if answer is None:
            msg = f"{self._path} does not tell its {_words(control)}"
            raise CameraError(msg)
        value: int = _VALUE.unpack(answer)[1]
        return value

    def write(self, writes: Iterable[Write]) -> None:
        """Set one after another. See `ControlDevice.write`."""
        for control, value in writes:
            try:
                self._ioctl(self._descriptor, VIDIOC_S_CTRL, bytearray(_VALUE.pack(control, value)))
            except OSError as error:
                what = f"set its {_words(control)} to {value}"
                raise self._failed(what, error) from error

    def _choices(self, control: Control, minimum: int, maximum: int) -> frozenset[int]:
        """Return the entries that a menu has: it may leave out some between its bounds."""
        entries = range(max(0, minimum), min(maximum, _MENU_MAX) + 1)
        ask = (bytearray(_MENU.pack(control, entry, b"")) for entry in entries)
        return frozenset(
            entry
            for entry, argument in zip(entries, ask, strict=True)
            if self._ask(VIDIOC_QUERYMENU, argument) is not None
        )

    def _ask(self, request: int, argument: bytearray) -> bytearray | None:
        """Return the kernel's answer; None if the device has no such thing."""
        try:
            self._ioctl(self._descriptor, request, argument)
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise self._failed("be asked", error) from error
        return argument

    def _failed(self, what: str, error: OSError) -> CameraError:
        msg = f"{self._path} cannot {what}: {error.strerror}"
        if error.errno in (errno.ENODEV, errno.ENOENT, errno.ENXIO):
            return CameraLostError(msg, hint="is the camera plugged in?")
        return CameraError(msg, hint=_HINTS.get(error.errno or 0, _REPLUG))


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "replace")


def _words(control: Control) -> str:
    return control.name.lower().replace("_", " ")
