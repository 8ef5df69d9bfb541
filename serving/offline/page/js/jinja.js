// What templates of the clinician's page mean, for the modules in made/ that are translated from them.

import { Markup } from "./markup.js";
import { add, truthy } from "./python.js";

export { Markup };

/** How something is written into a page: markup as it is, anything else escaped. */
export const said = (a) => String(a instanceof Markup ? a : Markup.escape(a));
export const concat = (...parts) =>
  parts.some((part) => part instanceof Markup) ? new Markup(parts.map(said).join("")) : parts.join("");

/** Members of a list, each with where in it the loop is. */
export const looped = (given) =>
  given.map((each, at) => [each, {
    index: at + 1, index0: at, first: at === 0, last: at === given.length - 1, length: given.length,
  }]);

export const length = (a) => a.length;
export const list = (a) => [...a];
export const reverse = (a) => [...a].reverse();
export const join = (a, sign = "") => [...a].join(sign);
export const map = (a, { attribute }) => [...a].map((each) => each[attribute]);
export const sum = (a, { start }) => [...a].reduce(add, start);
export const unique = (a) => [...new Set(a)];
export const selectattr = (a, attribute) => [...a].filter((each) => truthy(each[attribute]));
export const rejectattr = (a, attribute) => [...a].filter((each) => !truthy(each[attribute]));
