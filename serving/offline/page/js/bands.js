// Bands of a risk that a guideline in force prints, as the library said them when the edition was built.

import { BANDS } from "./made/page.js";

export const bands_of = (question, place, text) => BANDS[text.lang][question] ?? [];
