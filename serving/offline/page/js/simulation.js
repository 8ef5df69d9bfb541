// What if: the same models asked about the same patient with some values changed.

import { number } from "./made/numbers.js";
import { changes, simulated } from "./made/page_what_if.js";
import { main } from "./made/template_simulation.js";
import { assess } from "./assess.js";
import { h } from "./dom.js";
import { elements } from "./markup.js";

const WAIT = 250; // milliseconds without a change until it is computed

/** Bring the inputs of a simulation to life; shown is what has them, if anything can be changed. */
export function simulating(shown, before, levers, typed, text) {
  const node = shown.querySelector(".what-if");
  if (!node) return;
  const place = node.querySelector("#simulated");
  const inputs = [...node.querySelectorAll("[name^='if.']")];
  let waiting = 0;
  let asked = 0;
  const simulate = async () => {
    const mine = ++asked;
    const wanted = Object.fromEntries(inputs.map((input) => [input.name, input.value]));
    const markup = await simulation(before, simulated({ ...typed, ...wanted }, levers), text);
    if (mine === asked) place.replaceChildren(elements(markup));
  };
  for (const input of inputs) if (input.dataset.step) slide(input, text);
  node.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(simulate, WAIT);
  });
}

async function simulation(before, checked, text) {
  const wrong = checked?.problems ?? [];
  const found = checked?.record ? changes(before, await assess(checked.record), text) : [];
  return main({ text, lang: text.lang, changes: found, wrong });
}

/** A slider below a number, which say the same. */
function slide(input, text) {
  const { low, high, step, now } = input.dataset;
  const field = input.closest(".field");
  const label = field.querySelector("label").textContent;
  const slider = h("input", { type: "range", min: low, max: high, step, value: now, "aria-label": label });
  slider.addEventListener("input", () => (input.value = text.number(Number(slider.value))));
  input.addEventListener("input", () => {
    const value = number(input.value.trim());
    if (typeof value === "number") slider.value = value;
  });
  field.append(slider);
}
