// Keeping a check-up: open the store if it is locked, then write.

import { h, live } from "./dom.js";
import { StoreError } from "./store.js";
import { LEAST_CHARACTERS } from "./vault.js";

/** In words why the store could not do it. */
export function storeWords(error, text) {
  if (!(error instanceof StoreError)) throw error;
  return text.text(`offline.store.${error.code}`);
}

/** Asks for the passphrase; the first time twice, with what happens if it is forgotten. */
export function unlockForm(station, state, text, done) {
  const fresh = state !== "locked";
  const first = passphrase("passphrase", fresh ? "new-password" : "current-password");
  const second = passphrase("passphrase-again", "new-password");
  const wrong = h("div", { class: "wrong", role: "alert" });
  const node = h("form", { novalidate: true },
    state === "erased" ? h("p", { class: "problem" }, text.text("offline.store.erased")) : null,
    h("p", {}, text.text(fresh ? "offline.new_store" : "offline.locked")),
    labelled(text.text("offline.passphrase"), first),
    fresh ? labelled(text.text("offline.passphrase_again"), second) : null,
    wrong,
    h("div", { class: "row" }, h("button", { class: "main", type: "submit" }, text.text(fresh ? "offline.make_store" : "offline.unlock"))));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    if (fresh && first.value.length < LEAST_CHARACTERS)
      return (wrong.textContent = text.text("offline.passphrase_short", { least: LEAST_CHARACTERS }));
    if (fresh && first.value !== second.value)
      return (wrong.textContent = text.text("offline.passphrase_differs"));
    try {
      await station.unlock(first.value);
      await done?.();
    } catch (error) {
      wrong.textContent = storeWords(error, text);
    }
  });
  return node;
}

const passphrase = (id, autocomplete) =>
  h("input", { id, type: "password", autocomplete, required: true });

export const labelled = (label, input) =>
  h("div", { class: "field" }, h("label", { for: input.id }, label), h("div", { class: "inputs" }, input));

/** Keep the assessed check-up; contentOf gives it with the patient's mark. */
export function savePanel(station, contentOf, text) {
  const patient = h("input", { id: "patient", type: "text", maxlength: 60, autocomplete: "off" });
  const said = live();
  const place = h("div");
  const save = h("button", { class: "main", type: "button", onclick: () => keep() }, text.text("offline.save"));
  const panel = h("fieldset", { class: "keep no-print" },
    h("legend", {}, text.text("offline.save_title")),
    labelled(text.text("offline.patient"), patient),
    h("p", { class: "dim" }, text.text("offline.patient_hint")),
    h("div", { class: "row" }, save), place, said);

  async function keep() {
    said.replaceChildren();
    try {
      if (!station.store.unlocked) {
        const state = await station.store.state();
        place.replaceChildren(unlockForm(station, state, text, async () => {
          place.replaceChildren();
          await keep();
        }));
        place.querySelector("input").focus();
        return;
      }
      save.disabled = true;
      const sequence = await station.save(contentOf(patient.value.trim()));
      said.replaceChildren(h("p", { class: "good" }, text.text("offline.saved", { sequence })));
    } catch (error) {
      save.disabled = false;
      said.replaceChildren(h("p", { class: "problem", role: "alert" },
        h("strong", {}, text.text("offline.not_saved")), " ", storeWords(error, text)));
    }
  }
  return panel;
}
