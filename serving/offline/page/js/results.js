// What an assessment says: the clinician's page, without what needs its server.

import { block_main } from "./made/template_results.js";
import { jump } from "./form.js";
import { elements } from "./markup.js";

// A form that asks nothing: the one above the results stays.
const NO_FORM = { parts: [], typed: {}, wrong: {}, open: [], history: "", rows: 0, columns: [], visits: [] };
const ELSEWHERE = "input[type=hidden], #change, #simulate, .finish, .meaning .id";

/** All there is to say, as markup; day and patient as the heading tells them. */
export const page = (found, day, patient, text) =>
  block_main({
    ...found, text, lang: text.lang, day, patient, assessment_id: "", reasons: [], kept: [], note: "",
    changes: [], wrong: [], form: NO_FORM,
  });

/** The same as a fragment; links lead to what they name without leaving this view. */
export function results(found, day, patient, text) {
  const whole = elements(page(found, day, patient, text));
  for (const node of whole.querySelectorAll(ELSEWHERE)) node.remove();
  const title = whole.querySelector("h1");
  title.id = "results";
  title.tabIndex = -1;
  for (const link of whole.querySelectorAll('a[href^="#"]')) {
    const at = link.getAttribute("href").slice(1);
    link.href = "#checkup";
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (at.startsWith("f-")) jump(at.slice(2));
      else show(document.getElementById(at));
    });
  }
  const shown = document.createDocumentFragment();
  shown.append(...whole.querySelector("form").childNodes);
  return shown;
}

function show(target) {
  target.scrollIntoView();
  target.focus({ preventScroll: true });
}
