// What operators and functions of Python mean, for the modules in made/ that are translated from it.

export * from "./texts.js";

/** Named arguments of a call: the last thing a translated call gives. */
class Named {
  constructor(given) {
    Object.assign(this, given);
  }
}
export const kw = (given) => new Named(given);

/** A set of values that are equal when they look the same. */
export class PySet {
  constructor(items = []) {
    this.inside = new Map([...items].map((item) => [JSON.stringify(item), item]));
  }
  [Symbol.iterator]() {
    return this.inside.values();
  }
  get size() {
    return this.inside.size;
  }
  has(item) {
    return this.inside.has(JSON.stringify(item));
  }
  __or__(other) {
    return new PySet([...this, ...other]);
  }
  __and__(other) {
    return new PySet([...this].filter((item) => other.has(item)));
  }
  __sub__(other) {
    return new PySet([...this].filter((item) => !other.has(item)));
  }
  __le__(other) {
    return [...this].every((item) => other.has(item));
  }
}

/** Fill the fields of a new object from what was given by position or name. */
export function fields(self, names, defaults, given) {
  const named = given.at(-1) instanceof Named ? given.pop() : {};
  names.forEach((name, at) => {
    if (at < given.length) self[name] = given[at];
    else if (name in named) self[name] = named[name];
    else if (name in defaults) self[name] = defaults[name]();
    else throw new TypeError(`${self.constructor.name} needs ${name}`);
  });
  return self;
}
/** An object that can be called. */
export function callable(self) {
  const called = (...given) => called.__call__(...given);
  return Object.setPrototypeOf(called, Object.getPrototypeOf(self));
}
/** The same object with some of its fields changed. */
export const replace = (self, changed) =>
  Object.assign(Object.create(Object.getPrototypeOf(self)), self, changed);
export const getattr = (a, name, otherwise) => a[name] ?? otherwise;
const ids = new WeakMap();
/** A number for an object, the same as long as it lives. */
export function id(a) {
  if (!ids.has(a)) ids.set(a, (id.last = (id.last ?? 0) + 1));
  return ids.get(a);
}

const known = (a) => {
  if (a === undefined) throw new TypeError("a value that should be there is not");
  return a;
};

export function truthy(a) {
  known(a);
  if (Array.isArray(a)) return a.length > 0;
  if (a instanceof PySet) return a.size > 0;
  if (a && typeof a === "object" && "value" in a && "needs" in a)
    throw new TypeError("a Truth may be unknown: combine it with & | ~");
  if (a && (a.constructor === Object || a instanceof Named)) return Object.keys(a).length > 0;
  return Boolean(a);
}
export const both = (a, b) => (truthy(a) ? b() : a);
export const either = (a, b) => (truthy(a) ? a : b());

export const add = (a, b) => (Array.isArray(a) ? [...a, ...iter(b)] : known(a) + known(b));
/** Of two numbers or sets; of two days, written YYYY-MM-DD, how many days they are apart. */
export function sub(a, b) {
  if (typeof a === "string") return { days: day(a) - day(b) };
  return a?.__sub__ ? a.__sub__(b) : known(a) - known(b);
}
const day = (iso) => Math.round(Date.parse(`${iso}T00:00:00Z`) / 86400000);
export function mul(a, b) {
  if (typeof a === "string") return a.repeat(Number(b));
  return Array.isArray(a) ? [].concat(...Array(Number(b)).fill(a)) : known(a) * known(b);
}
export const div = (a, b) => known(a) / known(b);
export const pow = (a, b) => known(a) ** known(b);
export const and = (a, b) => a.__and__(b);
export const or = (a, b) => (a.__or__ ? a.__or__(b) : { ...a, ...b });
export const invert = (a) => a.__invert__();
export const ge = (a, b) => (a?.__ge__ ? a.__ge__(b) : known(a) >= known(b));
export const gt = (a, b) => (a?.__gt__ ? a.__gt__(b) : known(a) > known(b));
export const le = (a, b) => (a?.__le__ ? a.__le__(b) : known(a) <= known(b));
export const lt = (a, b) => (a?.__lt__ ? a.__lt__(b) : known(a) < known(b));
export const eq = (a, b) => known(a) === known(b);
export function within(a, container) {
  if (container instanceof PySet) return container.has(a);
  if (typeof container === "string") return container.includes(a);
  return Array.isArray(container) ? container.includes(a) : Object.hasOwn(container, a);
}

