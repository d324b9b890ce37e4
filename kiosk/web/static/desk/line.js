// The line to this desk's station: its state at each change, and what the clerk does. A broken line is told at once and
// tried again for ever; what stood on the screen never outlives it.

const RETRY_MS = 2000;

export class StationLine {
  #base;
  #source = null;
  #closed = false;
  #told;

  // `told`: {state(state), lost(), signedOut()}.
  constructor(station, told) {
    this.#base = `/api/v1/stations/${encodeURIComponent(station)}`;
    this.#told = told;
  }

  open() {
    this.#source = new EventSource(`${this.#base}/stream`);
    this.#source.onmessage = (event) => this.#told.state(JSON.parse(event.data));
    this.#source.onerror = () => this.lost();
  }

  close() {
    this.#closed = true;
    this.#source?.close();
  }

  lost() {
    if (this.#source === null || this.#closed) return;
    this.#source.close();
    this.#source = null;
    this.#told.lost();
    setTimeout(() => this.#again(), RETRY_MS);
  }

  async #again() {
    if (this.#closed) return;
    try {
      const response = await fetch(this.#base, { cache: "no-store" });
      if (response.status === 401) return this.#told.signedOut();
      if (response.ok) return this.open();
    } catch {
      // Still away.
    }
    setTimeout(() => this.#again(), RETRY_MS);
  }

  // Each of these -> null, or the code of a refusal; throws when nobody answers.
  scan(bytes) {
    return this.#post("scan", bytes, "application/octet-stream");
  }

  answer(body) {
    return this.#post("answer", JSON.stringify(body));
  }

  enter(person) {
    return this.#post("entry", JSON.stringify(person));
  }

  async #post(route, body, type = "application/json") {
    const response = await fetch(`${this.#base}/${route}`, { method: "POST", headers: { "Content-Type": type }, body });
    if (response.ok) return null;
    if (response.status === 401) this.#told.signedOut();
    return (await response.json()).error;
  }
}
