// How a language says labels, numbers, probabilities and problems, as cdss.i18n.

import { VARIABLES } from "./made/variables.js";
import { WORDS } from "./made/words.js";
import { PLACE } from "./made/place.js";
import { callable, fixed, general, round } from "./python.js";

export const LANGUAGES = Object.keys(WORDS);

/** What a text is asked of as the library does: by a call. */
class Called {
  constructor() {
    return callable(this);
  }
}

export class Words extends Called {
  constructor(lang) {
    super();
    this.lang = lang;
    this.texts = WORDS[lang];
    this.decimal = this.text("language.decimal");
  }

  /** A text filled in; one that is missing is an error, never another language. */
  text(key, params = {}) {
    if (!Object.hasOwn(this.texts, key)) throw new Error(`no text ${key} in ${this.lang}`);
    return this.texts[key].replace(/\{([a-z_0-9]+)\}/g, (_, name) => {
      if (!Object.hasOwn(params, name)) throw new Error(`text ${key} needs ${name}`);
      const value = params[name];
      return typeof value === "string" ? value : this.number(value);
    });
  }

  __call__(key, params) {
    return this.text(key, params);
  }

  outcome(outcome) {
    return this.text(`outcome.${outcome}`);
  }

  number(number, decimals = null) {
    const text = decimals === null ? general(number) : fixed(number, decimals);
    return text.replace(".", this.decimal);
  }

  label(name) {
    const at = name.indexOf(".");
    const [base, member] = at < 0 ? [name, ""] : [name.slice(0, at), name.slice(at + 1)];
    if (Object.hasOwn(VARIABLES, base)) {
      const text = this.text(`variable.${base}`);
      return member ? `${text} (${member})` : text;
    }
    return this.texts[`field.${name}`] ?? name;
  }

  unit(code) {
    return code ? this.text(`unit.${code}`) : "";
  }

  value(name, value) {
    if (value === null || value === undefined) return this.text("value.unknown");
    const kind = VARIABLES[name].kind;
    if (kind === "choice") return this.text(`value.${name}.${value}`);
    if (kind === "yes_no") return this.text(value ? "value.yes" : "value.no");
    const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    return this.number(round(value, decimals));
  }

  quantity(name, value) {
    const unit = value === null || value === undefined ? "" : this.unit(VARIABLES[name].unit);
    return `${this.value(name, value)} ${unit}`.trimEnd();
  }

  percent(p) {
    if (p < 0.001) return this.text("frequency.percent_fewest", { number: 0.1 });
    if (p > 0.999) return this.text("frequency.percent_most", { number: 99.9 });
    return this.text("frequency.percent", { number: this.number(100 * p, 1) });
  }

  interval(bounds) {
    const [low, high] = [bounds.low, bounds.high].map((end) => this.number(100 * end, 1));
    return this.text("frequency.interval", { low, high });
  }

  frequency(p) {
    if (p < 0.0005) return this.text("frequency.fewest");
    if (p < 0.01) return this.text("frequency.thousand", { count: round(1000 * p) });
    if (p > 0.995) return this.text("frequency.most");
    return this.text("frequency.hundred", { count: round(100 * p) });
  }

  horizon(years) {
    if (years === null) return this.text("horizon.now");
    return years === 1 ? this.text("horizon.one_year") : this.text("horizon.years", { years });
  }

  problem(problem) {
    const params = Object.entries(problem.params).map(([k, v]) => [k, this.#param(k, v)]);
    return this.text(`problem.${problem.code}`, Object.fromEntries(params));
  }

  #param(name, value) {
    if (name === "unit") return this.unit(value);
    if (name === "derived") return this.label(value);
    if (name === "others") return value.map((other) => this.label(other)).join(", ");
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** One sentence of a rule with the numbers in force. */
  advice({ rule, params }) {
    const key = `rule.${rule.id}`;
    const named = Object.entries(params).map(([name, value]) => [name, this.#named(value)]);
    return this.text(key, Object.fromEntries(named));
  }

  #named(value) {
    if (Array.isArray(value)) return value.map((each) => String(this.#named(each))).join(", ");
    return typeof value === "string" ? (this.texts[value] ?? value) : value;
  }

  who(rule) {
    if (!rule.who) return "";
    return PLACE.levels[rule.who]?.[this.lang] || this.text(`who.${rule.who}`);
  }

  within(rule) {
    return rule.within ? this.text(`within.${rule.within}`) : "";
  }

  need(need) {
    const label = this.label(need.variable);
    return need.again ? this.text("report.again", { variable: label }) : label;
  }
}