export function iter(a) {
  if (a[Symbol.iterator]) return [...a];
  return Object.keys(a);
}
export function item(a, at) {
  if (a.__getitem__) return a.__getitem__(at);
  if (Array.isArray(a) || typeof a === "string") return known(a.at(Number(at)));
  if (!Object.hasOwn(a, at)) throw new RangeError(`no ${at}`);
  return a[at];
}
export const slice = (a, from, to) => a.slice(from ?? 0, to ?? undefined);
export const get = (a, key, otherwise = null) => (Object.hasOwn(a, key) ? a[key] : otherwise);
export const items = (a) => Object.entries(a);
export const keys = (a) => Object.keys(a);
export const values = (a) => Object.values(a);
export const append = (a, value) => {
  a.push(value);
  return null;
};
export const include = (a, item) => {
  a.inside.set(JSON.stringify(item), item);
  return null;
};
export const setdefault = (a, key, value) => (Object.hasOwn(a, key) ? a[key] : (a[key] = value));
export const join = (glue, parts) => iter(parts).join(glue);

/** A dictionary whose keys are no texts. */
export const table = (pairs) => ({
  __getitem__: (key) => {
    const found = pairs.find(([k]) => JSON.stringify(k) === JSON.stringify(key));
    if (!found) throw new RangeError("no such key");
    return found[1];
  },
});

export const abs = Math.abs;
export const bool = truthy;
export const any = (a) => iter(a).some(truthy);
export const all = (a) => iter(a).every(truthy);
export const dict = (pairs = []) =>
  Object.fromEntries(pairs[Symbol.iterator] ? pairs : Object.entries(pairs));
export const fromkeys = (given) => dict(iter(given).map((key) => [key, null]));
export const enumerate = (given) => iter(given).map((value, at) => [at, value]);
export function float(a) {
  if (typeof a === "string") return { inf: Infinity, "-inf": -Infinity, nan: NaN }[a] ?? Number(a);
  return Number(known(a));
}
export const int = (a) => Math.trunc(Number(a));
export const len = (a) => (a instanceof PySet ? a.size : iter(a).length);
export const next = (a, otherwise) => (a.length ? a[0] : known(otherwise));
export const map = (of, a) => iter(a).map((each) => of(each));
/** All that comes one after the other, some of it later. */
export async function gathered(given) {
  const found = [];
  for await (const each of given) found.push(each);
  return found;
}
export const list = (a) => iter(a);
export const tuple = (a = []) => iter(a);
export const set = (a = []) => new PySet(iter(a));
export const frozenset = set;
export const str = (a) => format(a, "");
export const sum = (a) => iter(a).reduce((total, each) => total + each, 0);
export const zip = (...lists) => {
  const all = lists.map(iter);
  const shortest = Math.min(...all.map((each) => each.length));
  return Array.from({ length: shortest }, (_, at) => all.map((each) => each[at]));
};
export const range = (n) => Array.from({ length: n }, (_, at) => at);
function extreme(of, given) {
  const named = given.at(-1) instanceof Named ? given.pop() : {};
  const numbers = given.length === 1 ? iter(given[0]) : given;
  if (!numbers.length) return known(named.default);
  return of(...numbers);
}
export const max = (...given) => extreme(Math.max, given);
export const min = (...given) => extreme(Math.min, given);
export const pairwise = (a) => iter(a).slice(1).map((each, at) => [a[at], each]);
export function bisect_right(thresholds, value) {
  return thresholds.filter((each) => each <= value).length;
}
/** Sort numbers or texts, or by a key that is one or a list of them; equals keep their order. */
export function sorted(given, { key = (a) => a } = {}) {
  return iter(given).sort((a, b) => compared(key(a), key(b)));
}
export function compared(a, b) {
  if (!Array.isArray(a)) return a < b ? -1 : a > b ? 1 : 0;
  for (let at = 0; at < a.length; at++) {
    const found = compared(a[at], b[at]);
    if (found) return found;
  }
  return 0;
}
const KINDS = {
  bool: (a) => typeof a === "boolean",
  str: (a) => typeof a === "string",
  float: (a) => typeof a === "number",
  tuple: Array.isArray,
  "np.floating": () => false,
};
/** Whether something is of one of some types, Python's by their names. */
export const isinstance = (a, ...kinds) =>
  kinds.some((kind) => (typeof kind === "string" ? KINDS[kind](a) : a instanceof kind));

