"""What a technician should change about a camera, said of one look's measurements.

Limits are those within which the decoders were measured to read at least 95 % of synthetic codes
(zxing-cpp on the picture as it is, and the best of its preparations): 1.75 and 1.5 pixels a
module, blur of 0.4 and 0.5 modules, smear of 1.5 and 1.75 modules, contrast of 30 and 14 gray
levels. Half the scale, the cheapest rung, needs 3 pixels a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, StrEnum

import msgspec

from admission.verdict import Text
from scanner.camera.quality import CodeQuality, Quality

NEEDED_MODULE_PX, COMFORTABLE_MODULE_PX = 1.75, 3.0
NEEDED_CONTRAST, COMFORTABLE_CONTRAST = 30.0, 60.0
UNREADABLE_BLUR_MODULES, ALLOWED_BLUR_MODULES = 0.5, 0.4
ALLOWED_MOTION_MODULES, COMFORTABLE_MOTION_MODULES = 1.4, 1.0
NEEDED_CONTRAST_PER_NOISE, COMFORTABLE_CONTRAST_PER_NOISE = 4.0, 8.0
"""Found on drawn codes: at 2 pixels a module reading ends near 7 sigma of noise, at 3 below 4."""
UNREADABLE_GLARE_SHARE, ALLOWED_GLARE_SHARE = 0.15, 0.05
"""Error correction level M restores 15 % of a code's words (ISO/IEC 18004, 7.5.1)."""
EXPOSURE_MS = 7
"""A module of 0.5 mm at 100 mm/s passes 1.5 modules in 7.5 ms."""

_DIM_LIGHT, _PALE_DARK = 90, 140
_DARK_FRAME, _BRIGHT_FRAME, _BURNT_SHARE = 40, 215, 0.4
_SOFT_EDGE_PX = 2.0


class AdviceCode(StrEnum):
    """What is wrong, or that nothing is."""

    FINE = "fine"
    NO_CODE = "no_code"
    TOO_FAR = "too_far"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    LOW_CONTRAST = "low_contrast"
    GLARE = "glare"
    MOTION_BLUR = "motion_blur"
    FOCUS = "focus"
    NOISE = "noise"
    UNREAD = "unread"
    SLOW = "slow"


class Severity(IntEnum):
    """How much it matters; larger is worse."""

    FINE = 0
    NEUTRAL = 1
    """Nothing to judge yet."""
    MARGIN = 2
    """Codes are read, but little more may go wrong."""
    FAULT = 3
    """Codes are not read so."""


class Advice(msgspec.Struct, frozen=True):
    """One sentence for a technician, in both languages."""

    code: AdviceCode
    severity: Severity
    text: Text


def advice_for(quality: Quality, *, late: bool = False) -> list[Advice]:
    """Return what to change, the worst first; exactly FINE if there is nothing to.

    Without a code in view that is said first, and the frame is judged alone.

    :param late: the code was not read in this look, but the slow lane has read it since.
    """
    code = quality.code
    if code is None:
        return [_NO_CODE, *_of_frame(quality)]
    was_read = code.read or late
    found = sorted(_of_code(code, quality.noise, was_read), key=lambda each: -each.severity)
    if was_read:  # all the same: at its limit, not beyond it
        found = [_weighed(each, min(each.severity, Severity.MARGIN)) for each in found]
        return found or [_FINE if code.read else _SLOW]
    if found and found[0].severity < Severity.FAULT:  # it was not: at its limit was beyond it
        found = [_weighed(each, Severity.FAULT) for each in found]
    return found or [_UNREAD]


def _weighed(advice: Advice, severity: Severity) -> Advice:
    return msgspec.structs.replace(advice, severity=severity)


