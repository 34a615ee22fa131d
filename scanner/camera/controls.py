"""How a camera's lens and sensor shall be set, and in which order the kernel wants it. Pure.

Identifiers and meanings: Linux Media userspace API, "User Controls" and "Camera Control Reference".
A manual value is ignored, or its effect undefined, while the matching automatic is on: so each
automatic is turned off before its value is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Literal

import msgspec

from scanner.errors import CameraError


class Control(IntEnum):
    """The controls that matter to reading codes, by their V4L2 identifiers."""

    BRIGHTNESS = 0x00980900
    CONTRAST = 0x00980901
    AUTOGAIN = 0x00980912
    GAIN = 0x00980913
    POWER_LINE_FREQUENCY = 0x00980918
    SHARPNESS = 0x0098091B
    EXPOSURE_AUTO = 0x009A0901
    EXPOSURE_ABSOLUTE = 0x009A0902
    """In 100 µs."""
    EXPOSURE_DYNAMIC_FRAMERATE = 0x009A0903
    """Whether an automatic exposure may lower the frame rate (EXPOSURE_AUTO_PRIORITY)."""
    FOCUS_ABSOLUTE = 0x009A090A
    FOCUS_AUTO = 0x009A090C
    ZOOM_ABSOLUTE = 0x009A090D


EXPOSURE_UNIT_MS = 0.1
_EXPOSURE_MANUAL = (1, 2)  # V4L2_EXPOSURE_MANUAL, else _SHUTTER_PRIORITY: both take our time
_EXPOSURE_AUTOMATIC = (0, 3)  # V4L2_EXPOSURE_AUTO, else _APERTURE_PRIORITY, as USB cameras call it
POWER_LINE_HZ = {0: 0, 50: 1, 60: 2, "auto": 3}
"""What the key may be, and V4L2_CID_POWER_LINE_FREQUENCY_... for it."""


class ControlSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a camera; None leaves it as it is. Levels are in the camera's own units."""

    exposure_ms: float | Literal["auto"] | None = None
    """"auto" lets the camera choose the time, without lowering its frame rate for it."""
    gain: int | None = None
    focus: int | Literal["auto"] | None = None
    zoom: int | None = None
    power_line_hz: Literal[0, 50, 60, "auto"] | None = None
    brightness: int | None = None
    contrast: int | None = None
    sharpness: int | None = None


AS_IT_IS = ControlSettings()


class ControlRange(msgspec.Struct, frozen=True):
    """What one camera says of one of its controls."""

    minimum: int
    maximum: int
    step: int = 1
    default: int = 0
    choices: frozenset[int] | None = None
    """The values that a menu has; None if it is no menu."""


Ranges = Mapping[Control, ControlRange]
Write = tuple[Control, int]


def plan(settings: ControlSettings, ranges: Ranges) -> list[Write]:
    """Return what to write to a camera that has `ranges`, in order. A value is put on its step.

    :raises CameraError: the camera lacks a control that is wanted, or does not go so far.
    """
    return [
        *_power_line(settings, ranges),
        *_exposure(settings, ranges),
        *_level("gain", settings.gain, Control.GAIN, ranges, off=Control.AUTOGAIN),
        *_focus(settings, ranges),
        *_level("zoom", settings.zoom, Control.ZOOM_ABSOLUTE, ranges),
        *_level("brightness", settings.brightness, Control.BRIGHTNESS, ranges),
        *_level("contrast", settings.contrast, Control.CONTRAST, ranges),
        *_level("sharpness", settings.sharpness, Control.SHARPNESS, ranges),
    ]


def lacks(settings: ControlSettings, ranges: Ranges) -> list[CameraError]:
    """Return each reason for which `plan` would refuse these settings, not the first alone."""
    found = []
    for name in ControlSettings.__struct_fields__:
        value = getattr(settings, name)
        if value is not None:
            try:
                plan(ControlSettings(**{name: value}), ranges)
            except CameraError as error:
                found.append(error)
    return found


