// What the page does better with a script: it works without. Nothing is kept, nothing is sent elsewhere.
"use strict";

const form = document.getElementById("check-up");

// A number with a decimal point or comma; NaN if it is none, or could be read in two ways.
function number(text) {
  const said = text.trim().replace("\u2212", "-");
  if (!/^[+-]?\d+([.,]\d+)?$/.test(said)) return NaN;
  const [whole, decimals = ""] = said.split(/[.,]/);
  if (decimals.length === 3 && whole.replace(/^[+-]/, "").length <= 3 && !/^[+-]?0/.test(whole)) return NaN;
  return Number(`${whole}.${decimals || 0}`);
}

// The limits that hold for an input: those of the unit chosen beside it.
function limits(input) {
  const units = input.closest(".entry")?.querySelector("select");
  return (units ? units.selectedOptions[0] : input).dataset;
}

function check(input) {
  const { low, high, said } = limits(input);
  const hint = document.getElementById(`h-${input.name}`);
  if (hint) hint.textContent = said;
  const value = number(input.value);
  const wrong = input.value.trim() !== "" && !(value >= Number(low) && value <= Number(high));
  const error = document.getElementById(`e-${input.name}`);
  error.textContent = wrong ? said : "";
  input.closest(".field").classList.toggle("wrong", wrong);
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  return !wrong;
}

function checks() {
  // What is told moves what lies below: never between the two halves of a click.
  let click = null;
  form.addEventListener("pointerdown", () => {
    click = new Promise((over) => {
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(over), { once: true });
    });
  });
  for (const input of form.querySelectorAll("input[data-number]")) {
    const typed = input.value;
    const tell = async () => {
      await click;
      check(input);
    };
    input.addEventListener("change", () => {
      tell();
      // A value that was changed was not measured on the day of the one before.
      const day = form.elements[`${input.name}.date`];
      if (day && input.value !== typed) day.value = "";
    });
    input.closest(".entry").querySelector("select")?.addEventListener("change", tell);
  }
  document.getElementById("problems")?.focus();
}

// A link to a question opens what it is folded in.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
}

function dropping() {
  const file = document.getElementById("file");
  if (!file) return;
  const over = (event, on) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", on);
  };
  addEventListener("dragover", (event) => over(event, true));
  addEventListener("dragleave", (event) => over(event, false));
  addEventListener("drop", (event) => {
    over(event, false);
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    document.getElementById("read").click();
  });
  file.addEventListener("change", () => file.files.length && document.getElementById("read").click());
}

// Posts the form as it stands and puts the answer, a part of a page, into its place.
async function fetchPart(address, place) {
  const sent = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") sent.append(name, value);
  sent.append("fragment", "1");
  const answer = await fetch(address, { method: "POST", body: sent });
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...(part.querySelector("main") ?? part.body).childNodes);
}

function simulating() {
  const place = document.getElementById("simulated");
  if (!place) return;
  let waiting = 0;
  const simulate = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => fetchPart("/page/what-if", place), 250);
  };
  for (const input of document.querySelectorAll(".lever input[data-step]")) {
    const slider = Object.assign(document.createElement("input"), {
      type: "range", min: input.dataset.low, max: input.dataset.high, step: input.dataset.step, value: input.dataset.now,
    });
    slider.setAttribute("aria-label", document.querySelector(`label[for="${input.id}"]`).textContent);
    const typed = number(input.value);
    if (typed >= Number(slider.min) && typed <= Number(slider.max)) slider.value = typed;
    const comma = document.documentElement.lang === "vi";
    slider.addEventListener("input", () => {
      input.value = comma ? slider.value.replace(".", ",") : slider.value;
      simulate();
    });
    input.addEventListener("change", () => { slider.value = number(input.value); });
    input.closest(".field").append(slider);
  }
  for (const input of document.querySelectorAll(".lever [name^='if.']")) input.addEventListener("change", simulate);
  document.getElementById("simulate").addEventListener("click", (event) => {
    event.preventDefault();
    fetchPart("/page/what-if", place);
  });
}

function judging() {
  const button = document.getElementById("judge");
  button?.addEventListener("click", (event) => {
    event.preventDefault();
    fetchPart("/page/feedback", document.getElementById("kept"));
  });
}

if (form) {
  checks();
  dropping();
  simulating();
  judging();
  addEventListener("hashchange", unfold);
  unfold();
}
