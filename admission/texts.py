"""What people at the gate read: a sentence and a next step per reason, a word per light.

Vietnamese first, English beside it. The screen can be read by the queue, so nothing here tells
anything about a person's health, and `see_officer` says no more than its name.
"""

from __future__ import annotations

from admission.site import Direction
from admission.verdict import LaneState, Outcome, Reason, Text

_SENTENCES = {
    Reason.CARD_OPENS: Text("Thẻ của quý khách hợp lệ.", "Your card is valid here."),
    Reason.CARD_DOES_NOT_OPEN: Text(
        "Thẻ của quý khách chưa áp dụng cho địa điểm này.",
        "Your card does not cover this place.",
    ),
    Reason.NO_CARD: Text(
        "Chưa đủ điều kiện vào địa điểm này.",
        "The conditions for this place are not met.",
    ),
    Reason.NO_RECORD: Text(
        "Chưa tìm thấy dữ liệu của quý khách.", "We could not find your record."
    ),
    Reason.UNRECOGNISED: Text("Không nhận dạng được mã này.", "This code was not recognised."),
    Reason.REVOKED: Text("Mã này không còn hiệu lực.", "This code is no longer valid."),
    Reason.IDENTITY_MISMATCH: Text(
        "Thông tin trong mã không khớp với dữ liệu.",
        "The details in this code do not match the record.",
    ),
    Reason.SEE_OFFICER: Text("Mời quý khách gặp cán bộ.", "Please see the officer."),
    Reason.STALE_REPLICA: Text(
        "Dữ liệu tại chốt chưa được cập nhật.", "The data at this gate is out of date."
    ),
    Reason.NO_REPLICA: Text("Chốt chưa nhận được dữ liệu.", "This gate has no data yet."),
    Reason.CANNOT_DECIDE: Text(
        "Chốt chưa đọc được dữ liệu của mã này.", "This gate cannot read the data for this code."
    ),
    Reason.CLOCK_UNTRUSTED: Text(
        "Đồng hồ của chốt chưa được xác nhận.", "This gate's clock is not confirmed."
    ),
    Reason.PASS_OPENS: Text("Giấy vào cổng hợp lệ.", "Your pass is valid here."),
    Reason.ESSENTIAL_NEED: Text(
        "Được vào vì nhu cầu thiết yếu.", "Essential needs are served here."
    ),
    Reason.CHECKED_OUT: Text("Đã ghi nhận lượt ra.", "You are checked out."),
    Reason.OVERRIDDEN: Text("Cán bộ đã quyết định.", "The officer has decided."),
    Reason.OFFICER_IDENTIFIED: Text("Đã nhận thẻ cán bộ.", "Officer's badge accepted."),
    Reason.SIGNATURE_INVALID: Text(
        "Chữ ký của mã này không đúng.", "The signature of this code does not hold."
    ),
    Reason.WRONG_KEY_USE: Text(
        "Mã này được ký bằng khóa không được phép.",
        "This code was signed with a key that may not sign it.",
    ),
    Reason.ISSUER_UNKNOWN: Text(
        "Chốt chưa biết nơi cấp mã này.", "This gate does not know who issued this code."
    ),
    Reason.EXPIRED: Text("Mã này đã hết hạn.", "This code has expired."),
    Reason.NOT_YET_VALID: Text("Mã này chưa có hiệu lực.", "This code is not valid yet."),
    Reason.CODE_EXPIRED: Text(
        "Mã trên màn hình đã quá thời gian.", "The code on your screen is too old."
    ),
    Reason.CODE_USED: Text("Mã này vừa được sử dụng.", "This code has just been used."),
    Reason.CERTIFICATE_NOT_ACCEPTED: Text(
        "Chứng nhận này chưa được chấp nhận tại đây.",
        "This certificate is not accepted here.",
    ),
    Reason.DECLARATION_NEEDED: Text("Cần có tờ khai mới.", "A new declaration is needed."),
    Reason.TEST_NEEDED: Text("Cần bổ sung giấy tờ còn hạn.", "A current document is missing."),
    Reason.PERMIT_NEEDED: Text("Cần có giấy đi đường.", "A movement permit is needed here."),
    Reason.PERMIT_EXPIRED: Text("Giấy đi đường đã hết hạn.", "Your movement permit has expired."),
    Reason.PERMIT_REVOKED: Text(
        "Giấy đi đường đã bị thu hồi.", "Your movement permit was withdrawn."
    ),
    Reason.PERMIT_ELSEWHERE: Text(
        "Giấy đi đường không áp dụng tại đây.", "Your movement permit is for another area."
    ),
    Reason.PERMIT_HOURS: Text(
        "Giấy đi đường không áp dụng vào giờ này.",
        "Your movement permit does not count at this hour.",
    ),
    Reason.NOT_ON_ROSTER: Text(
        "Quý khách chưa có trong danh sách của đơn vị.",
        "You are not on this site's approved list.",
    ),
    Reason.OUTSIDE_SHIFT: Text("Hiện không phải ca của quý khách.", "Your shift is not now."),
    Reason.HEADCOUNT_REACHED: Text(
        "Đã đủ số người được duyệt.", "The approved number of workers is inside."
    ),
    Reason.OUTSIDE_HOURS: Text("Hiện ngoài giờ mở cửa.", "This place is closed at this hour."),
    Reason.PASS_ELSEWHERE: Text(
        "Giấy vào cổng dành cho nơi khác.", "Your pass is for another place."
    ),
    Reason.PASS_HOURS: Text(
        "Giấy vào cổng không áp dụng vào giờ này.", "Your pass does not count at this hour."
    ),
    Reason.ZONE_FULL: Text("Bên trong đã đủ người.", "It is full inside."),
    Reason.ANTI_PASSBACK: Text("Mã này vừa đi qua.", "This code has just passed."),
    Reason.TOO_MANY_ATTEMPTS: Text(
        "Đã nhập sai quá nhiều lần.", "Too many wrong numbers were typed."
    ),
    Reason.NO_RULE: Text(
        "Chốt chưa có quy định cho chỉ thị đang áp dụng.",
        "This gate has no rules for the directive in force.",
    ),
    Reason.JOURNAL_UNAVAILABLE: Text(
        "Chốt chưa ghi nhận được lượt này.", "This gate could not record this scan."
    ),
    Reason.FAULT: Text("Thiết bị gặp sự cố.", "This gate has a fault."),
    Reason.GATE_STOPPED: Text("Cổng đang dừng khẩn cấp.", "This gate's emergency stop is pressed."),
    Reason.GATE_NOT_READY: Text("Cổng chưa sẵn sàng.", "This gate is not ready."),
    Reason.GATE_BUSY: Text(
        "Còn người chưa đi qua cổng.", "People before you have not gone through yet."
    ),
    Reason.GATE_ALARM: Text("Cổng đang báo động.", "This gate's alarm is on."),
}

