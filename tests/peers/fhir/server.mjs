// A FHIR R4 server: the library's router over its memory, behind HTTP on a port of 127.0.0.1, given as argument (0: a
// free one). Everything written is validated first. Commands on standard input, each answered by one line:
//   reset <resources as JSON>   an empty memory but for these, and listening
//   away, back                  stop listening; listen again on the same port
//   <fault>                     what the next registration meets: lose (done, but no answer), refuse,
//   any <fault>                 or the next call of any kind: those, html, truncated, error (500, done)
import "./definitions.mjs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { getStatus, isOk, validateResource } from "@medplum/core";
import { FhirRouter, MemoryRepository } from "@medplum/fhir-router";

const router = new FhirRouter();
let repository = new MemoryRepository();
let fault = null;

function refused(status, text) {
  return { status, body: { resourceType: "OperationOutcome", issue: [{ severity: "error", code: "invalid", details: { text } }] } };
}

async function answerTo(method, url, headers, text) {
  if (url === "/metadata") {
    return { status: 200, body: { resourceType: "CapabilityStatement", status: "active", date: "2026-01-01", kind: "instance", fhirVersion: "4.0.1", format: ["json"] } };
  }
  let body;
  if (text && headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) {
    body = {};
    for (const [name, value] of new URLSearchParams(text)) body[name] = name in body ? [body[name], value].flat() : value;
  } else if (text) {
    try {
      body = JSON.parse(text);
      validateResource(body);
      for (const entry of body.entry ?? []) validateResource(entry.resource);
    } catch (error) {
      return refused(422, String(error?.message ?? error));
    }
  }
  const [outcome, resource] = await router.handleRequest({ method, url, body, headers, params: {}, query: {}, pathname: "" }, repository);
  return { status: getStatus(outcome), body: isOk(outcome) && resource ? resource : outcome };
}

async function handle(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const url = request.url.replace(/^\/fhir/, "") || "/";
  const registers = request.method === "POST" && url === "/";
  const meets = fault && (fault.any || registers) ? fault.what : null;
  if (meets) fault = null;
  if (meets === "refuse") return send(response, refused(422, "TRẦN THỊ MẪU"));
  const answer = await answerTo(request.method, url, request.headers, Buffer.concat(pieces).toString());
  if (meets === "lose") return request.socket.destroy();
  if (meets === "error") return send(response, refused(500, "TRẦN THỊ MẪU"));
  if (meets === "html") return response.writeHead(200, { "content-type": "text/html" }).end("<html></html>");
  if (meets === "truncated") return response.writeHead(200).end('{"resourceType": "Bun');
  return send(response, answer);
}

function send(response, { status, body }) {
  const version = body.meta?.versionId;
  const headers = { "content-type": "application/fhir+json", ...(version ? { etag: `W/"${version}"` } : {}) };
  response.writeHead(status, headers).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => response.writeHead(500).end());
});
const listen = (port) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
await listen(Number(process.argv[2] ?? 0));
const { port } = server.address();
console.log(port);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = line.split(" ");
  if (command === "reset") {
    repository = new MemoryRepository();
    fault = null;
    if (!server.listening) await listen(port);
    for (const resource of JSON.parse(rest.join(" "))) await repository.createResource(resource, { assignedId: true });
  } else if (command === "away") {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  } else if (command === "back") {
    await listen(port);
  } else {
    fault = command === "any" ? { any: true, what: rest[0] } : { any: false, what: command };
  }
  console.log("done");
}
