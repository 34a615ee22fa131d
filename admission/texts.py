"""What people at the gate read: a sentence and a next step per reason, a word per light.

Vietnamese first, English beside it. The screen can be read by the queue, so nothing here tells
anything about a person's health, and `see_officer` says no more than its name.
"""

from __future__ import annotations

from admission.verdict import LaneState, Outcome, Reason, Text

_SENTENCES = {
    Reason.CARD_OPENS: Text("Thẻ của quý khách hợp lệ.", "Your card is valid here."),
    Reason.CARD_DOES_NOT_OPEN: Text(
        "Thẻ của quý khách chưa áp dụng cho địa điểm này.",
        "Your card does not cover this place.",
    ),
    Reason.NO_CARD: Text(
        "Quý khách chưa có thẻ xanh hoặc thẻ vàng.",
        "You do not have a green or yellow card yet.",
    ),
    Reason.NO_RECORD: Text(
        "Chưa tìm thấy dữ liệu của quý khách.", "We could not find your record."
    ),
    Reason.UNRECOGNISED: Text("Không nhận dạng được mã này.", "This code was not recognised."),
    Reason.REVOKED: Text("Mã này không còn hiệu lực.", "This code is no longer valid."),
    Reason.IDENTITY_MISMATCH: Text(
        "Các số trong mã này không khớp nhau.", "The numbers in this code do not belong together."
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
    Reason.NO_RULE: Text(
        "Chốt chưa có quy định cho chỉ thị đang áp dụng.",
        "This gate has no rules for the directive in force.",
    ),
    Reason.JOURNAL_UNAVAILABLE: Text(
        "Chốt chưa ghi nhận được lượt này.", "This gate could not record this scan."
    ),
    Reason.FAULT: Text("Thiết bị gặp sự cố.", "This gate has a fault."),
}

_OFFICER_CHECKS = Text(
    "Mời quý khách gặp cán bộ để được kiểm tra trực tiếp.",
    "Please see the officer, who will check in person.",
)
_OFFICER_OR_OTHER_LANE = Text(
    "Mời quý khách gặp cán bộ hoặc sang làn khác.",
    "Please see the officer or use another lane.",
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
    Reason.STALE_REPLICA: _OFFICER_CHECKS,
    Reason.NO_REPLICA: _OFFICER_CHECKS,
    Reason.CANNOT_DECIDE: _OFFICER_CHECKS,
    Reason.CLOCK_UNTRUSTED: _OFFICER_CHECKS,
    Reason.NO_RULE: _OFFICER_CHECKS,
    Reason.JOURNAL_UNAVAILABLE: _OFFICER_OR_OTHER_LANE,
    Reason.FAULT: _OFFICER_OR_OTHER_LANE,
}

_OUTCOME_WORDS = {
    Outcome.ADMIT: Text("MỜI QUA", "GO"),
    Outcome.REFER: Text("CHỜ", "PLEASE WAIT"),
    Outcome.REFUSE: Text("DỪNG", "STOP"),
}

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


def lane_word(state: LaneState) -> Text:
    """Return the word of a lane between two people, or out of order."""
    return _LANE_WORDS[state]
