// What the page asks of the appliance. Nothing is in an address but a version number.

const RETRY_MS = 1000;
const PAUSE_MS = 250; // between two answers, however many people pass
const STATE_TIMEOUT_MS = 12000;
const ACT_TIMEOUT_MS = 8000;

let token = "";
let asked = new AbortController();
let stale = false; // what the page shows is known to be old

/** Ask for the state again and again, for ever; `hurry` ends a wait. */
export async function follow({ told, lost }) {
  let version = 0;
  for (;;) {
    asked = new AbortController();
    const late = setTimeout(() => asked.abort("late"), STATE_TIMEOUT_MS);
    const after = stale ? 0 : version;
    stale = false;
    try {
      const answer = await fetch(`/desk/state?after=${after}`, { signal: asked.signal, cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      version = state.version;
      token = state.token;
      told(state);
      await pause(PAUSE_MS);
    } catch (error) {
      version = 0;
      if (stale) continue;
      lost(error);
      await pause(RETRY_MS);
    } finally {
      clearTimeout(late);
    }
  }
}

/** Have the state asked for again at once. */
export function hurry() {
  stale = true;
  asked.abort();
}

/** Ask for something to be done. Returns {ok, ...answer}; a refusal has vi and en. */
export async function act(name, content = {}) {
  try {
    const answer = await fetch(`/desk/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Desk-Token": token },
      body: JSON.stringify(content),
      signal: AbortSignal.timeout(ACT_TIMEOUT_MS),
    });
    return { ...(await answer.json()), ok: answer.ok };
  } catch {
    return { ok: false };
  }
}

export async function choices() {
  for (;;) {
    try {
      const answer = await fetch("/desk/choices");
      if (answer.ok) return await answer.json();
    } catch { /* the appliance is starting: ask again */ }
    await pause(RETRY_MS);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
