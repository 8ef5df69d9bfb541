// What an assessment says, in words, tables and bars; built from the same JSON the service answers.

import { MODELS } from "./made/models.js";
import { h, list } from "./dom.js";
import { contributionRows, percentagePoints } from "./contributions.js";
import { groupBy } from "./python.js";

const ABOUT = Object.fromEntries(MODELS.map((model) => [model.id, model.about]));

/** All there is to say; derived are the variables that were computed. */
export function results(found, derived, text) {
  const urgent = found.advice.filter((advice) => advice.topic === "urgent");
  const rest = found.advice.filter((advice) => advice.topic !== "urgent");
  const outcomes = [...found.estimates, ...found.ranges, ...found.points];
  const beside = new Set(found.answers.flatMap((answer) => answer.beside));
  const aside = outcomes.filter((each) => beside.has(each.model));
  const panel = (each) =>
    "probability" in each ? estimate(each, derived, text) : "most" in each ? points(each, text) : range(each, text);
  return [
    h("h2", { tabindex: -1, id: "results" }, text.text("report.title", { date: day(found.index_date, text) })),
    h("p", { class: "notice" }, found.notice),
    urgent.length ? h("div", { class: "problem" }, h("h3", {}, text.text("topic.urgent")), advices(urgent, text)) : null,
    summary(found, text),
    outcomes.filter((each) => !beside.has(each.model)).map(panel),
    aside.length
      ? h("details", {}, h("summary", {}, text.text("report.beside", { models: aside.map((each) => each.model).join(", ") })), aside.map(panel))
      : null,
    found.disagreements.map((each) => disagreement(each, text)),
    advice(rest, text),
    toAsk(found.to_ask, text),
    notEstimated(found.not_estimated, text),
    setAside(found.set_aside, text),
    meaning(found.estimates, text),
  ];
}

const day = (iso, text) => {
  const [year, month, date] = iso.split("-");
  return text.text("language.date").replace("%d", date).replace("%m", month).replace("%Y", year);
};

const heading = (of, text) =>
  `${text.text(`outcome.${of.outcome}`)}, ${text.horizon(of.horizon_years)}`;

const problemList = (problems, text) =>
  list(problems.map((p) => `${text.label(p.variable)}: ${p.detail}`));

function summary(found, text) {
  const outcomes = [...found.estimates, ...found.ranges, ...found.points];
  const rows = found.answers.map((answer) => {
    const outcome = outcomes.find((each) => each.model === answer.model);
    const said = outcome ? short(outcome, text) : answer.measured.length
      ? text.text("report.measured", { variables: answer.measured.map((n) => text.label(n)).join(", ") })
      : text.text("report.refused");
    return h("li", {}, h("span", {}, outcome ? heading(outcome, text) : answer.text), h("strong", {}, said));
  });
  return h("ul", { class: "summary" }, rows);
}

function short(outcome, text) {
  if ("probability" in outcome) return percent(outcome, text);
  if ("most" in outcome) {
    const low = outcome.low < outcome.high ? `${outcome.low}–${outcome.high}` : String(outcome.low);
    return text.text("report.points", { low, most: outcome.most });
  }
  return `${text.percent(outcome.low)} – ${text.percent(outcome.high)}`;
}

const percent = (found, text) =>
  text.percent(found.probability) + (found.interval ? ` ${text.interval(found.interval)}` : "");

function estimate(found, derived, text) {
  const start = found.baseline_probability;
  const params = { frequency: text.frequency(start), percent: text.percent(start) };
  return h("section", { class: "panel" },
    h("h3", {}, heading(found, text)),
    h("p", { class: "risk" }, text.percent(found.probability), " ",
      h("small", {}, found.interval ? text.interval(found.interval) : "")),
    h("p", {}, h("strong", {}, text.frequency(found.probability))),
    h("p", { class: "dim" }, text.text(found.reference ? "report.reference_risk" : "report.baseline", params)),
    contributions(found, derived, text),
    found.contributions.some((c) => derived.has(c.variable)) ? h("p", { class: "dim" }, text.text("report.computed")) : null,
    found.missing.length ? h("p", {}, text.text("report.missing", { variables: names(found.missing, text) })) : null,
    problemList(found.warnings.filter((w) => w.code !== "stale"), text),
    foot(found, text));
}

const names = (variables, text) => variables.map((name) => text.label(name)).join(", ");

/** A table of what each input adds, with a bar in each row: the table is the picture in words. */
function contributions(found, derived, text) {
  const rows = contributionRows(found, derived, text);
  const said = percentagePoints(rows, text);
  const scale = Math.max(...rows.map((row) => Math.abs(row.points))) || 1;
  const compared = found.reference
    ? text.text("report.reference", {
        values: Object.entries(found.reference).map(([n, v]) => `${text.label(n)} ${text.quantity(n, v)}`).join("; "),
      })
    : text.text("report.compared");
  const line = (row, at) =>
    h("tr", {},
      h("th", { scope: "row" }, row.label, h("span", { class: "dim" }, row.value ? ` ${row.value}` : "")),
      h("td", { class: "bars" }, bar(row.points / scale)),
      h("td", { class: "number" }, said[at]));
  const part = (key, wanted) => {
    const some = rows.map((row, at) => [row, at]).filter(([row]) => wanted(row));
    const head = h("tr", {}, h("th", { scope: "rowgroup", colspan: 3, class: "dim" }, text.text(key)));
    return some.length ? h("tbody", {}, head, some.map(([row, at]) => line(row, at))) : null;
  };
  return h("table", {}, h("caption", { class: "dim" }, compared),
    part("offline.modifiable", (row) => row.modifiable === true),
    part("offline.not_modifiable", (row) => row.modifiable !== true));
}

