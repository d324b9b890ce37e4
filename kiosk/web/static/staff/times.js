// Times as the hospital's clock shows them: UTC+7, whatever this computer is set to.

const OFFSET_MS = 7 * 3600 * 1000;

const local = (iso) => new Date(Date.parse(iso) + OFFSET_MS).toISOString();

export const clock = (iso) => local(iso).slice(11, 16);

export function moment(iso) {
  const [year, month, day] = local(iso).slice(0, 10).split("-");
  return `${clock(iso)} ${day}/${month}/${year}`;
}