export const math = {
  ceil: Math.ceil, floor: Math.floor, exp: Math.exp, expm1: Math.expm1, log: Math.log, pow: Math.pow, sin: Math.sin, asin: Math.asin,
  sqrt: Math.sqrt, maximum: Math.max, minimum: Math.min, inf: Infinity, nan: NaN,
  isinf: (a) => Math.abs(a) === Infinity, isnan: Number.isNaN,
};

/** Digits of a number rounded as Python does: to nearest, ties to even. */
export function fixed(number, decimals) {
  if (Math.abs(number) >= 1e21) return BigInt(number).toString() + (decimals ? `.${"0".repeat(decimals)}` : "");
  const exact = Math.abs(number).toFixed(Math.min(100, decimals + 60));
  const cut = exact.length - 60;
  const rest = exact.slice(cut);
  let digits = exact.slice(0, cut).replace(".", "");
  const tie = /^50*$/.test(rest);
  const up = tie ? Number(digits.at(-1)) % 2 === 1 : rest >= "5";
  if (up) digits = (BigInt(digits) + 1n).toString().padStart(digits.length, "0");
  const whole = digits.slice(0, digits.length - decimals) || "0";
  const text = decimals ? `${whole}.${digits.slice(digits.length - decimals)}` : whole;
  return (number < 0 || Object.is(number, -0) ? "-" : "") + text;
}
export function round(number, decimals = 0) {
  return Number(fixed(number, decimals));
}
/** A number with some significant figures, as Python's format "g". */
export function general(number, figures = 6) {
  if (number === 0) return Object.is(number, -0) ? "-0" : "0";
  if (!Number.isFinite(number)) return number > 0 ? "inf" : number < 0 ? "-inf" : "nan";
  let power = Number(number.toExponential(figures - 1).split("e")[1]);
  if (power < -4 || power >= figures) {
    const [digits, exponent] = number.toExponential(figures - 1).split("e");
    const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
    const size = String(Math.abs(Number(exponent))).padStart(2, "0");
    return `${short}e${exponent.startsWith("-") ? "-" : "+"}${size}`;
  }
  const text = fixed(number, figures - 1 - power);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
export function format(a, spec) {
  if (spec === "" || spec === "r") return typeof a === "string" ? a : String(a);
  const decimals = /^\.(\d+)f$/.exec(spec);
  if (decimals) return fixed(a, Number(decimals[1]));
  const figures = /^(?:\.(\d+))?g$/.exec(spec);
  if (figures) return general(a, figures[1] ? Number(figures[1]) : 6);
  throw new TypeError(`format ${spec}`);
}

/** Members of a list by what a function says of them, in the order in which that first occurs. */
export function groupBy(given, of) {
  const found = new Map();
  for (const each of given) {
    const key = of(each);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(each);
  }
  return found;
}
