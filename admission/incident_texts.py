"""What an officer or a technician reads of an incident, in both languages."""

from __future__ import annotations

from admission.incident import BEHIND, LOST, change_note, unlisted
from admission.passage import Event
from admission.verdict import Text

_CHANGES = {
    (Event.TAMPER, True): Text("Vỏ thiết bị bị mở", "housing opened"),
    (Event.TAMPER, False): Text("Vỏ thiết bị đã đóng", "housing closed"),
    (Event.FIRE, True): Text("Báo cháy bắt đầu", "fire alarm began"),
    (Event.FIRE, False): Text("Báo cháy kết thúc", "fire alarm ended"),
    (Event.STOP, True): Text("Đã nhấn dừng khẩn cấp", "emergency stop pressed"),
    (Event.STOP, False): Text("Đã nhả dừng khẩn cấp", "emergency stop released"),
}
_TEXTS = {
    (event, change_note(event, active=active)): text for (event, active), text in _CHANGES.items()
} | {
    (Event.FORCED, ""): Text("Có người qua khi chưa được phép", "somebody went through unadmitted"),
    (Event.FORCED, BEHIND): Text(
        "Có người bám theo một lượt không rõ", "somebody went through behind an unknown admission"
    ),
}
_UNLISTED = {
    LOST: Text("sự kiện bị mất trên mạch", "events lost on the board"),
    Event.FORCED.value: Text("lượt qua khi chưa được phép", "more went through unadmitted"),
    "tailgated": Text("lượt bám theo sau", "more went through behind others"),
    Event.TAMPER.value: Text("lần mở hoặc đóng vỏ", "more changes of the housing's contact"),
    Event.FIRE.value: Text("lần đổi báo cháy", "more changes of the fire alarm"),
    Event.STOP.value: Text("lần đổi dừng khẩn cấp", "more changes of the emergency stop"),
}


def incident_text(event: Event, note: str) -> Text:
    """Return what happened; of a later version's note the note itself."""
    if event is Event.UNLISTED and (counted := unlisted(note)) is not None:
        what, count = counted
        words = _UNLISTED.get(what, Text(what, what))
        return Text(f"{count} {words.vi}", f"{count} {words.en}")
    return _TEXTS.get((event, note), Text(f"{event.value} {note}", f"{event.value} {note}"))
