// Silent alerts on top of the page until the officer has seen them, with a soft chime if wanted.

import { $, WORDS, both, button, make } from "./words.js";

const MAX_SHOWN = 3;
const VOLUME = 0.12;

export class Alerts {
  #place = $(".alerts");
  #seen = new Set();
  #known = null;
  #context = null;

  constructor() {
    const wake = () => {
      this.#context ??= new AudioContext();
      this.#context.resume();
    };
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake);
  }

  /** Show the verdicts' alerts that nobody has seen here; sound for one that is new. */
  show(verdicts) {
    const alerted = verdicts.filter((verdict) => verdict.alerts.length > 0);
    const isNew = this.#known !== null && alerted.some((verdict) => !this.#known.has(verdict.number));
    this.#known = new Set(alerted.map((verdict) => verdict.number));
    this.#seen = new Set([...this.#seen].filter((number) => this.#known.has(number)));
    if (isNew) this.#chime();
    const open = alerted.filter((verdict) => !this.#seen.has(verdict.number));
    const key = open.map((verdict) => verdict.number).join();
    if (this.#place.dataset.key === key) return;
    this.#place.dataset.key = key;
    this.#place.replaceChildren(...open.slice(0, MAX_SHOWN).map((verdict) => this.#strip(verdict, verdicts)));
    if (open.length > MAX_SHOWN) this.#place.append(make("p", "more", `+ ${open.length - MAX_SHOWN}`));
  }

  clear() {
    this.#known = null;
    this.#seen.clear();
    this.#place.replaceChildren();
    delete this.#place.dataset.key;
  }

  #strip(verdict, verdicts) {
    const strip = make("div", "strip");
    const words = make("div");
    const what = make("p", "what");
    for (const alert of verdict.alerts) what.append(both(alert.text), " ");
    const where = make("p", "where", both(WORDS.lane), ` ${verdict.lane} · ${verdict.at}`);
    if (verdict.holder) where.append(` · ${verdict.holder}`);
    words.append(make("p", "only", both(WORDS.silent)), what, where);
    strip.append(
      make("i", "bell"),
      words,
      button("seen", WORDS.seen, () => {
        this.#seen.add(verdict.number);
        this.show(verdicts);
      }),
    );
    return strip;
  }

  // Two soft falling notes: for the officer, not for the queue.
  #chime() {
    const context = this.#context;
    document.body.dataset.chimed = String(Number(document.body.dataset.chimed ?? 0) + 1);
    if (document.body.dataset.sound !== "on" || context?.state !== "running") return;
    [[0, 784], [0.22, 587]].forEach(([start, frequency]) => {
      const at = context.currentTime + start;
      const tone = new OscillatorNode(context, { type: "sine", frequency });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(VOLUME, at + 0.03);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      tone.connect(gain).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.5);
    });
  }
}
