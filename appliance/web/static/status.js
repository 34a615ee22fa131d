// The line at the foot: how fresh the knowledge is, what waits for the hub, and what is wrong.

const CLOCK = {
  synchronised: ["ok", "Giờ: đã đồng bộ", "Clock: synchronised"],
  rtc: ["note", "Giờ: theo pin đồng hồ", "Clock: battery only"],
  unknown: ["bad", "Giờ: chưa tin cậy", "Clock: not trusted"],
};

export function showStatus(footer, status) {
  const { inside, capacity } = status;
  const full = inside >= capacity ? "note" : "ok";
  const filled = `${inside} / ${capacity}`;
  fill(footer, "zone", capacity === null ? "none" : full, `Bên trong: ${filled}`, `Inside: ${filled}`);
  const pending = status.pending.toLocaleString("en").replaceAll(",", "\u2009");
  const [vi, en] = ago(status.synchronised_ago_s);
  const fresh = status.synchronised_ago_s === null ? "bad" : "ok";
  fill(footer, "sync", fresh, `${vi}, ${pending} chờ gửi`, `${en}, ${pending} pending`);
  if (status.hub_reachable) fill(footer, "hub", "ok", "Trung tâm: có kết nối", "Hub: connected");
  else fill(footer, "hub", "note", "Trung tâm: mất kết nối", "Hub: unreachable");
  fill(footer, "clock", ...CLOCK[status.clock]);
  const faults = status.faults.join(", ");
  fill(footer, "faults", faults ? "bad" : "none", `Cần kiểm tra: ${faults}`, `Needs attention: ${faults}`);
}

function ago(seconds) {
  if (seconds === null) return ["chưa đồng bộ lần nào", "never synchronised"];
  if (seconds < 60) return ["vừa đồng bộ", "synchronised just now"];
  const [count, vi, en] =
    seconds < 3600 ? [seconds / 60, "phút", "min"]
    : seconds < 172800 ? [seconds / 3600, "giờ", "h"]
    : [seconds / 86400, "ngày", "days"];
  return [`đồng bộ ${Math.floor(count)} ${vi} trước`, `synchronised ${Math.floor(count)} ${en} ago`];
}

function fill(footer, item, level, vi, en) {
  const place = footer.querySelector(`[data-item=${item}]`);
  place.dataset.level = level;
  place.querySelector("[lang=vi]").textContent = vi;
  place.querySelector("[lang=en]").textContent = en;
}
