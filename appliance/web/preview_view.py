"""What travels to the preview page: one look as numbers, words and marks, made by pure functions.

The page draws it and knows no limits of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from admission.reading import Reading
from admission.verdict import Text
from appliance.cli.scan_report import shortened
from scanner.camera.advice import (
    ALLOWED_BLUR_MODULES,
    ALLOWED_MOTION_MODULES,
    COMFORTABLE_CONTRAST,
    COMFORTABLE_MODULE_PX,
    COMFORTABLE_MOTION_MODULES,
    NEEDED_CONTRAST,
    NEEDED_MODULE_PX,
    UNREADABLE_BLUR_MODULES,
    Advice,
    AdviceCode,
    Severity,
    advice_for,
)
from scanner.camera.look import Look
from scanner.camera.quality import Quality
from scanner.camera.sighting import Quad

MAX_SHOWN = 16


class Mark(msgspec.Struct, frozen=True):
    """One code in the picture; its text is shortened, and empty for a place that was not read."""

    quad: Quad
    text: str = ""
    symbology: str = ""
    rung: str = ""
    detail: str = ""


class Late(msgspec.Struct, frozen=True):
    """A code that the slow lane has read in an earlier frame; its text is shortened."""

    text: str
    symbology: str
    rung: str


class Gauge(msgspec.Struct, frozen=True):
    """One measurement on a scale from `low` to `high`.

    `fault` and `margin` are where reading ends and where comfort begins; which side is the good
    one follows from their order. `level` is `ok`, `note` or `bad`, and `none` without a `value`.
    """

    name: Text
    value: float | None
    shown: Text
    low: float
    high: float
    fault: float
    margin: float
    level: str


class Figures(msgspec.Struct, frozen=True):
    """What a camera has done. Counters since it was started; `fps` over the last seconds."""

    up: bool
    failure: str = ""
    fps: float = 0.0
    frames: int = 0
    dropped: int = 0
    skipped: int = 0
    bad: int = 0


class LookView(msgspec.Struct, frozen=True):
    """One look, as it goes with its picture. `severity` is the advice's worst."""

    sequence: int
    width_px: int
    height_px: int
    age_ms: float
    read_ms: float
    read: tuple[Mark, ...]
    unread: tuple[Mark, ...]
    gauges: tuple[Gauge, ...]
    advice: tuple[Advice, ...]
    late: Late | None = None


def look_view(
    look: Look,
    quality: Quality,
    advice: Sequence[Advice],
    age_ms: float,
    late: Reading | None = None,
) -> LookView:
    """Return what the page shows of one look. What codes say is cut and made printable."""
    height, width = look.gray.shape
    return LookView(
        sequence=look.frame.sequence,
        width_px=width,
        height_px=height,
        age_ms=round(age_ms, 1),
        read_ms=round(look.read_ns / 1e6, 2),
        read=tuple(
            Mark(
                _rounded(seen.quad),
                shortened(seen.text),
                seen.symbology.value,
                seen.rung,
                f"v{seen.version}-{seen.level}" if seen.version else "",
            )
            for seen in look.sightings[:MAX_SHOWN]
        ),
        unread=tuple(Mark(_rounded(quad)) for quad in look.candidates[:MAX_SHOWN]),
        gauges=gauges_of(quality, late=late is not None),
        advice=tuple(advice),
        late=Late(shortened(late.text), late.symbology.value, late.rung) if late else None,
    )


