// The officer's desk: shows what it is sent, asks for what the officer taps. It knows no rules of its
// own; everything that comes from outside enters the page as text, never markup.

import { act, choices, follow, hurry } from "./asking.js";
import { Alerts } from "./alerts.js";
import { Sheet } from "./sheet.js";
import { Verdicts } from "./verdicts.js";
import { $, WORDS, both, button, clock, make } from "./words.js";

const WAIT_MS = 30_000;
const WARN_MS = 60_000;
const STAY_EVERY_MS = 20_000; // a touch keeps the session, at most this often

const body = document.body;
const alerts = new Alerts();
const sheet = new Sheet();
const verdicts = new Verdicts((kind, verdict) => sheet.open(kind, verdict));
let until = 0;
let stayed = 0;
let leaving = false;
let inside = null;

function show(state) {
  if (state.build !== document.documentElement.dataset.build) return location.reload();
  body.dataset.link = "up";
  $(".site").textContent = state.site;
  until = performance.now() + state.left_ms;
  const before = body.dataset.view;
  const view = state.officer !== null ? "work" : state.waiting ? "waiting" : "sign-in";
  body.dataset.view = view;
  if (view !== "work") {
    verdicts.clear();
    alerts.clear();
    sheet.close();
  }
  if (view === "sign-in") {
    if (!leaving && before === "waiting") tell(WORDS.missed);
    if (!leaving && before === "work") tell(WORDS.over);
    showSeats(state.lanes);
  } else {
    leaving = false;
    tell(null);
  }
  if (view === "waiting") $(".at").textContent = state.waiting;
  if (view === "work") {
    $(".officer").textContent = String(state.officer);
    verdicts.show(state.verdicts);
    alerts.show(state.verdicts);
    showInside(state.inside);
  }
  tick();
}

function showInside(count) {
  inside = count;
  const place = $(".inside");
  place.hidden = count === null;
  if (count === null) return;
  const limit = count.capacity ?? count.headcount;
  $("b", place).textContent = `${count.capacity === null ? count.workers : count.inside} / ${limit}`;
}

function showSeats(lanes) {
  const place = $(".seats");
  const key = JSON.stringify(lanes);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(
    ...lanes.map(({ lane, taken }) => {
      const seat = button("seat", taken ? WORDS.taken : WORDS.seat, () => signIn(lane));
      const name = make("b", "", lane);
      name.translate = false;
      seat.prepend(name);
      seat.disabled = taken;
      seat.dataset.lane = lane;
      return seat;
    }),
  );
}

async function signIn(lane) {
  leaving = false;
  tell(null);
  const answer = await act("sign-in", { lane });
  if (!answer.ok) tell(answer.vi ? answer : WORDS.failed);
  hurry();
}

async function signOut() {
  leaving = true;
  await act("sign-out");
  hurry();
}

async function stay() {
  stayed = performance.now();
  await act("stay");
  hurry();
}

function tell(text) {
  $(".told").replaceChildren(...(text ? [both(text)] : []));
}

function tick() {
  const left = until - performance.now();
  const view = body.dataset.view;
  $(".left").textContent = view === "work" ? clock(left) : "";
  $(".idle-left").textContent = clock(left);
  body.dataset.idle = String(view === "work" && left < WARN_MS);
  if (view === "waiting") {
    $(".countdown").textContent = String(Math.max(0, Math.ceil(left / 1000)));
    $(".track i").style.setProperty("--left", String(Math.max(0, Math.min(1, left / WAIT_MS))));
  }
  if (view === "work") verdicts.tick();
  if (view !== "sign-in" && view !== "loading" && left < -500 && left > -3000) hurry();
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch { /* a browser that keeps nothing: it is asked again */ }
}

function recall(key, allowed) {
  try {
    const value = localStorage.getItem(key);
    return allowed.includes(value) ? value : allowed[0];
  } catch {
    return allowed[0];
  }
}

function speak(language) {
  body.dataset.language = language;
  document.documentElement.lang = language;
  remember("desk-language", language);
}

function sound(state) {
  body.dataset.sound = state;
  $(".sound").setAttribute("aria-pressed", String(state === "on"));
  remember("desk-sound", state);
}

$(".language").addEventListener("click", () => speak(body.dataset.language === "vi" ? "en" : "vi"));
$(".sound").addEventListener("click", () => sound(body.dataset.sound === "on" ? "off" : "on"));
$(".sign-out").addEventListener("click", signOut);
$(".inside").addEventListener("click", () => inside && sheet.count(inside));
$(".cancel").addEventListener("click", signOut);
$(".stay").addEventListener("click", stay);
addEventListener("pointerdown", () => {
  if (body.dataset.view === "work" && performance.now() - stayed > STAY_EVERY_MS) stay();
});
speak(recall("desk-language", ["vi", "en"]));
sound(recall("desk-sound", ["on", "off"]));
setInterval(tick, 500);
choices().then((all) => (sheet.choices = all));
follow({ told: show, lost: () => (body.dataset.link = "lost") });
