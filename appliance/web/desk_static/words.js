// Texts that belong to the page, and how texts become elements: always as text, never markup.

export const WORDS = {
  admit: { vi: "Cho qua", en: "Let pass" },
  refuse: { vi: "Không cho qua", en: "Turn away" },
  correct: { vi: "Sửa dữ liệu", en: "Correct data" },
  whyAdmit: { vi: "Cho qua: vì sao?", en: "Let pass: why?" },
  whyRefuse: { vi: "Không cho qua: vì sao?", en: "Turn away: why?" },
  whatCorrect: { vi: "Dữ liệu nào sai?", en: "What is wrong?" },
  howMany: { vi: "Bao nhiêu người bên trong?", en: "How many are inside?" },
  people: { vi: "Tất cả", en: "All people" },
  workers: { vi: "Trong danh sách", en: "On the list" },
  most: { vi: "tối đa", en: "at most" },
  moreOnList: {
    vi: "Số người trong danh sách không được nhiều hơn số người bên trong.",
    en: "No more on the list than inside.",
  },
  send: { vi: "Gửi yêu cầu", en: "Send request" },
  set: { vi: "Ghi số người", en: "Set the count" },
  counted: { vi: "Đã ghi số người.", en: "The count is set." },
  cancel: { vi: "Hủy", en: "Cancel" },
  close: { vi: "Đóng", en: "Close" },
  seat: { vi: "Quét thẻ tại làn này", en: "Show badge here" },
  taken: { vi: "Người khác đang đăng nhập", en: "Somebody else is signing in" },
  missed: { vi: "Chưa đọc được thẻ cán bộ. Hãy thử lại.", en: "No officer’s badge was read. Try again." },
  over: { vi: "Phiên đã kết thúc. Hãy quét thẻ lại.", en: "The session is over. Show your badge again." },
  lane: { vi: "Làn", en: "Lane" },
  leaving: { vi: "ra", en: "out" },
  before: { vi: "còn ", en: "" },
  after: { vi: "", en: " left" },
  seen: { vi: "Đã xem", en: "Seen" },
  silent: { vi: "Báo riêng cho cán bộ", en: "For the officer only" },
  admitted: { vi: "Đã cho qua", en: "Let pass" },
  refused: { vi: "Đã không cho qua", en: "Turned away" },
  passed: { vi: "Đã cho qua.", en: "They may pass now." },
  stopped: { vi: "Đã báo dừng.", en: "Stop is shown." },
  asked: { vi: "Đã gửi yêu cầu sửa.", en: "The request is sent." },
  shut: { vi: "Đã ghi, nhưng cổng KHÔNG mở.", en: "Recorded, but the gate did NOT open." },
  dark: { vi: "Đã ghi, nhưng đèn không sáng.", en: "Recorded, but the lamps did not light." },
  entry: { vi: "Mục nhật ký số", en: "Journal entry" },
  officer: { vi: "cán bộ", en: "officer" },
  unwritten: { vi: "Không có trong nhật ký", en: "Not in the journal" },
  failed: { vi: "Không gửi được. Hãy thử lại.", en: "It could not be sent. Try again." },
};

export const $ = (selector, within = document) => within.querySelector(selector);

/** Return an element of this tag, class and children; strings become text. */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Return both languages of a text; the page shows one of them. */
export function both(text) {
  const parts = ["vi", "en"].map((language) => {
    const part = make("span", "", text[language]);
    part.lang = language;
    return part;
  });
  return make("span", "", ...parts);
}

/** Return a button with both languages. */
export function button(className, text, act) {
  const element = make("button", className, both(text));
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** Return milliseconds as minutes and seconds. */
export function clock(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
