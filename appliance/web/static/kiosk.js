// The kiosk page: one panel per lane, kept in step with the appliance. It shows what it is sent and
// knows no rules of its own; everything that comes from outside enters the page as text, never markup.

import { connect } from "./connection.js";
import { Mirror } from "./mirror.js";
import { Panel } from "./panel.js";
import { Sound } from "./sound.js";
import { showStatus } from "./status.js";

const FRESH_MS = 1500; // an older verdict is shown for what is left of its time, but not sounded

const onlyLane = new URLSearchParams(location.search).get("lane");
const sound = new Sound(document.body, document.querySelector(".sound-hint"));
const panels = new Map();
const mirrors = new Map();
let clockOffset = Infinity; // this page's clock minus the appliance's, by the fastest message

function arrangePanels(known) {
  const names = onlyLane === null ? known : [onlyLane];
  const unchanged = names.length === panels.size && names.every((name) => panels.has(name));
  if (!unchanged) {
    panels.forEach((panel) => panel.stop());
    panels.clear();
    const main = document.querySelector(".lanes");
    main.replaceChildren();
    for (const name of names) {
      const panel = new Panel(name, document.querySelector("template"));
      panels.set(name, panel);
      main.append(panel.element);
    }
    main.dataset.count = String(names.length);
  }
  panels.forEach((panel, name) => (known.includes(name) ? panel.found() : panel.unknown(known)));
}

function hangMirrors(lanes) {
  mirrors.forEach((mirror, lane) => {
    if (lanes.includes(lane) && panels.get(lane)?.element === mirror.panel) return;
    mirror.stop();
    mirrors.delete(lane);
  });
  for (const lane of lanes) {
    const panel = panels.get(lane)?.element;
    if (panel && !mirrors.has(lane)) mirrors.set(lane, new Mirror(panel, lane));
  }
}

function showVerdict(verdict) {
  const age = Math.max(0, performance.now() - clockOffset - verdict.at_ms);
  const panel = panels.get(verdict.lane);
  if (!panel || age >= verdict.shown_ms) return;
  panel.showVerdict(verdict, verdict.shown_ms - age);
  if (age < FRESH_MS) sound.play(verdict.outcome, panel.element);
}

const receive = {
  hello(message) {
    if (message.build !== document.documentElement.dataset.build) return location.reload();
    clockOffset = Math.min(clockOffset, performance.now() - message.now_ms);
    document.body.dataset.link = "up";
    document.querySelector(".site").textContent = message.site;
    document.title = message.site ? `${message.site} · Chốt` : "Chốt";
    arrangePanels(message.lanes);
    panels.forEach((panel, lane) => panel.setLeaving((message.leaving ?? []).includes(lane)));
    hangMirrors(message.mirrored ?? []);
  },
  verdict: showVerdict,
  lane(message) {
    const panel = panels.get(message.lane);
    if (panel && panel.showLaneState(message.state, message.word)) sound.play("out_of_order", panel.element);
  },
  status(message) {
    clockOffset = Math.min(clockOffset, performance.now() - message.now_ms);
    showStatus(document.querySelector(".status"), message);
  },
};

connect(onlyLane === null ? "/events" : `/events?lane=${encodeURIComponent(onlyLane)}`, {
  message: (message) => receive[message.kind]?.(message),
  lost() {
    clockOffset = Infinity; // the appliance may come back with another clock
    document.body.dataset.link = "lost";
    panels.forEach((panel) => panel.lost());
    hangMirrors([]);
  },
});