def _of_frame(quality: Quality) -> Iterator[Advice]:
    if quality.mean < _DARK_FRAME:
        yield _advice(AdviceCode.TOO_DARK, Severity.MARGIN, *_TOO_DARK)
    elif quality.mean > _BRIGHT_FRAME or quality.bright_share > _BURNT_SHARE:
        yield _advice(AdviceCode.TOO_BRIGHT, Severity.MARGIN, *_TOO_BRIGHT)
    if quality.edge_px is not None and quality.edge_px > _SOFT_EDGE_PX:
        yield _advice(
            AdviceCode.FOCUS,
            Severity.MARGIN,
            f"Khung hình chưa nét (cạnh nhòe {_vi(quality.edge_px)} px):"
            " chỉnh nét vào chỗ người dân đưa mã",
            f"Nothing in the frame is sharp (edges {quality.edge_px:.1f} px wide):"
            " focus on where people hold their codes",
        )


def _of_code(code: CodeQuality, noise: float, was_read: bool) -> Iterator[Advice]:
    yield from _of_size(code, was_read)
    yield from _of_light(code, was_read)
    for judge in (_of_glare, _of_motion, _of_focus):
        yield from judge(code)
    if code.contrast >= NEEDED_CONTRAST:
        severity = _worse_below(
            code.contrast / max(noise, 0.1),
            NEEDED_CONTRAST_PER_NOISE,
            COMFORTABLE_CONTRAST_PER_NOISE,
        )
        if severity is not Severity.FINE:
            yield _advice(
                AdviceCode.NOISE,
                severity,
                f"Ảnh nhiễu hạt ({_vi(noise)} mức xám): thêm đèn và giảm độ khuếch đại (gain)",
                f"Grainy ({noise:.1f} grey levels of noise): add light and lower the gain",
            )


def _of_size(code: CodeQuality, was_read: bool) -> Iterator[Advice]:
    px = code.module_px
    severity = _worse_below(px, NEEDED_MODULE_PX, COMFORTABLE_MODULE_PX)
    vi = "đưa mã lại gần hoặc chọn khung hình lớn hơn"
    en = "come nearer or choose a larger picture"
    if severity is Severity.FAULT and was_read:
        yield _advice(
            AdviceCode.TOO_FAR,
            severity,
            f"Đọc được nhưng không còn dự phòng: {_vi(px)} px/ô,"
            f" nên có {COMFORTABLE_MODULE_PX:.0f}: {vi}",
            f"Read, but without reserve: {px:.1f} px/module,"
            f" {COMFORTABLE_MODULE_PX:.0f} is comfortable: {en}",
        )
    elif severity is Severity.FAULT:
        yield _advice(
            AdviceCode.TOO_FAR,
            severity,
            f"Quá xa: {_vi(px)} px/ô, cần {_vi(NEEDED_MODULE_PX, 2)}: {vi}",
            f"Too far: {px:.1f} px/module, needs {NEEDED_MODULE_PX}: {en}",
        )
    elif severity is Severity.MARGIN:
        yield _advice(
            AdviceCode.TOO_FAR,
            severity,
            f"Hơi xa: {_vi(px)} px/ô, nên có {COMFORTABLE_MODULE_PX:.0f}: {vi}",
            f"Rather far: {px:.1f} px/module, {COMFORTABLE_MODULE_PX:.0f} is comfortable: {en}",
        )


def _of_light(code: CodeQuality, was_read: bool) -> Iterator[Advice]:
    severity = _worse_below(code.contrast, NEEDED_CONTRAST, COMFORTABLE_CONTRAST)
    if severity is Severity.FINE:
        return
    if code.light < _DIM_LIGHT:
        yield _advice(AdviceCode.TOO_DARK, severity, *_TOO_DARK)
    elif code.dark > _PALE_DARK:
        yield _advice(AdviceCode.TOO_BRIGHT, severity, *_TOO_BRIGHT)
    else:
        beyond = severity is Severity.FAULT and not was_read
        limit = NEEDED_CONTRAST if beyond else COMFORTABLE_CONTRAST
        yield _advice(
            AdviceCode.LOW_CONTRAST,
            severity,
            f"Tương phản thấp: {code.contrast:.0f} mức xám, cần {limit:.0f}:"
            " tăng sáng màn hình hoặc chiếu đèn từ phía trước",
            f"Low contrast: {code.contrast:.0f} grey levels, needs {limit:.0f}:"
            " brighten the screen or light it from the front",
        )


