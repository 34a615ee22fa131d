"""What is printed on passes and said of them, Vietnamese first."""

from __future__ import annotations

from datetime import datetime

from admission.credential import PassKind
from admission.hours import EVERY_DAY, Hours
from admission.site import Place
from admission.verdict import Text
from hub.passes.application import VIETNAM

KINDS = {
    PassKind.CARD: Text("Thẻ cá nhân", "Personal card"),
    PassKind.PERMIT: Text("Giấy đi đường", "Movement permit"),
    PassKind.VISITOR: Text("Thẻ khách", "Visitor's pass"),
    PassKind.OFFICER: Text("Thẻ cán bộ", "Officer's badge"),
}
PLACES = {
    Place.CONTROL_STATION: Text("chốt kiểm soát", "control station"),
    Place.SUPERMARKET: Text("siêu thị", "supermarket"),
    Place.CONVENIENCE_STORE: Text("cửa hàng tiện lợi", "convenience store"),
    Place.FOOD_OUTLET: Text("hàng ăn uống", "food outlet"),
    Place.HOSPITAL: Text("bệnh viện", "hospital"),
    Place.CLINIC: Text("phòng khám", "clinic"),
    Place.SCHOOL: Text("trường học", "school"),
    Place.OFFICE: Text("văn phòng", "office"),
    Place.FACTORY: Text("nhà máy", "factory"),
    Place.OUTDOOR_PUBLIC_PLACE: Text("nơi công cộng ngoài trời", "outdoor public place"),
    Place.TRANSPORT: Text("phương tiện giao thông", "transport"),
}
NO_NAME = Text("Không ghi tên", "No name given")
FROM = Text("Từ", "From")
UNTIL = Text("Đến", "Until")
NUMBER = Text("Số", "No.")
CHECK_IN = Text("Quét mã để khai báo tại đây", "Scan this code to check in here")

_DAYS = (
    *(Text("T2", "Mon"), Text("T3", "Tue"), Text("T4", "Wed"), Text("T5", "Thu")),
    *(Text("T6", "Fri"), Text("T7", "Sat"), Text("CN", "Sun")),
)
_EVERY_DAY = Text("mỗi ngày", "every day")


def both(text: Text) -> str:
    """Return the text in both languages on one line."""
    return f"{text.vi} / {text.en}"


def moment(seconds: int) -> str:
    """Return a moment (seconds since the Unix epoch) as clocks and calendars in Vietnam show it.

    >>> moment(1_631_318_400)
    '07:00 11/09/2021'
    """
    return datetime.fromtimestamp(seconds, VIETNAM).strftime("%H:%M %d/%m/%Y")


def number(pass_number: bytes) -> str:
    """Return a pass number as it is printed: hex digits in groups of four.

    >>> number(bytes.fromhex("0123456789abcdef"))
    '0123 4567 89AB CDEF'
    """
    return pass_number.hex(" ", 2).upper()


def hours(some: Hours) -> Text:
    """Return the hours with their days of the week.

    >>> hours(Hours(300, 1260, 0b0011111)).en
    '05:00-21:00 Mon Tue Wed Thu Fri'
    """
    when = span(some)
    if some.weekdays == EVERY_DAY:
        return Text(f"{when} {_EVERY_DAY.vi}", f"{when} {_EVERY_DAY.en}")
    named = [day for bit, day in enumerate(_DAYS) if some.weekdays >> bit & 1]
    return Text(
        f"{when} {' '.join(day.vi for day in named)}",
        f"{when} {' '.join(day.en for day in named)}",
    )


def span(some: Hours) -> str:
    """Return the hours without their days."""
    return f"{_clock(some.from_min)}-{_clock(some.until_min)}"


def days(weekdays: int) -> Text:
    """Return days of the week, bits with Monday lowest, as short as they can be said.

    >>> days(0b1011111).vi
    'T2-T6, CN'
    """
    if weekdays == EVERY_DAY:
        return _EVERY_DAY
    runs: list[list[Text]] = []
    for bit, day in enumerate(_DAYS):
        if not weekdays >> bit & 1:
            continue
        if runs and weekdays >> (bit - 1) & 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return Text(
        ", ".join(_run([day.vi for day in run]) for run in runs),
        ", ".join(_run([day.en for day in run]) for run in runs),
    )


def _run(names: list[str]) -> str:
    return f"{names[0]}-{names[-1]}" if len(names) > 2 else ", ".join(names)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
