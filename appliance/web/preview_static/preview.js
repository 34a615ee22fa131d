// The technician's page: asks for one look after another and draws it. Limits, levels and words come
// from the appliance; everything that comes from outside enters the page as text, never markup.

const RETRY_MS = 1000;
const STILL_MS = 1500; // no new look for so long: nothing moves, or nothing comes
const LEVELS = ["ok", "none", "note", "bad"]; // by the advice's severity
const SVG = "http://www.w3.org/2000/svg";

const NO_LINK = {
  vi: "Mất kết nối: lệnh chot scan có còn chạy không?",
  en: "Connection lost: is chot scan still running?",
};
const CAMERA_LOST = { vi: "Máy ảnh không trả lời", en: "The camera does not answer" };
const WAITING = { vi: "Đang chờ khung hình đầu tiên", en: "Waiting for the first frame" };
const STILL = { vi: "Không có gì chuyển động", en: "Nothing moves" };

const $ = (selector, within = document) => within.querySelector(selector);
const canvas = $("canvas");
const marks = $(".marks");
let camera = 0;
let number = 0;
let lookedAt = 0;
let asking = new AbortController();

function say(place, text) {
  $("[lang=vi]", place).textContent = text.vi;
  const english = $("[lang=en]", place);
  if (english) english.textContent = text.en;
}

function showAdvice(level, first, more = []) {
  document.body.dataset.level = level;
  say($(".first"), first);
  $(".more").replaceChildren(
    ...more.map((text) => {
      const line = document.createElement("li");
      for (const language of ["vi", "en"]) {
        const part = document.createElement("span");
        part.lang = language;
        part.textContent = text[language];
        line.append(part);
      }
      return line;
    }),
  );
}

function showCameras(view) {
  const tabs = $(".cameras");
  if (view.cameras.length < 2) return tabs.replaceChildren();
  if (tabs.childElementCount !== view.cameras.length) {
    tabs.replaceChildren(
      ...view.cameras.map((name, index) => {
        const tab = document.createElement("button");
        tab.type = "button";
        tab.textContent = name;
        tab.addEventListener("click", () => choose(index));
        return tab;
      }),
    );
  }
  [...tabs.children].forEach((tab, index) => {
    tab.dataset.up = String(view.up[index]);
    tab.setAttribute("aria-current", String(index === camera));
  });
}

function choose(index) {
  camera = index;
  number = 0;
  lookedAt = 0;
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  marks.replaceChildren();
  $(".codes ul").replaceChildren();
  asking.abort();
}

function outline(quad, kind) {
  const polygon = document.createElementNS(SVG, "polygon");
  polygon.setAttribute("class", kind);
  polygon.setAttribute("points", quad.map((corner) => corner.join(",")).join(" "));
  return polygon;
}

function showMarks(look) {
  marks.setAttribute("viewBox", `0 0 ${look.width_px} ${look.height_px}`);
  const size = Math.max(look.width_px / 46, (13 * look.width_px) / (canvas.clientWidth || 960));
  const drawn = [];
  for (const mark of look.unread) drawn.push(outline(mark.quad, "under"), outline(mark.quad, "unread"));
  for (const mark of look.read) {
    drawn.push(outline(mark.quad, "under"), outline(mark.quad, "read"));
    const label = document.createElementNS(SVG, "text");
    const left = Math.min(...mark.quad.map(([x]) => x));
    const top = Math.min(...mark.quad.map(([, y]) => y));
    label.setAttribute("font-size", size);
    label.setAttribute("stroke-width", size / 4);
    label.setAttribute("x", Math.max(size / 2, Math.min(left, look.width_px - 16 * size)));
    label.setAttribute("y", Math.max(1.2 * size, top - size / 2));
    label.textContent = `${mark.text.slice(0, 22)} · ${mark.rung}`;
    drawn.push(label);
  }
  marks.replaceChildren(...drawn);
}

function showCodes(look) {
  const list = $(".codes ul");
  const codes = look.late ? [{ ...look.late, detail: "· làn chậm (slow lane)" }] : look.read.slice(0, 3);
  if (codes.length === 0) {
    for (const line of list.children) line.className = "stale";
    return;
  }
  list.replaceChildren(
    ...codes.map((mark) => {
      const line = document.createElement("li");
      const text = document.createElement("p");
      const how = document.createElement("p");
      const rung = document.createElement("b");
      text.textContent = mark.text;
      rung.textContent = mark.rung;
      how.append(rung, ` · ${[mark.symbology, mark.detail].filter(Boolean).join(" ")}`);
      line.append(text, how);
      return line;
    }),
  );
}

