// One event stream, opened again for ever. A stream that is open but silent counts as lost, too:
// the appliance sends its status every two seconds.

const SILENCE_MS = 6000;
const RETRY_MS = 1000;

export function connect(url, { message, lost }) {
  let source = null;
  let heard = 0;

  function open() {
    heard = performance.now();
    source = new EventSource(url);
    source.onmessage = (event) => {
      heard = performance.now();
      message(JSON.parse(event.data));
    };
    source.onerror = reopen;
  }

  function reopen() {
    source.close();
    source = null;
    lost();
    setTimeout(open, RETRY_MS);
  }

  setInterval(() => {
    if (source !== null && performance.now() - heard > SILENCE_MS) reopen();
  }, 1000);
  addEventListener("pagehide", () => source?.close());
  open();
}
