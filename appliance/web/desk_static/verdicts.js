// The list of verdicts: the newest on top, each with what an officer may do about it.
// The list holds still while a finger is near it: nobody is let pass by a row that has just moved.

import { $, WORDS, both, button, clock, make } from "./words.js";

const STILL_MS = 1200;

export class Verdicts {
  #list = $(".verdicts");
  #rows = new Map(); // number -> {key, element, verdict, until}
  #waiting = null;
  #touched = -Infinity;
  #act;
  #filter = "officer";

  constructor(act) {
    this.#act = act;
    for (const event of ["pointerdown", "pointermove", "touchmove", "wheel"]) {
      this.#list.addEventListener(event, () => (this.#touched = performance.now()), { passive: true });
    }
    for (const chip of document.querySelectorAll(".filters [data-filter]")) {
      chip.addEventListener("click", () => this.#choose(chip.dataset.filter));
    }
  }

  /** Show these verdicts, once nobody is about to touch one. */
  show(verdicts) {
    this.#waiting = verdicts;
    const isNew = verdicts.some((verdict) => !this.#rows.has(verdict.number));
    if (!isNew || performance.now() - this.#touched > STILL_MS) this.#render();
  }

  clear() {
    this.#waiting = null;
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  /** Bring the times up to date, and show what waited. */
  tick() {
    const now = performance.now();
    if (this.#waiting !== null && now - this.#touched > STILL_MS) this.#render();
    for (const row of this.#rows.values()) {
      const left = row.until - now;
      const place = $(".time-left", row.element);
      if (place) place.textContent = left > 0 ? clock(left) : "";
      if (left <= 0) row.element.classList.add("late");
    }
  }

  #choose(filter) {
    this.#filter = filter;
    for (const chip of document.querySelectorAll(".filters [data-filter]")) {
      chip.setAttribute("aria-pressed", String(chip.dataset.filter === filter));
    }
    document.body.dataset.showing = filter;
    this.#count();
  }

  #render() {
    const verdicts = this.#waiting;
    this.#waiting = null;
    const kept = new Map();
    for (const verdict of verdicts) {
      const key = JSON.stringify({ ...verdict, left_ms: 0 });
      const before = this.#rows.get(verdict.number);
      const element = before?.key === key ? before.element : this.#row(verdict);
      kept.set(verdict.number, { key, element, verdict, until: performance.now() + verdict.left_ms });
    }
    this.#rows = kept;
    const wanted = [...kept.values()].map((row) => row.element);
    const unchanged = wanted.length === this.#list.children.length
      && wanted.every((element, index) => this.#list.children[index] === element);
    if (!unchanged) this.#list.replaceChildren(...wanted);
    this.#count();
    this.tick();
  }

  #count() {
    const all = [...this.#rows.values()].map((row) => row.verdict);
    const officer = all.filter(forOfficer);
    $("[data-filter=officer] b").textContent = String(officer.length);
    $("[data-filter=all] b").textContent = String(all.length);
    $(".nothing").hidden = (this.#filter === "all" ? all : officer).length > 0;
  }

  #row(verdict) {
    const row = make("li", "verdict");
    row.dataset.outcome = verdict.outcome;
    row.dataset.number = String(verdict.number);
    row.dataset.officer = String(forOfficer(verdict));
    if (verdict.alerts.length) row.classList.add("alerted");
    if (verdict.decided) row.classList.add("settled");
    const shape = make("div", "shape");
    const image = make("img");
    image.src = `/static/icons/${verdict.outcome}.svg`;
    image.alt = "";
    shape.append(image, make("b", "", both(verdict.word)));
    row.append(shape, this.#facts(verdict), this.#buttons(verdict));
    return row;
  }

  #facts(verdict) {
    const facts = make("div", "facts");
    const where = make("p", "where", make("time", "", verdict.at), " · ", both(WORDS.lane), ` ${verdict.lane}`);
    if (verdict.leaving) where.append(" · ", both(WORDS.leaving));
    if (verdict.sequence !== null) where.append(make("span", "sequence", `#${verdict.sequence}`));
    facts.append(where);
    if (verdict.holder) {
      const holder = make("p", "holder", verdict.holder);
      holder.translate = false;
      facts.append(holder);
    }
    facts.append(make("p", "reason", both(verdict.reason)));
    for (const alert of verdict.alerts) facts.append(make("p", "alert", both(alert.text)));
    for (const doubt of verdict.doubts) facts.append(make("p", "doubt", both(doubt)));
    for (const topic of verdict.corrections) facts.append(make("p", "asked", both(topic)));
    if (verdict.decided) facts.append(settled(verdict.decided));
    return facts;
  }

  #buttons(verdict) {
    const buttons = make("div", "acts");
    if (verdict.sequence === null) {
      buttons.append(make("p", "unwritten", both(WORDS.unwritten)));
      return buttons;
    }
    for (const outcome of verdict.may) {
      buttons.append(button(`act ${outcome}`, WORDS[outcome], () => this.#act(outcome, verdict)));
    }
    if (verdict.correctable) {
      buttons.append(button("act correct", WORDS.correct, () => this.#act("correct", verdict)));
    }
    if (verdict.may.length) {
      buttons.append(make("p", "window", both(WORDS.before), make("span", "time-left"), both(WORDS.after)));
    }
    return buttons;
  }
}

function forOfficer(verdict) {
  return verdict.outcome !== "admit" || verdict.alerts.length > 0;
}

function settled(decided) {
  const word = decided.outcome === "admit" ? WORDS.admitted : WORDS.refused;
  const line = make("p", `decision ${decided.outcome}`, make("b", "", both(word)), " · ", both(decided.reason));
  line.append(" · ", both(WORDS.officer), ` ${decided.officer} · #${decided.sequence}`);
  if (!decided.opened) {
    line.append(make("span", "shut", both(decided.outcome === "admit" ? WORDS.shut : WORDS.dark)));
  }
  return line;
}
