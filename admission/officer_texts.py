"""What an officer reads at the desk: reasons, topics and alerts, in both languages.

The officer alone sees these, never the queue; they still say no more than what has to be done.
"""

from __future__ import annotations

from admission.credential import Doubt
from admission.officer import CorrectionTopic, OverrideReason
from admission.verdict import Alert, Text

_OVERRIDES = {
    OverrideReason.DOCUMENT_CHECKED: Text("Đã kiểm tra giấy tờ", "Document checked"),
    OverrideReason.EMERGENCY: Text("Cấp cứu, khẩn cấp", "Emergency"),
    OverrideReason.ESSENTIAL_SERVICE: Text("Dịch vụ thiết yếu", "Essential service"),
    OverrideReason.ESCORTED: Text("Có người đi cùng", "Escorted"),
    OverrideReason.DATA_ERROR: Text("Dữ liệu sai", "Data is wrong"),
    OverrideReason.GATE_ERROR: Text("Chốt bị lỗi", "Gate made an error"),
    OverrideReason.WRONG_PERSON: Text("Mã của người khác", "Somebody else's code"),
    OverrideReason.FALSE_DOCUMENT: Text("Giấy tờ giả", "False document"),
    OverrideReason.SAFETY: Text("Vì an toàn", "Safety"),
    OverrideReason.OTHER_ORDERED: Text("Theo lệnh cấp trên", "Ordered by a superior"),
}

_TOPICS = {
    CorrectionTopic.DOSE_MISSING: Text("Thiếu mũi tiêm", "Dose missing"),
    CorrectionTopic.DOSE_WRONG: Text("Sai mũi tiêm", "Dose wrong"),
    CorrectionTopic.RECOVERY_MISSING: Text("Thiếu xác nhận khỏi bệnh", "Recovery missing"),
    CorrectionTopic.TEST_MISSING: Text("Thiếu kết quả xét nghiệm", "Test missing"),
    CorrectionTopic.DECLARATION_MISSING: Text("Thiếu khai báo y tế", "Declaration missing"),
    CorrectionTopic.ISOLATION_OVER: Text("Đã hết cách ly", "Isolation is over"),
    CorrectionTopic.NAME_WRONG: Text("Sai họ tên", "Name wrong"),
    CorrectionTopic.BIRTH_DATE_WRONG: Text("Sai ngày sinh", "Birth date wrong"),
    CorrectionTopic.PERMIT_MISSING: Text("Thiếu giấy đi đường", "Permit missing"),
    CorrectionTopic.ROSTER_MISSING: Text("Thiếu trong danh sách", "Not on the list"),
}

_ALERTS = {
    Alert.ISOLATION: Text("Người đang phải cách ly", "Person due in isolation"),
    Alert.WATCHED: Text("Người đang được tìm", "Person on the watch list"),
    Alert.FORGERY: Text("Mã giả: chữ ký sai", "Forged code: false signature"),
    Alert.GUESSING: Text("Có người dò số", "Somebody is guessing numbers"),
    Alert.REPLAY: Text("Mã dùng một lần bị dùng lại", "Single-use code shown again"),
    Alert.FORCED: Text("Có người qua khi chưa được phép", "Somebody went through unadmitted"),
    Alert.TAILGATED: Text("Có người đi bám theo sau", "Somebody followed through behind"),
    Alert.TAMPER: Text("Vỏ thiết bị bị mở", "The gate's housing is open"),
    Alert.FIRE: Text("Báo cháy", "Fire alarm"),
    Alert.STOP: Text("Nút dừng khẩn cấp đã nhấn", "Emergency stop is pressed"),
}

_DOUBTS = {
    Doubt.BIRTH_YEAR_DIFFERS: Text("Năm sinh không khớp số", "Birth year unlike the number"),
    Doubt.SEX_DIFFERS: Text("Giới tính không khớp số", "Sex unlike the number"),
    Doubt.PROVINCE_UNKNOWN: Text("Mã tỉnh không có thật", "No such province code"),
    Doubt.NUMBER_NOT_UNIQUE: Text("Số có thể bị trùng", "Number may be shared"),
    Doubt.ISSUED_BEFORE_BIRTH: Text("Ngày cấp trước ngày sinh", "Issued before birth"),
}


def override_text(reason: OverrideReason) -> Text:
    """Return the words of a reason, short enough for a button."""
    return _OVERRIDES[reason]


def topic_text(topic: CorrectionTopic) -> Text:
    """Return the words of a topic, short enough for a button."""
    return _TOPICS[topic]


def alert_text(alert: Alert) -> Text:
    """Return what the officer is told of an alert."""
    return _ALERTS[alert]


def doubt_text(doubt: Doubt) -> Text:
    """Return what does not fit inside the code: look twice."""
    return _DOUBTS[doubt]
