// A scanner on a serial line of this PC (WebSerial, where the browser has it): chosen once, found again by itself.

import { el } from "../dom.js";
import { t } from "../texts.js";

const BAUD = 9600;
const SILENCE_MS = 80; // a scan has no end mark that every scanner sends
const LONGEST = 4096;

export class SerialScanner {
  #onScan;
  #tell;

  constructor(onScan, tell) {
    this.#onScan = onScan;
    this.#tell = tell;
  }

  // -> the button that lets a scanner be chosen, or null in browsers without WebSerial.
  button() {
    if (!("serial" in navigator)) return null;
    const button = el("button", { type: "button", id: "serial", click: () => this.#choose() }, t("desk/serial"));
    navigator.serial.getPorts().then(([port]) => port && this.#listen(port));
    return button;
  }

  async #choose() {
    try {
      await this.#listen(await navigator.serial.requestPort());
    } catch (error) {
      if (error.name !== "NotFoundError") throw error; // nothing was chosen
    }
  }

  async #listen(port) {
    try {
      await port.open({ baudRate: BAUD });
    } catch {
      return this.#tell(t("desk/serial_taken"), true);
    }
    document.getElementById("serial").disabled = true;
    this.#tell(t("desk/serial_ready"));
    await this.#read(port);
    document.getElementById("serial").disabled = false;
    this.#tell(t("desk/serial_gone"), true);
  }

  async #read(port) {
    const reader = port.readable.getReader();
    let parts = [];
    let silence = null;
    const end = () => {
      const bytes = new Uint8Array(parts.slice(0, LONGEST));
      parts = [];
      if (bytes.length) this.#onScan(bytes);
    };
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        if (parts.length <= LONGEST) parts.push(...value);
        silence = setTimeout(end, SILENCE_MS);
      }
    } catch {
      // It was unplugged.
    }
  }
}
