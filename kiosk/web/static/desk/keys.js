// Keys of the counter: each view says what its keys do. A scanner types too, and begins with digits: so a digit counts
// only when nothing follows it at a scanner's pace.

const SCANNER_MS = 150;

export class Keys {
  #does = new Map();
  #waiting = null;

  // `key` as KeyboardEvent.key has it.
  on(key, does) {
    this.#does.set(key, does);
  }

  clear() {
    clearTimeout(this.#waiting);
    this.#does.clear();
  }

  down(event) {
    clearTimeout(this.#waiting);
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const does = this.#does.get(event.key);
    if (!does || (isWriting(event.target) && event.key.length === 1 && event.target.value !== "")) return;
    if (event.key === "Enter" && ["BUTTON", "A"].includes(event.target.tagName)) return; // it does what it says
    event.preventDefault();
    if (event.key.length === 1) this.#waiting = setTimeout(does, SCANNER_MS);
    else does();
  }
}

function isWriting(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
