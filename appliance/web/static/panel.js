// One lane's panel: waiting, a verdict for its time, out of order, or lost.

const TEXTS = {
  waiting: {
    word: { vi: "Mời đưa mã vào khung", en: "Please show your code" },
    reason: { vi: "Giữ yên mã cách khung khoảng 15 cm", en: "Hold it still, about 15 cm away" },
  },
  leaving: {
    word: { vi: "Mời đưa mã để ra", en: "Please show your code to leave" },
    reason: { vi: "Giữ yên mã cách khung khoảng 15 cm", en: "Hold it still, about 15 cm away" },
  },
  out_of_order: {
    // The word comes from the appliance.
    reason: { vi: "Làn này đang tạm ngưng phục vụ.", en: "This lane is not in service." },
    next: { vi: "Mời sang làn khác hoặc gặp cán bộ.", en: "Please use another lane or see the officer." },
  },
  lost: {
    word: { vi: "MẤT KẾT NỐI", en: "NO CONNECTION" },
    reason: { vi: "Màn hình mất kết nối với máy kiểm soát.", en: "This screen has lost the gate computer." },
    next: { vi: "Mời gặp cán bộ.", en: "Please see the officer." },
  },
};

export class Panel {
  #base = "waiting";
  #verdict = null;
  #timer = 0;

  constructor(lane, template) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.lane = lane;
    this.element.querySelector(".lane").textContent = lane;
    this.lost();
    new ResizeObserver(() => this.#fit()).observe(this.element);
  }

  /** Show a verdict, then wait again; `leftMs` is what is left of its time. */
  showVerdict(verdict, leftMs) {
    clearTimeout(this.#timer);
    this.#verdict = verdict;
    this.#render(verdict.outcome, {
      word: verdict.word,
      holder: verdict.holder,
      reason: verdict.reason,
      next: verdict.next_step,
      condition: verdict.condition,
    });
    this.element.style.setProperty("--time-left", `${leftMs}ms`);
    this.#timer = setTimeout(() => this.#rest(), leftMs);
  }

  /** Take the lane's state; true if the lane has just gone out of order. */
  showLaneState(state, word) {
    TEXTS.out_of_order.word = word;
    const base = state === "out_of_order" ? "out_of_order" : "waiting";
    const went = base === "out_of_order" && this.#base !== base;
    this.#base = base;
    // Nobody is waved through a gate that no longer obeys; a refusal may be read to its end.
    if (this.#verdict === null || (base === "out_of_order" && this.#verdict.outcome === "admit")) this.#rest();
    return went;
  }

  lost() {
    this.stop();
    this.#base = "waiting";
    this.#render("lost", TEXTS.lost);
  }

  /** Say which way people pass here. */
  setLeaving(leaving) {
    const direction = leaving ? "out" : "in";
    if (this.element.dataset.direction === direction) return;
    this.element.dataset.direction = direction;
    if (this.element.dataset.state === "waiting") this.#rest();
  }

  found() {
    if (this.element.dataset.state === "lost") this.#rest();
  }

  /** The appliance has no such lane: a mistake in this page's address, so say it to a technician. */
  unknown(known) {
    const lane = this.element.dataset.lane;
    const names = known.join(", ");
    this.#render("lost", {
      word: { vi: "KHÔNG CÓ LÀN", en: "NO SUCH LANE" },
      reason: { vi: `Không có làn “${lane}”.`, en: `There is no lane “${lane}”.` },
      next: { vi: `Các làn: ${names}`, en: `Lanes: ${names}` },
    });
  }

  stop() {
    clearTimeout(this.#timer);
    this.#verdict = null;
  }

  #rest() {
    this.stop();
    const leaving = this.#base === "waiting" && this.element.dataset.direction === "out";
    this.#render(this.#base, TEXTS[leaving ? "leaving" : this.#base]);
  }

  #render(state, { word, holder = "", reason = null, next = null, condition = null }) {
    const panel = this.element;
    this.#fill(".word", word);
    panel.querySelector(".holder").textContent = holder;
    this.#fill(".reason", reason);
    this.#fill(".next", next);
    this.#fill(".condition", condition);
    panel.dataset.state = state;
    this.#fit();
    // Two equal verdicts in a row must be seen as two: start the entrance over.
    panel.classList.remove("entering");
    void panel.offsetWidth;
    panel.classList.add("entering");
  }

  // Sentences differ in length: letters shrink in steps until the longest one is all there.
  #fit() {
    const face = this.element.querySelector(".face");
    const text = this.element.querySelector(".text");
    for (let scale = 1; scale > 0.4; scale -= 0.05) {
      face.style.setProperty("--fit", scale.toFixed(2));
      const floor = face.clientHeight - parseFloat(getComputedStyle(face).paddingBottom);
      if (text.offsetTop + text.offsetHeight <= floor + 1) return;
    }
  }

  #fill(selector, text) {
    const place = this.element.querySelector(selector);
    place.hidden = text === null;
    place.querySelector("[lang=vi]").textContent = text?.vi ?? "";
    place.querySelector("[lang=en]").textContent = text?.en ?? "";
  }
}