/** A bar to the right of the axis raises the risk, to the left lowers it. */
function bar(share) {
  const width = Math.abs(share) * 48;
  return h("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("rect", { class: share < 0 ? "down" : "up", x: share < 0 ? 50 - width : 50, y: 1, width, height: 8 }),
    h("line", { class: "axis", x1: 50, x2: 50, y1: 0, y2: 10, "stroke-width": 0.8 }));
}

function range(found, text) {
  const span = { low: text.percent(found.low), high: text.percent(found.high) };
  return h("section", { class: "panel" },
    h("h3", {}, heading(found, text)),
    h("p", {}, h("strong", {}, text.text("report.range", span))),
    h("p", {}, text.text("report.narrowed_by", { variables: names(found.narrowed_by, text) })),
    problemList(found.warnings, text),
    foot(found, text));
}

function points(found, text) {
  const key = found.low === found.high ? "report.points" : "report.points_range";
  const said = { true: "positive", false: "negative", null: "perhaps" }[found.positive];
  const params = { cut_off: found.cut_off, variables: names(found.missing, text) };
  const count = (item) => (item.low === item.high ? String(item.low) : `${item.low}–${item.high}`);
  return h("section", { class: "panel" },
    h("h3", {}, heading(found, text)),
    h("p", { class: "risk" }, text.text(key, { low: found.low, high: found.high, most: found.most })),
    h("p", {}, h("strong", {}, text.text(`report.${said}`, params))),
    h("table", {}, h("tbody", {}, found.items.map((item) =>
      h("tr", {}, h("th", { scope: "row" }, text.label(item.variable), h("span", { class: "dim" }, ` ${text.quantity(item.variable, item.value)}`)),
        h("td", { class: "number" }, count(item)))))),
    problemList(found.warnings, text),
    foot(found, text));
}

function foot(found, text) {
  const about = ABOUT[found.model]?.[text.lang];
  return [
    about ? h("p", { class: "dim" }, `${about.population} ${about.vietnam}`) : null,
    h("p", { class: "dim" }, text.text("report.model", { model: found.model, version: found.version })),
  ];
}

function disagreement(found, text) {
  const params = { low: text.percent(found.low), high: text.percent(found.high), models: found.models.join(", ") };
  return h("section", { class: "panel" }, h("h3", {}, heading(found, text)), h("p", {}, text.text("report.disagree", params)));
}

function advice(rest, text) {
  return h("section", {},
    h("h2", {}, text.text("offline.advice")),
    rest.length ? [...groupBy(rest, (each) => each.topic)].map(([topic, some]) =>
      [h("h3", {}, text.text(`topic.${topic}`)), advices(some, text)])
      : h("p", {}, text.text("report.no_advice")));
}

const advices = (some, text) =>
  list(some.map((each) => {
    const more = [each.who, each.within].filter(Boolean).join("; ");
    const strength = each.strength ? text.text("report.strength", { strength: each.strength }) : text.text("report.no_strength");
    return [
      each.text + (more ? ` (${more})` : ""),
      h("div", { class: "dim" }, `${each.rule} · ${each.source.citation}, ${each.source.locator} · ${strength}`),
      each.open.map((what) => h("div", { class: "dim" }, text.text("report.open", { what }))),
    ];
  }));

const toAsk = (some, text) =>
  some.length
    ? h("details", {}, h("summary", {}, text.text("report.undecided")),
        list(some.map((each) => text.text("report.undecided_row", { need: each.text, rules: each.rules.join(", ") }))))
    : null;

const notEstimated = (some, text) =>
  some.length
    ? h("section", {}, h("h2", {}, text.text("report.not_estimated")),
        some.map((each) => [h("h3", {}, heading(each, text)), problemList(each.reasons, text), h("p", { class: "dim" }, text.text("report.model", each))]))
    : null;

const setAside = (some, text) =>
  some.length ? h("section", {}, h("h2", {}, text.text("report.set_aside")), problemList(some, text)) : null;

function meaning(estimates, text) {
  const claims = new Map(estimates.filter((e) => e.interval).map(({ interval }) =>
    [`${interval.people} ${interval.level}`, { people: interval.people, level: 100 * interval.level }]));
  return h("section", { class: "dim" },
    [...claims.values()].map((claim) => h("p", {}, text.text("notice.interval", claim))),
    h("p", {}, text.text("notice.baseline")));
}
