// The picture of who stands before a lane's camera, while the lane waits: drawn, and nothing else. It
// asks for one picture after another, and stops asking while the panel shows anything but "waiting".

const RETRY_MS = 1000;
const LOOK_MS = 200;

export class Mirror {
  #canvas;
  #url;
  #asking = null;
  #number = 0;
  #stopped = false;

  constructor(panel, lane) {
    this.panel = panel;
    this.#canvas = panel.querySelector(".mirror");
    this.#url = `/lanes/${encodeURIComponent(lane)}/picture`;
    this.#follow();
  }

  stop() {
    this.#stopped = true;
    this.#asking?.abort();
    this.#blank();
  }

  async #follow() {
    while (!this.#stopped) {
      try {
        if (this.panel.dataset.state === "waiting" && !document.hidden) {
          await this.#ask();
          continue;
        }
        this.#blank();
        await pause(LOOK_MS);
      } catch {
        this.#blank();
        await pause(RETRY_MS);
      }
    }
  }

  async #ask() {
    this.#asking = new AbortController();
    const answer = await fetch(`${this.#url}?after=${this.#number}`, { cache: "no-store", signal: this.#asking.signal });
    if (answer.status === 204) {
      delete this.panel.dataset.mirror; // fades; the picture goes with the next one
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    this.#number = Number(answer.headers.get("X-Number"));
    const bitmap = await createImageBitmap(await answer.blob());
    if (this.#stopped || this.panel.dataset.state !== "waiting") return bitmap.close();
    if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
      this.#canvas.width = bitmap.width;
      this.#canvas.height = bitmap.height;
    }
    this.#canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    this.panel.dataset.mirror = "live";
  }

  /** Nobody's picture stays behind a verdict. */
  #blank() {
    delete this.panel.dataset.mirror;
    this.#canvas.getContext("2d").clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
