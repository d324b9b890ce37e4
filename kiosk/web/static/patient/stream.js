// Keeps the screen joined to its station. What is on the screen must never outlive the daemon that answers for it:
// a broken stream, or silence where news was due, is told at once through onLost, and then tried again for ever.

const RETRY_MS = 2000;
const NEWS_LATE_MS = 12000; // the state comes at once, and while the station works every 4 s
const CLEAR_LATE_MS = 4000; // after a screen should have cleared itself
const WORKING = ["checking", "reading_chip", "asking_vneid"];

export class StationStream {
  #source = null;
  #deadline = null;

  constructor({ onState, onLost }) {
    this.onState = onState;
    this.onLost = onLost;
  }

  open() {
    this.#source = new EventSource("/api/v1/station/stream");
    this.#source.onmessage = (event) => this.take(JSON.parse(event.data));
    this.#source.onerror = () => this.lost();
    this.#deadline = setTimeout(() => this.lost(), NEWS_LATE_MS);
  }

  take(state) {
    clearTimeout(this.#deadline);
    const { view, clears_in: clearsIn } = state.screen;
    if (WORKING.includes(view)) this.#deadline = setTimeout(() => this.lost(), NEWS_LATE_MS);
    else if (clearsIn) this.#deadline = setTimeout(() => this.lost(), clearsIn * 1000 + CLEAR_LATE_MS);
    this.onState(state);
  }

  lost() {
    if (this.#source === null) return;
    clearTimeout(this.#deadline);
    this.#source.close();
    this.#source = null;
    this.onLost();
    setTimeout(() => this.#again(), RETRY_MS);
  }

  // Asking for the page first renews the cookie, and tells whether the daemon came back with another page.
  async #again() {
    try {
      const page = await fetch("/", { cache: "no-store" });
      if (page.ok && page.headers.get("X-Build") !== document.documentElement.dataset.build) location.reload();
      else if (page.ok) return this.open();
    } catch {
      // Still away.
    }
    setTimeout(() => this.#again(), RETRY_MS);
  }
}

// The person's touch. -> null if the station took it; else why not: TOO_LATE (the stream shows what stands instead), or
// the code of a value it cannot use.
export async function sendAnswer(body) {
  const response = await fetch("/api/v1/station/answer", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) return null;
  if (response.status === 409) return "TOO_LATE";
  if (response.status === 422) return (await response.json()).error;
  throw new Error(`HTTP ${response.status}`);
}

// What a scanner in keyboard mode typed; the stream shows what comes of it, a refusal too.
export async function sendScan(bytes) {
  const response = await fetch("/api/v1/station/scan", {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: bytes,
  });
  if (!response.ok && ![409, 413, 422].includes(response.status)) throw new Error(`HTTP ${response.status}`);
}
