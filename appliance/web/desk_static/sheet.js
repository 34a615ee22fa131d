// The sheet over the page: whom it is about stays in sight, one tap chooses, the answer is shown.

import { act, hurry } from "./asking.js";
import { $, WORDS, both, button, make } from "./words.js";

const CLOSE_MS = 5000;

export class Sheet {
  #dialog = $(".sheet");
  #choices = null;
  #timer = 0;
  #verdict = null;
  #topic = null;

  constructor() {
    $(".close", this.#dialog).addEventListener("click", () => this.#dialog.close());
    $(".confirm", this.#dialog).addEventListener("click", () => {
      if (this.#dialog.dataset.kind === "count") this.#recount();
      else this.#correct();
    });
    this.#dialog.addEventListener("close", () => clearTimeout(this.#timer));
    this.#dialog.addEventListener("cancel", (event) => {
      if (this.#dialog.dataset.state === "busy") event.preventDefault();
    });
  }

  set choices(choices) {
    this.#choices = choices;
  }

  /** Ask why to let pass or turn away, or what to correct. */
  open(kind, verdict) {
    if (this.#choices === null) return;
    this.#verdict = verdict;
    this.#topic = null;
    const titles = { admit: WORDS.whyAdmit, refuse: WORDS.whyRefuse, correct: WORDS.whatCorrect };
    this.#dialog.dataset.kind = kind;
    this.#state("choosing");
    $("h2", this.#dialog).replaceChildren(both(titles[kind]));
    const about = [verdict.holder, `${verdict.at}`].filter(Boolean).join(" · ");
    $(".about", this.#dialog).replaceChildren(
      `${about} · `, both(WORDS.lane), ` ${verdict.lane} · #${verdict.sequence}`,
    );
    const options = kind === "correct" ? this.#choices.topics : this.#choices[kind];
    $(".choices", this.#dialog).replaceChildren(
      ...options.map((choice) => {
        const option = button("choice", choice.text, () => this.#chosen(kind, choice, option));
        option.dataset.value = choice.value;
        return option;
      }),
    );
    $(".confirm", this.#dialog).replaceChildren(both(WORDS.send));
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Ask how many are inside. */
  count({ inside, workers, capacity, headcount }) {
    this.#dialog.dataset.kind = "count";
    this.#state("choosing");
    $("h2", this.#dialog).replaceChildren(both(WORDS.howMany));
    const about = [...counted(WORDS.people, inside, capacity)];
    if (headcount !== null) about.push(" · ", ...counted(WORDS.workers, workers, headcount));
    $(".about", this.#dialog).replaceChildren(...about);
    const fields = [stepper("inside", WORDS.people, inside)];
    if (headcount !== null) fields.push(stepper("workers", WORDS.workers, workers));
    const fault = make("p", "fault");
    fault.setAttribute("role", "alert");
    $(".counts", this.#dialog).replaceChildren(...fields, fault);
    this.#ready(WORDS.set);
    this.#dialog.showModal();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #chosen(kind, choice, option) {
    if (this.#dialog.dataset.state !== "choosing") return; // the second tap of two
    if (kind === "correct") {
      this.#topic = choice.value;
      for (const each of $(".choices", this.#dialog).children) {
        each.setAttribute("aria-pressed", String(each === option));
      }
      $(".confirm", this.#dialog).disabled = false;
      return;
    }
    const order = { sequence: this.#verdict.sequence, outcome: kind, reason: choice.value };
    this.#send("override", order, (answer) => {
      if (kind === "admit") return answer.opened ? WORDS.passed : WORDS.shut;
      return answer.opened ? WORDS.stopped : WORDS.dark;
    });
  }

  #correct() {
    const request = { sequence: this.#verdict.sequence, topic: this.#topic };
    this.#send("correct", request, () => WORDS.asked);
  }

  #recount() {
    const fields = [...this.#dialog.querySelectorAll("input")];
    if (!fields.every((field) => field.reportValidity())) return;
    const counts = { workers: 0 };
    for (const field of fields) counts[field.name] = Number(field.value);
    if (counts.workers > counts.inside) return this.#fault(WORDS.moreOnList);
    this.#fault(null);
    this.#send("count", counts, () => WORDS.counted);
  }

  /** Say what is wrong with the counts, beside them. */
  #fault(text) {
    $(".fault", this.#dialog).replaceChildren(...(text ? [both(text)] : []));
  }

  #ready(words) {
    const confirm = $(".confirm", this.#dialog);
    confirm.replaceChildren(both(words));
    confirm.disabled = false;
  }

  async #send(name, content, words) {
    this.#state("busy");
    const answer = await act(name, content);
    hurry();
    const said = answer.ok ? words(answer) : answer.vi ? answer : WORDS.failed;
    if (name === "count" && !answer.ok) {
      this.#state("choosing"); // what was typed stays
      this.#ready(WORDS.set);
      this.#fault(said);
      return;
    }
    this.#state(answer.ok && answer.opened !== false ? "done" : "refused");
    $(".said", this.#dialog).replaceChildren(both(said));
    const entry = $(".entry", this.#dialog);
    entry.replaceChildren();
    if (answer.ok) entry.append(both(WORDS.entry), make("b", "", ` ${answer.sequence}`));
    if (answer.ok && answer.opened !== false) {
      this.#timer = setTimeout(() => this.close(), CLOSE_MS);
    }
  }

  #state(state) {
    clearTimeout(this.#timer);
    this.#dialog.dataset.state = state;
    $(".confirm", this.#dialog).disabled = true;
    for (const option of $(".choices", this.#dialog).children) option.disabled = state !== "choosing";
    const close = state === "choosing" || state === "busy" ? WORDS.cancel : WORDS.close;
    $(".close", this.#dialog).replaceChildren(both(close));
    $(".close", this.#dialog).disabled = state === "busy";
  }
}

function counted(label, number, limit) {
  const said = [both(label), `: ${number}`];
  return limit === null ? said : [...said, ", ", both(WORDS.most), ` ${limit}`];
}

function stepper(name, label, value) {
  const field = make("input");
  Object.assign(field, { type: "number", inputMode: "numeric", name, min: "0", max: "200000", step: "1" });
  field.required = true;
  field.value = String(value);
  const step = (by) => (field.value = String(Math.min(200_000, Math.max(0, Number(field.value) + by))));
  const fewer = button("fewer", { vi: "−", en: "−" }, () => step(-1));
  const further = button("further", { vi: "+", en: "+" }, () => step(1));
  const named = make("label", "", both(label));
  named.htmlFor = field.id = `count-${name}`;
  return make("div", "stepper", named, make("div", "", fewer, field, further));
}
