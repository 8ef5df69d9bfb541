// What methods of Python's texts and days mean; days are written YYYY-MM-DD.

const ends = (signs) => signs.replace(/[\\\]^-]/g, "\\$&");
export const lstrip = (text, signs) => text.replace(new RegExp(`^[${ends(signs)}]+`), "");
export const strip = (text, signs = null) =>
  signs === null ? text.trim() : lstrip(text, signs).replace(new RegExp(`[${ends(signs)}]+$`), "");
export function partition(text, sign) {
  const at = text.indexOf(sign);
  return at < 0 ? [text, "", ""] : [text.slice(0, at), sign, text.slice(at + sign.length)];
}
export function rpartition(text, sign) {
  const at = text.lastIndexOf(sign);
  return at < 0 ? ["", "", text] : [text.slice(0, at), sign, text.slice(at + sign.length)];
}
export const split = (text, sign) => text.split(sign);
export const startswith = (text, starts) => [starts].flat().some((each) => text.startsWith(each));
export const endswith = (text, end) => text.endsWith(end);
export const removesuffix = (text, end) =>
  end && text.endsWith(end) ? text.slice(0, -end.length) : text;
export const replaced = (text, what, by) => text.replaceAll(what, by);
/** How often something is in a list. */
export const count = (a, what) => [...a].filter((each) => each === what).length;
/** Where something is in a list. */
export function index(a, what) {
  const at = a.indexOf(what);
  if (at < 0) throw new RangeError("is not in it");
  return at;
}

export const isoformat = (day) => day;
export function strftime(day, form) {
  const [year, month, date] = day.split("-");
  return form.replace("%d", date).replace("%m", month).replace("%Y", year);
}
const BEFORE_1970 = 719163; // days, as Python counts them
export const toordinal = (day) => Date.parse(`${day}T00:00:00Z`) / 86400000 + BEFORE_1970;

export const re = {
  compile: (pattern) => ({ fullmatch: (text) => new RegExp(`^(?:${pattern})$`).exec(text) }),
  findall: (pattern, text) => text.match(new RegExp(pattern, "g")) ?? [],
};