def gauges_of(quality: Quality, *, late: bool = False) -> tuple[Gauge, ...]:
    """Return the measurements as gauges, in the page's order.

    What is measured in modules is about right only where the code was not read, and marked `≈`.
    They have the advice's colours: none is bad for a code that was read, by the slow lane if
    `late`, and what is blamed for a code that was not read is bad even within its limit.
    """
    code, modules, levels = quality.code, Text("ô", "modules"), Text("mức", "levels")
    gauges: tuple[Gauge, ...] = (
        _gauge(_SIZE, None if code is None else code.module_px, Text("px/ô", "px/module")),
        _gauge(_DEFOCUS, None if code is None else code.blur_modules, modules),
        _gauge(_MOTION, None if code is None else code.motion_modules, modules),
        _gauge(_CONTRAST, None if code is None else code.contrast, levels),
        _exposure(quality),
    )
    if code is None:
        return gauges
    if not code.read:
        gauges = (*(_about(each) for each in gauges[:3]), *gauges[3:])
    if code.read or late:
        return tuple(_coloured(each, "note") if each.level == "bad" else each for each in gauges)
    blamed = {each.code for each in advice_for(quality) if each.severity is Severity.FAULT}
    return tuple(
        _coloured(gauge, "bad") if blamed & codes else gauge
        for gauge, codes in zip(gauges, _BLAMED_AS, strict=True)
    )


def _about(gauge: Gauge) -> Gauge:
    shown = Text(f"≈ {gauge.shown.vi}", f"≈ {gauge.shown.en}")
    return msgspec.structs.replace(gauge, shown=shown)


def _coloured(gauge: Gauge, level: str) -> Gauge:
    return msgspec.structs.replace(gauge, level=level)


def _gauge(scale: Gauge, value: float | None, unit: Text) -> Gauge:
    if value is None:
        return scale
    rises = scale.fault < scale.margin
    beyond = [value < limit if rises else value > limit for limit in (scale.fault, scale.margin)]
    level = "bad" if beyond[0] else "note" if beyond[1] else "ok"
    number = f"{value:.{0 if value >= 20 else 1 if value >= 2 else 2}f}"
    shown = Text(f"{number.replace('.', ',')} {unit.vi}", f"{number} {unit.en}")
    return msgspec.structs.replace(scale, value=round(value, 2), shown=shown, level=level)


def _exposure(quality: Quality) -> Gauge:
    """How bright the frame is; told by its clipped shares, as there is no one good mean."""
    clipped = max(quality.dark_share, quality.bright_share)
    level = "bad" if clipped > 0.7 else "note" if clipped > 0.4 else "ok"
    percent = round(100 * quality.bright_share)
    shown = Text(
        f"{quality.mean:.0f} mức, cháy {percent} %",
        f"{quality.mean:.0f} levels, {percent} % burnt",
    )
    return msgspec.structs.replace(
        _BRIGHTNESS, value=round(quality.mean, 1), shown=shown, level=level
    )


def _scale(name: Text, high: float, fault: float, margin: float) -> Gauge:
    return Gauge(name, None, Text("—", "—"), 0, high, fault, margin, "none")


_SIZE = _scale(Text("Cỡ ô mã", "Module size"), 8, NEEDED_MODULE_PX, COMFORTABLE_MODULE_PX)
_DEFOCUS = _scale(Text("Mất nét", "Defocus"), 1, UNREADABLE_BLUR_MODULES, ALLOWED_BLUR_MODULES)
_MOTION = _scale(
    Text("Nhòe chuyển động", "Motion blur"), 3, ALLOWED_MOTION_MODULES, COMFORTABLE_MOTION_MODULES
)
_CONTRAST = _scale(Text("Tương phản", "Contrast"), 255, NEEDED_CONTRAST, COMFORTABLE_CONTRAST)
_BRIGHTNESS = _scale(Text("Độ sáng", "Brightness"), 255, 0, 0)
_BLAMED_AS: tuple[frozenset[AdviceCode], ...] = (
    frozenset({AdviceCode.TOO_FAR}),
    frozenset({AdviceCode.FOCUS}),
    frozenset({AdviceCode.MOTION_BLUR}),
    frozenset({AdviceCode.TOO_DARK, AdviceCode.TOO_BRIGHT, AdviceCode.LOW_CONTRAST}),
    frozenset(),
)
"""What advice blames what each gauge shows, in the page's order."""


def _rounded(quad: Quad) -> Quad:
    a, b, c, d = ((round(x, 1), round(y, 1)) for x, y in quad)
    return (a, b, c, d)
