"""Why the desk does not do what it is asked, in words for the officer."""

from __future__ import annotations

from enum import StrEnum

from admission.verdict import Text
from appliance.errors import ApplianceError


class Refusal(StrEnum):
    """What stands against it. Values are sent to the page."""

    FOREIGN = "foreign"
    """The request does not come from the desk's own page."""
    MALFORMED = "malformed"
    NOT_SIGNED_IN = "not_signed_in"
    LANE_UNKNOWN = "lane_unknown"
    LANE_TAKEN = "lane_taken"
    """Another page waits for a badge at this lane."""
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    VERDICT_GONE = "verdict_gone"
    """Not among the verdicts that the desk still holds, or not in the journal."""
    TOO_LATE = "too_late"
    DECIDED_ALREADY = "decided_already"
    NOTHING_TO_DECIDE = "nothing_to_decide"
    """The gate said so already, or this is no verdict that an officer may change."""
    NOBODY_NAMED = "nobody_named"
    ASKED_ALREADY = "asked_already"
    MORE_ON_LIST = "more_on_list"
    """More people of the site's list than people."""
    NOT_JOURNALED = "not_journaled"
    """The act could not be made durable: the gate did not move."""


_TEXTS = {
    Refusal.FOREIGN: Text(
        "Yêu cầu không đến từ trang này. Hãy tải lại trang.",
        "The request is not from this page. Load the page again.",
    ),
    Refusal.MALFORMED: Text("Yêu cầu không hợp lệ.", "The request is malformed."),
    Refusal.NOT_SIGNED_IN: Text(
        "Phiên đã kết thúc. Hãy quét thẻ lại.", "The session is over. Show your badge again."
    ),
    Refusal.LANE_UNKNOWN: Text("Không có làn này.", "There is no such lane."),
    Refusal.LANE_TAKEN: Text(
        "Người khác đang đăng nhập tại làn này. Khoan quét thẻ.",
        "Somebody else is signing in at this lane. Do not show your badge yet.",
    ),
    Refusal.TOO_MANY_ATTEMPTS: Text(
        "Quá nhiều lần thử tại làn này. Chờ một phút.",
        "Too many attempts at this lane. Wait a minute.",
    ),
    Refusal.VERDICT_GONE: Text("Lượt này không còn ở đây.", "This verdict is no longer here."),
    Refusal.TOO_LATE: Text(
        "Đã quá thời gian. Mời người đó quét mã lại.",
        "Too late. Ask the person to show the code again.",
    ),
    Refusal.DECIDED_ALREADY: Text(
        "Lượt này đã có cán bộ quyết định.", "An officer has decided this already."
    ),
    Refusal.NOTHING_TO_DECIDE: Text(
        "Chốt đã trả lời như vậy rồi.", "The gate has answered so already."
    ),
    Refusal.NOBODY_NAMED: Text(
        "Mã này không nêu tên ai để sửa dữ liệu.",
        "This code names nobody whose record could be corrected.",
    ),
    Refusal.ASKED_ALREADY: Text(
        "Yêu cầu sửa này đã được gửi.", "This correction has been asked for already."
    ),
    Refusal.MORE_ON_LIST: Text(
        "Số người trong danh sách không được nhiều hơn số người bên trong.",
        "No more on the list than inside.",
    ),
    Refusal.NOT_JOURNALED: Text(
        "Không ghi được nhật ký: cổng không mở. Hãy thử lại.",
        "The journal could not be written: the gate stays shut. Try again.",
    ),
}


class DeskRefusalError(ApplianceError):
    """The desk does not do it; nothing has changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(_TEXTS[refusal].en)
        self.refusal = refusal


def refusal_text(refusal: Refusal) -> Text:
    """Return what the officer is told."""
    return _TEXTS[refusal]