def _of_glare(code: CodeQuality) -> Iterator[Advice]:
    severity = _worse_above(code.glare_share, ALLOWED_GLARE_SHARE, UNREADABLE_GLARE_SHARE)
    if severity is not Severity.FINE:
        percent = round(100 * code.glare_share)
        yield _advice(
            AdviceCode.GLARE,
            severity,
            f"Lóa sáng trên {percent}\u00a0% mã: xoay máy ảnh hoặc che đèn",
            f"Glare on {percent}\u00a0% of the code: turn the camera or shade the lamp",
        )


def _of_motion(code: CodeQuality) -> Iterator[Advice]:
    severity = _worse_above(code.motion_modules, COMFORTABLE_MOTION_MODULES, ALLOWED_MOTION_MODULES)
    if severity is not Severity.FINE and code.module_px >= NEEDED_MODULE_PX:
        yield _advice(
            AdviceCode.MOTION_BLUR,
            severity,
            f"Nhòe do chuyển động ({_vi(code.motion_modules)} ô):"
            f" giảm thời gian phơi sáng xuống ≤ {EXPOSURE_MS} ms",
            f"Motion blur ({code.motion_modules:.1f} modules):"
            f" shorten exposure to ≤ {EXPOSURE_MS} ms",
        )


def _of_focus(code: CodeQuality) -> Iterator[Advice]:
    severity = _worse_above(code.blur_modules, ALLOWED_BLUR_MODULES, UNREADABLE_BLUR_MODULES)
    # Where modules are smaller than two pixels the pixels themselves blur: come nearer first.
    if severity is not Severity.FINE and code.module_px >= NEEDED_MODULE_PX:
        yield _advice(
            AdviceCode.FOCUS,
            severity,
            f"Chưa nét: nhòe {_vi(code.blur_modules, 2)} ô,"
            f" tối đa {_vi(ALLOWED_BLUR_MODULES, 2)}:"
            " chỉnh nét cho khoảng cách đưa mã",
            f"Focus: blurred by {code.blur_modules:.2f} modules,"
            f" {ALLOWED_BLUR_MODULES:.2f} at most:"
            " set it for the distance at which codes are held",
        )


def _worse_below(value: float, fault: float, margin: float) -> Severity:
    if value < fault:
        return Severity.FAULT
    return Severity.MARGIN if value < margin else Severity.FINE


def _worse_above(value: float, margin: float, fault: float) -> Severity:
    if value > fault:
        return Severity.FAULT
    return Severity.MARGIN if value > margin else Severity.FINE


def _vi(number: float, digits: int = 1) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def _advice(code: AdviceCode, severity: Severity, vi: str, en: str) -> Advice:
    return Advice(code, severity, Text(vi, en))


_TOO_DARK = (
    "Quá tối: tăng thời gian phơi sáng hoặc thêm đèn",
    "Too dark: lengthen exposure or add light",
)
_TOO_BRIGHT = (
    "Quá sáng: giảm thời gian phơi sáng hoặc độ khuếch đại (gain)",
    "Too bright: shorten exposure or lower the gain",
)
_FINE = _advice(
    AdviceCode.FINE,
    Severity.FINE,
    "Tốt: mã đủ nét, đủ lớn, đủ sáng",
    "Fine: the code is sharp, large and well lit",
)
_NO_CODE = _advice(
    AdviceCode.NO_CODE,
    Severity.NEUTRAL,
    "Chưa thấy mã: đưa một mã vào chỗ người dân sẽ đưa mã",
    "No code in view: hold one up where people will hold theirs",
)
_UNREAD = _advice(
    AdviceCode.UNREAD,
    Severity.FAULT,
    "Thấy mã nhưng không đọc được: giữ phẳng và yên; mã có thể đã hỏng",
    "A code is seen but not read: hold it flat and still; it may be damaged",
)
_SLOW = _advice(
    AdviceCode.SLOW,
    Severity.MARGIN,
    "Đọc được nhưng chậm: giữ phẳng và yên; mã có thể đã hỏng",
    "Read, but slowly: hold it flat and still; it may be damaged",
)