_OFFICER_CHECKS = Text(
    "Mời quý khách gặp cán bộ để được kiểm tra trực tiếp.",
    "Please see the officer, who will check in person.",
)
_OFFICER_OR_OTHER_LANE = Text(
    "Mời quý khách gặp cán bộ hoặc sang làn khác.",
    "Please see the officer or use another lane.",
)

_NEW_CODE = Text(
    "Mời quý khách lấy mã mới từ nơi cấp hoặc gặp cán bộ.",
    "Please get a new code from its issuer or see the officer.",
)

_NEXT_STEPS = {
    Reason.CARD_OPENS: Text("Mời quý khách đi qua.", "Please go through."),
    Reason.CARD_DOES_NOT_OPEN: Text(
        "Mời quý khách gặp cán bộ để biết những nơi thẻ được áp dụng.",
        "Please ask the officer which places your card covers.",
    ),
    Reason.NO_CARD: Text(
        "Mời quý khách gặp cán bộ nếu có việc thiết yếu hoặc cần bổ sung dữ liệu.",
        "Please see the officer if your need is essential or your data is incomplete.",
    ),
    Reason.NO_RECORD: Text(
        "Mời quý khách gặp cán bộ để được bổ sung dữ liệu.",
        "Please see the officer to have your data completed.",
    ),
    Reason.UNRECOGNISED: Text(
        "Mời quý khách đưa mã QR cá nhân, thẻ căn cước hoặc nhập mã 11 số.",
        "Please show your personal QR or citizen card, or type your 11-digit code.",
    ),
    Reason.REVOKED: Text(
        "Mời quý khách dùng mã mới nhất hoặc gặp cán bộ.",
        "Please use your newest code or see the officer.",
    ),
    Reason.SEE_OFFICER: Text(
        "Cán bộ sẽ hướng dẫn quý khách.", "The officer will help you from here."
    ),
    Reason.IDENTITY_MISMATCH: Text(
        "Mời quý khách đưa giấy tờ cho cán bộ kiểm tra.",
        "Please show your document to the officer.",
    ),
    Reason.PASS_OPENS: Text("Mời quý khách đi qua.", "Please go through."),
    Reason.ESSENTIAL_NEED: Text("Mời quý khách đi qua.", "Please go through."),
    Reason.CHECKED_OUT: Text("Cảm ơn, hẹn gặp lại quý khách.", "Thank you, and goodbye."),
    Reason.OVERRIDDEN: Text(
        "Mời quý khách làm theo hướng dẫn của cán bộ.", "Please follow the officer."
    ),
    Reason.OFFICER_IDENTIFIED: Text(
        "Bàn làm việc của cán bộ đã mở.", "The officer's desk is open."
    ),
    Reason.SIGNATURE_INVALID: _NEW_CODE,
    Reason.WRONG_KEY_USE: _NEW_CODE,
    Reason.ISSUER_UNKNOWN: _OFFICER_CHECKS,
    Reason.EXPIRED: _NEW_CODE,
    Reason.NOT_YET_VALID: Text(
        "Mời quý khách quay lại khi mã có hiệu lực hoặc gặp cán bộ.",
        "Please come back when it is valid or see the officer.",
    ),
    Reason.CODE_EXPIRED: Text(
        "Mời quý khách mở lại ứng dụng và đưa mã đang hiển thị.",
        "Please open the app again and show the code on its screen.",
    ),
    Reason.CODE_USED: Text(
        "Mời quý khách chờ mã mới trong ứng dụng.", "Please wait for the next code in the app."
    ),
    Reason.CERTIFICATE_NOT_ACCEPTED: Text(
        "Mời quý khách gặp cán bộ để biết chứng nhận nào được chấp nhận.",
        "Please ask the officer which certificates are accepted.",
    ),
    Reason.DECLARATION_NEEDED: Text(
        "Mời quý khách khai báo bằng mã tại cổng rồi đưa lại mã này.",
        "Please fill it in with the code at the entrance, then show this code again.",
    ),
    Reason.TEST_NEEDED: _OFFICER_CHECKS,
    Reason.PERMIT_NEEDED: Text(
        "Mời quý khách xin giấy đi đường tại phường hoặc nơi làm việc.",
        "Please ask your ward or your employer for a permit.",
    ),
    Reason.PERMIT_EXPIRED: Text(
        "Mời quý khách gia hạn tại phường hoặc nơi làm việc.",
        "Please have it renewed by your ward or your employer.",
    ),
    Reason.PERMIT_REVOKED: Text(
        "Mời quý khách liên hệ nơi cấp giấy.", "Please ask the office that issued it."
    ),
    Reason.PERMIT_ELSEWHERE: Text(
        "Mời quý khách quay về khu vực ghi trên giấy.",
        "Please go back to the area that your permit names.",
    ),
    Reason.PERMIT_HOURS: Text(
        "Mời quý khách quay lại vào giờ ghi trên giấy.",
        "Please come back at the hours that your permit names.",
    ),
    Reason.NOT_ON_ROSTER: Text(
        "Mời quý khách liên hệ bộ phận nhân sự.", "Please ask your employer to add you."
    ),
    Reason.OUTSIDE_SHIFT: Text(
        "Mời quý khách quay lại vào giờ ca của mình.", "Please come back for your shift."
    ),
    Reason.HEADCOUNT_REACHED: Text(
        "Mời quý khách chờ có người ra hoặc hỏi người phụ trách.",
        "Please wait until somebody leaves or ask your supervisor.",
    ),
    Reason.OUTSIDE_HOURS: Text(
        "Mời quý khách quay lại trong giờ mở cửa.", "Please come back in opening hours."
    ),
    Reason.PASS_ELSEWHERE: Text(
        "Mời quý khách đến đúng nơi ghi trên giấy.", "Please go to the place that your pass names."
    ),
    Reason.PASS_HOURS: Text(
        "Mời quý khách quay lại vào giờ ghi trên giấy.",
        "Please come back at the hours that your pass names.",
    ),
    Reason.ZONE_FULL: Text("Mời quý khách chờ có người ra.", "Please wait until somebody leaves."),
    Reason.ANTI_PASSBACK: Text(
        "Mời quý khách gặp cán bộ nếu cần đi qua lần nữa.",
        "Please see the officer if you need to pass again.",
    ),
    Reason.TOO_MANY_ATTEMPTS: Text(
        "Mời quý khách chờ một lát, đưa mã QR hoặc gặp cán bộ.",
        "Please wait a moment, show a QR code or see the officer.",
    ),
    Reason.STALE_REPLICA: _OFFICER_CHECKS,
    Reason.NO_REPLICA: _OFFICER_CHECKS,
    Reason.CANNOT_DECIDE: _OFFICER_CHECKS,
    Reason.CLOCK_UNTRUSTED: _OFFICER_CHECKS,
    Reason.NO_RULE: _OFFICER_CHECKS,
    Reason.JOURNAL_UNAVAILABLE: _OFFICER_OR_OTHER_LANE,
    Reason.FAULT: _OFFICER_OR_OTHER_LANE,
    Reason.GATE_STOPPED: _OFFICER_OR_OTHER_LANE,
    Reason.GATE_NOT_READY: _OFFICER_OR_OTHER_LANE,
    Reason.GATE_BUSY: Text(
        "Mời quý khách chờ một lát rồi đưa lại mã này.",
        "Please wait a moment, then show this code again.",
    ),
    Reason.GATE_ALARM: Text(
        "Mời quý khách chờ, cán bộ đang đến.", "Please wait, an officer is coming."
    ),
}

