// All words come from the page's JSON blocks (texts/*.toml on the server): #texts, and #texts-en, #texts-km where it has them.

const HOME = "vi";
let texts = blockOf(HOME);

function blockOf(language) {
  return JSON.parse(document.getElementById(language === HOME ? "texts" : `texts-${language}`).textContent);
}

// From now on all words are of this language.
export function speak(language) {
  texts = blockOf(language);
}

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
