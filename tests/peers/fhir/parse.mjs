// Reads one resource a line, as JSON, and answers each with one line: {"leaves": [[path, value], ...]} of what the
// library took for valid R4, or {"refused": why}.
import "./definitions.mjs";
import { createInterface } from "node:readline";
import { validateResource } from "@medplum/core";

function* leaves(value, path) {
  if (Array.isArray(value)) {
    for (const [index, inner] of value.entries()) yield* leaves(inner, `${path}[${index}]`);
  } else if (value !== null && typeof value === "object") {
    for (const [name, inner] of Object.entries(value)) yield* leaves(inner, `${path}.${name}`);
  } else {
    yield [path, value];
  }
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const resource = JSON.parse(line);
    validateResource(resource);
    for (const entry of resource.entry ?? []) validateResource(entry.resource);
    answer = { leaves: [...leaves(resource, resource.resourceType)] };
  } catch (error) {
    answer = { refused: String(error?.message ?? error) };
  }
  console.log(JSON.stringify(answer));
}