_OUTCOME_WORDS = {
    Outcome.ADMIT: Text("MỜI QUA", "GO"),
    Outcome.REFER: Text("CHỜ", "PLEASE WAIT"),
    Outcome.REFUSE: Text("DỪNG", "STOP"),
}

_LEAVING = Text("Mời đưa mã để ra", "Please show your code to leave")

_LANE_WORDS = {
    LaneState.OPEN: Text("Mời đưa mã vào khung", "Please show your code"),
    LaneState.OUT_OF_ORDER: Text("TẠM NGƯNG", "OUT OF ORDER"),
}


def sentence(reason: Reason) -> Text:
    """Return what is the matter, as one sentence."""
    return _SENTENCES[reason]


def next_step(reason: Reason) -> Text:
    """Return what the person can do now, as one sentence."""
    return _NEXT_STEPS[reason]


def outcome_word(outcome: Outcome) -> Text:
    """Return the word beside the light: colour is never alone."""
    return _OUTCOME_WORDS[outcome]


def lane_word(state: LaneState, direction: Direction = Direction.IN) -> Text:
    """Return the word of a lane between two people, or out of order."""
    leaving = state is LaneState.OPEN and direction is Direction.OUT
    return _LEAVING if leaving else _LANE_WORDS[state]


def must_leave_first(count: int) -> Text:
    """Return the next step before a full place: how many must leave before this one may enter."""
    people = "1 person" if count == 1 else f"{count} people"
    return Text(f"Xin chờ {count} người ra.", f"{people} must leave first. Please wait.")