def _power_line(settings: ControlSettings, ranges: Ranges) -> list[Write]:
    wanted = settings.power_line_hz
    if wanted is None:
        return []
    control = Control.POWER_LINE_FREQUENCY
    have = _have("power_line_hz", control, ranges)
    value = POWER_LINE_HZ[wanted]
    if not _takes(have, value):
        can = [str(hertz) for hertz, choice in POWER_LINE_HZ.items() if _takes(have, choice)]
        raise _out_of_range("power_line_hz", wanted, " or ".join(can) or "nothing")
    return [(control, value)]


def _exposure(settings: ControlSettings, ranges: Ranges) -> list[Write]:
    wanted = settings.exposure_ms
    if wanted is None:
        return []
    if wanted == "auto":
        mode = _first("exposure_ms", wanted, Control.EXPOSURE_AUTO, _EXPOSURE_AUTOMATIC, ranges)
        return [mode, *_if_there(Control.EXPOSURE_DYNAMIC_FRAMERATE, 0, ranges)]
    have = _have("exposure_ms", Control.EXPOSURE_ABSOLUTE, ranges)
    units = round(wanted / EXPOSURE_UNIT_MS)
    value = _on_step("exposure_ms", wanted, units, have, lambda units: units * EXPOSURE_UNIT_MS)
    # Dynamic frame rate belongs to the automatic: a camera may refuse it once that is off.
    writes = _if_there(Control.EXPOSURE_DYNAMIC_FRAMERATE, 0, ranges)
    if Control.EXPOSURE_AUTO in ranges:
        writes.append(
            _first("exposure_ms", wanted, Control.EXPOSURE_AUTO, _EXPOSURE_MANUAL, ranges)
        )
    return [*writes, (Control.EXPOSURE_ABSOLUTE, value)]


def _focus(settings: ControlSettings, ranges: Ranges) -> list[Write]:
    if settings.focus == "auto":
        _have("focus", Control.FOCUS_AUTO, ranges)
        return [(Control.FOCUS_AUTO, 1)]
    return _level("focus", settings.focus, Control.FOCUS_ABSOLUTE, ranges, off=Control.FOCUS_AUTO)


def _level(
    name: str, wanted: int | None, control: Control, ranges: Ranges, off: Control | None = None
) -> list[Write]:
    """Return the writes that turn the automatic `off`, if there is one, and set the level."""
    if wanted is None:
        return []
    value = _on_step(name, wanted, wanted, _have(name, control, ranges), lambda level: level)
    return [*(_if_there(off, 0, ranges) if off is not None else []), (control, value)]


def _first(
    name: str, wanted: object, control: Control, choices: tuple[int, ...], ranges: Ranges
) -> Write:
    have = _have(name, control, ranges)
    for choice in choices:
        if _takes(have, choice):
            return control, choice
    can = "a time in milliseconds" if wanted == "auto" else '"auto"'
    raise _out_of_range(name, wanted, can)


def _if_there(control: Control, value: int, ranges: Ranges) -> list[Write]:
    return [(control, value)] if control in ranges else []


def _takes(have: ControlRange, value: int) -> bool:
    if have.choices is not None:
        return value in have.choices
    return have.minimum <= value <= have.maximum


def _on_step(
    name: str,
    wanted: float,
    value: int,
    have: ControlRange,
    shown: Callable[[int], float],
) -> int:
    if not have.minimum <= value <= have.maximum:
        raise _out_of_range(name, wanted, f"{shown(have.minimum):g} to {shown(have.maximum):g}")
    steps = round((value - have.minimum) / max(1, have.step))
    return min(have.minimum + steps * max(1, have.step), have.maximum)


def _have(name: str, control: Control, ranges: Ranges) -> ControlRange:
    have = ranges.get(control)
    if have is None:
        msg = f"this camera has no control for {name}"
        raise CameraError(
            msg, hint=f"remove {name}; `chot camera controls DEVICE` lists what it has"
        )
    return have


def _out_of_range(name: str, wanted: object, can: str) -> CameraError:
    msg = f"this camera cannot do {name} = {wanted}: it has {can}"
    return CameraError(msg, hint="choose from that; `chot camera controls DEVICE` lists it all")
