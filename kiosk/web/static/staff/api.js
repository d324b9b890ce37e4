// Calls of the staff routes. Personal data stays in bodies, never in an address.

import { forCode } from "../texts.js";

export class ApiError extends Error {
  // `answer`: what else the server said of it.
  constructor(status, code, answer = {}) {
    super(code);
    Object.assign(this, { status, code, answer });
  }

  get words() {
    return forCode("error", this.code);
  }
}

// `body` makes it a POST, of JSON or of bytes. -> the answer's JSON; ApiError with the server's code, or NETWORK.
export async function call(path, body) {
  return (await exchange(path, body)).answer;
}

// Makes a file on the server (a POST) and hands it to the browser to keep; ApiError as above.
export async function download(path) {
  let response;
  try {
    response = await fetch(`/api/v1/staff/${path}`, { method: "POST", cache: "no-store" });
  } catch {
    throw new ApiError(0, "NETWORK");
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new ApiError(response.status, answer.error ?? `HTTP_${response.status}`);
  }
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "";
  const href = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  Object.assign(link, { href, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

// The same with the HTTP status, where that says something of its own.
export async function exchange(path, body) {
  const raw = body instanceof Uint8Array;
  const type = raw ? "application/octet-stream" : "application/json";
  const post = { method: "POST", headers: { "Content-Type": type }, body: raw ? body : JSON.stringify(body) };
  let response;
  try {
    response = await fetch(`/api/v1/staff/${path}`, { cache: "no-store", ...(body && post) });
  } catch {
    throw new ApiError(0, "NETWORK");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.error ?? `HTTP_${response.status}`, answer);
  return { status: response.status, answer };
}
