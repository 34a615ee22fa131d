// One distinct pattern per outcome, synthesised: told apart by rhythm and direction, not by pitch alone.

const PATTERNS = {
  // [start s, length s, from Hz, to Hz]
  admit: [[0, 0.12, 880, 880], [0.16, 0.2, 1320, 1320]], // two, rising
  refer: [[0, 0.7, 587, 587]], // one, long, middle
  refuse: [[0, 0.16, 262, 262], [0.24, 0.16, 262, 262], [0.48, 0.28, 262, 262]], // three, low
  out_of_order: [[0, 0.35, 523, 262], [0.45, 0.35, 523, 262]], // two, falling
};
const VOLUME = 0.5;
const EDGE_S = 0.015; // fade in and out: no clicks

export class Sound {
  #context = new AudioContext();
  #body;

  constructor(body, hint) {
    this.#body = body;
    this.#context.onstatechange = () => this.#tell();
    // Browsers let a page sound only after a gesture, unless started with
    // --autoplay-policy=no-user-gesture-required: any touch or key will do.
    const wake = () => this.#context.resume();
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake);
    hint.addEventListener("click", wake);
    wake();
    setTimeout(() => this.#tell(), 500);
  }

  /** Sound an outcome's pattern. The panel's data-sound names the last one, with -muted if blocked. */
  play(outcome, panel) {
    const audible = this.#context.state === "running";
    panel.dataset.sound = audible ? outcome : `${outcome}-muted`;
    if (!audible) return;
    for (const note of PATTERNS[outcome]) this.#note(...note);
  }

  #note(start, length, from, to) {
    const at = this.#context.currentTime + start;
    const tone = new OscillatorNode(this.#context, { type: from < 400 ? "square" : "triangle", frequency: from });
    tone.frequency.linearRampToValueAtTime(to, at + length);
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(VOLUME, at + EDGE_S);
    gain.gain.setValueAtTime(VOLUME, at + length - EDGE_S);
    gain.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(gain).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + length);
  }

  #tell() {
    this.#body.dataset.audio = this.#context.state === "running" ? "on" : "blocked";
  }
}
