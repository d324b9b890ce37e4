// All words come from the page's JSON block (texts/vi.toml on the server).

const texts = JSON.parse(document.getElementById("texts").textContent);

function find(path) {
  return path.split("/").reduce((node, key) => node?.[key], texts);
}

// The words at "group/name", with {placeholders} filled in.
export function t(path, values = {}) {
  const found = find(path);
  if (typeof found !== "string") throw new Error(`no text ${path}`);
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

// The words for a code that the server chose; unknown codes get the group's "other", which may show the {code}.
export function forCode(group, code, name = "", values = {}) {
  const tail = name ? `/${name}` : "";
  const known = code && find(`${group}/${code}${tail}`) !== undefined;
  return t(`${group}/${known ? code : "other"}${tail}`, { code: code ?? "", ...values });
}

export function list(path) {
  return find(path);
}