function zone(element, from, to, gauge) {
  const share = (value) => (100 * (value - gauge.low)) / (gauge.high - gauge.low);
  element.style.left = `${share(Math.min(from, to))}%`;
  element.style.width = `${share(Math.max(from, to)) - share(Math.min(from, to))}%`;
}

function showGauges(gauges) {
  const place = $(".gauges");
  while (place.childElementCount < gauges.length) place.append($("#gauge").content.firstElementChild.cloneNode(true));
  gauges.forEach((gauge, index) => {
    const element = place.children[index];
    element.dataset.level = gauge.level;
    say($(".name", element), gauge.name);
    say($(".value", element), gauge.shown);
    const rises = gauge.fault <= gauge.margin;
    const limited = gauge.fault !== gauge.margin;
    zone($(".zone.bad", element), rises ? gauge.low : gauge.fault, rises ? gauge.fault : gauge.high, gauge);
    zone($(".zone.note", element), gauge.fault, gauge.margin, gauge);
    zone($(".zone.ok", element), gauge.margin, rises ? gauge.high : gauge.low, gauge);
    $(".zone.ok", element).hidden = !limited;
    const value = Math.min(gauge.high, Math.max(gauge.low, gauge.value ?? gauge.low));
    $(".needle", element).style.left = `${(100 * (value - gauge.low)) / (gauge.high - gauge.low)}%`;
  });
}

function showFigures(figures, look) {
  const known = $(".figures");
  const rows = {
    "Hình/s · fps": figures.fps.toFixed(1),
    "Đọc mã · read": look ? `${look.read_ms.toFixed(1)} ms` : null,
    "Trễ · latency": look ? `${look.age_ms.toFixed(0)} ms` : null,
    "Bỏ lỡ · dropped": figures.dropped,
    "Bỏ qua · idle": figures.skipped,
    "Hỏng · damaged": figures.bad,
  };
  if (known.childElementCount === 0) {
    for (const name of Object.keys(rows)) {
      const pair = document.createElement("div");
      const term = document.createElement("dt");
      term.textContent = name;
      pair.append(term, document.createElement("dd"));
      known.append(pair);
    }
  }
  Object.values(rows).forEach((value, index) => {
    const figure = $("dd", known.children[index]);
    if (value !== null) figure.textContent = String(value);
    else if (figure.textContent === "") figure.textContent = "—";
  });
}

async function draw(view, picture) {
  const look = view.look;
  if (look) {
    const bitmap = await createImageBitmap(new Blob([picture], { type: "image/jpeg" }));
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    lookedAt = performance.now();
    showMarks(look);
    showCodes(look);
    showGauges(look.gauges);
  }
  showFigures(view.figures, look);
  showCameras(view);
  document.title = `${view.cameras[camera]} · Chốt`;
  const still = $(".still");
  const quiet = performance.now() - lookedAt > STILL_MS;
  still.toggleAttribute("data-shown", quiet && lookedAt > 0 && view.figures.up);
  say(still, STILL);
  if (!view.figures.up) {
    showAdvice(lookedAt || view.figures.failure ? "bad" : "none", lookedAt || view.figures.failure ? CAMERA_LOST : WAITING, view.figures.failure ? [{ vi: view.figures.failure, en: "" }] : []);
  } else if (look) {
    const [first, ...more] = look.advice;
    const worst = Math.max(...look.advice.map((each) => each.severity));
    showAdvice(LEVELS[first.code === "no_code" ? 1 : worst], first.text, more.map((each) => each.text).slice(0, 2));
  } else if (lookedAt === 0) {
    showAdvice("none", WAITING);
  }
}

async function ask() {
  asking = new AbortController();
  const asked = camera;
  const answer = await fetch(`/cameras/${asked}/look?after=${number}`, { cache: "no-store", signal: asking.signal });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const body = new Uint8Array(await answer.arrayBuffer());
  const end = body.indexOf(10);
  const view = JSON.parse(new TextDecoder().decode(body.subarray(0, end)));
  if (asked !== camera) return;
  if (view.build !== document.documentElement.dataset.build) return location.reload();
  number = view.number;
  document.body.dataset.link = "up";
  await draw(view, body.subarray(end + 1));
}

async function follow() {
  for (;;) {
    try {
      await ask();
    } catch (error) {
      if (error.name === "AbortError") continue;
      document.body.dataset.link = "lost";
      showAdvice("none", NO_LINK);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

follow();
