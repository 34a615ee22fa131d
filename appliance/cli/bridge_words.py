"""What `chot bridge test` says to a technician, in both languages."""

from __future__ import annotations

from typing import Final

from admission.certlogic_words import Language
from admission.gate import Input
from admission.signal import Output, SignalName

WORDS: Final = {
    "begin": (
        "Bo mạch {name}. Xem đèn, nghe còi, trả lời. Enter: phát lại. s: bỏ qua. Ctrl-C: dừng.",
        "Board {name}. Look, listen, answer. Enter shows it again. s skips. Ctrl-C ends it all.",
    ),
    "lamps": (
        "{signal}: đèn nào sáng? x = xanh, v = vàng, d = đỏ, 0 = không đèn nào (ví dụ: vd)",
        "{signal}: which lamps were lit? g = green, a = amber, r = red, 0 = none (such as: ar)",
    ),
    "sound": (
        "{signal}: còi kêu mấy tiếng? Nhập số, 0 = im lặng, n = nhiều quá, đếm không kịp",
        "{signal}: how many beeps were heard? A number, 0 = none, m = too many to count",
    ),
    "clear": (
        "Cổng phía {side}: sắp mở khoá. Cổng đã trống người chưa? c = đã trống, mở đi; k = chưa",
        "Gate, side {side}: it will unlock. Is the gate clear of people? y = clear, unlock; n = no",
    ),
    "unlocked": (
        "Cổng phía {side}: đã mở khoá rồi tự khoá lại? c = có, k = không",
        "Gate, side {side}: did it unlock, and lock again by itself? y = yes, n = no",
    ),
    "act": (
        "{what} (Enter nếu không thấy gì)",
        "{what} (Enter if nothing is seen here)",
    ),
    "not_understood": ("Không hiểu '{answer}'.", "'{answer}' is not one of these answers."),
    "active": ("TÁC ĐỘNG", "ACTIVE"),
    "rest": ("nghỉ", "at rest"),
    "nothing": ("không có gì", "nothing"),
    "many": ("nhiều tiếng", "many beeps"),
    "beep": ("tiếng bíp", "beep"),
    "beeps": ("tiếng bíp", "beeps"),
    "skipped": ("bỏ qua", "skipped"),
    "acknowledged": ("bo mạch đã nhận", "acknowledged"),
    "moved_twice": ("đổi rồi trở lại", "changed and back"),
    "moved": ("chỉ đổi một lần", "changed once"),
    "passed": ("có người qua", "somebody passed"),
    "gate_works": ("mở khoá, rồi khoá lại", "unlocks, then locks"),
    "gate_fails": ("không mở, hoặc không khoá lại", "did not unlock, or did not lock again"),
    "gate_not_clear": ("chưa thử: cổng có người", "not tried: the gate is not clear"),
    "title": ("Bo mạch {name}", "Board {name}"),
    "what": ("thử", "tried"),
    "expected": ("phải là", "should be"),
    "seen": ("đã thấy", "was seen"),
    "link": ("liên lạc", "link"),
    "answers": ("bo mạch trả lời", "the board answers"),
    "configuration": ("cấu hình", "configuration"),
    "as_in_file": ("như trong tệp cấu hình", "as in the configuration file"),
    "other": ("khác: chot bridge configure", "another: chot bridge configure"),
    "lacks": (
        "thiếu ngõ ra mà tệp cấu hình yêu cầu (requires)",
        "lacks an output that the file requires",
    ),
    "undamaged": ("nguyên vẹn", "undamaged"),
    "damaged": ("hỏng: bo mạch không điều khiển gì", "damaged: the board drives nothing"),
    "sound_name": ("còi", "sound"),
    "lamps_name": ("đèn", "lamps"),
    "gate_name": ("cổng {side}", "gate {side}"),
    "all_well": ("Tất cả như mong đợi.", "All was as it should be."),
    "not_well": ("{count} mục chưa đúng.", "{count} not as it should be."),
    "not_ended": ("Chưa thử hết.", "Ended before everything was tried."),
}
SIGNALS: Final = {
    SignalName.ADMIT: ("MỜI QUA", "ADMIT"),
    SignalName.REFER: ("CHỜ", "REFER"),
    SignalName.REFUSE: ("DỪNG", "REFUSE"),
    SignalName.OUT_OF_ORDER: ("TẠM NGƯNG", "OUT OF ORDER"),
    SignalName.ALARM: ("BÁO ĐỘNG", "ALARM"),
    SignalName.TEST: ("THỬ", "TEST"),
}
LAMPS: Final = {
    Output.GREEN: ("xanh", "green"),
    Output.AMBER: ("vàng", "amber"),
    Output.RED: ("đỏ", "red"),
}
INPUTS: Final = {
    Input.BUTTON: ("nút bấm", "button"),
    Input.TAMPER: ("công tắc vỏ hộp", "tamper"),
    Input.PASSAGE_A: ("cảm biến lượt qua A", "passage A"),
    Input.PASSAGE_B: ("cảm biến lượt qua B", "passage B"),
    Input.FIRE: ("báo cháy", "fire"),
    Input.STOP: ("dừng", "stop"),
    Input.READY: ("sẵn sàng", "ready"),
}
ACTS: Final = {
    Input.BUTTON: ("Bấm nút rồi thả.", "Press the button and let it go."),
    Input.TAMPER: ("Mở vỏ hộp rồi đóng lại.", "Open the housing and close it."),
    Input.PASSAGE_A: (
        "Đi qua cổng phía A (hoặc chập dây).",
        "Pass through side A, or bridge its contact.",
    ),
    Input.PASSAGE_B: (
        "Đi qua cổng phía B (hoặc chập dây).",
        "Pass through side B, or bridge its contact.",
    ),
    Input.FIRE: (
        "Kích tiếp điểm báo cháy của cổng (báo trước cho người phụ trách), rồi đưa về như cũ.",
        "Trip the turnstile's fire contact (tell the fire panel's keeper first), and reset it.",
    ),
    Input.STOP: ("Nhấn nút dừng rồi thả.", "Press stop and release it."),
    Input.READY: ("Tắt nguồn của cổng rồi bật lại.", "Switch the turnstile off and on."),
}
YES: Final = {"vi": ("c", "co", "có", "y"), "en": ("y", "yes")}
NO: Final = {"vi": ("k", "khong", "không", "n"), "en": ("n", "no")}
MANY: Final = {"vi": ("n", "nhieu", "nhiều"), "en": ("m", "many")}
LAMP_LETTERS: Final = {
    "vi": {"x": Output.GREEN, "v": Output.AMBER, "d": Output.RED, "đ": Output.RED},
    "en": {"g": Output.GREEN, "a": Output.AMBER, "r": Output.RED},
}


def index_of(language: Language) -> int:
    """Return which of a pair of words is in this language."""
    return 0 if language == "vi" else 1
