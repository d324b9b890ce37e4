// What a scanned document says, as far as it may be filled into the form of a new person.

import { dateText } from "../dom.js";
import { forCode, t } from "../texts.js";
import { call } from "./api.js";

const DAMAGED = ["W_ENCODING_DAMAGED", "W_NO_DIACRITICS"];

// -> {known, words}: values by field name and what to tell the clerk; `known` is null when nothing can be used.
export async function readScan(bytes) {
  const { kind, identity, coverage, warnings, error } = await call("decode", bytes);
  const number = coverage?.number ?? identity?.personal_id;
  if (error || !number) return { known: null, words: forCode("scan/error", error ?? "NO_NUMBER") };
  const damaged = warnings.some((warning) => DAMAGED.includes(warning));
  // VssID's short code may be cut inside the name without a sign of it
  const known = {
    number,
    full_name: damaged || kind === "VSSID_QR" ? null : identity?.full_name,
    birth_date: birthText(identity?.birth_date),
    sex: identity?.sex,
  };
  return { known, words: t(`scan/${damaged ? "damaged" : known.full_name ? "filled" : "no_name"}`) };
}

// The form knows whole dates and years.
function birthText(iso) {
  if (!iso) return null;
  return iso.length === 7 ? iso.slice(0, 4) : dateText(iso);
}
