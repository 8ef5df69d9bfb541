// What templates and drawings of the library write, and how it becomes elements: markup of our own,
// in which everything that is told is escaped, and of which the page's policy runs nothing.

const NAMES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };

export class Markup extends String {
  static escape(said) {
    return new Markup(String(said).replace(/[&<>"']/g, (sign) => NAMES[sign]));
  }
}

/** A fragment with the elements of some markup. */
export function elements(markup) {
  if (!(markup instanceof Markup)) throw new TypeError("is no markup");
  const parsed = new DOMParser().parseFromString(String(markup), "text/html");
  const found = document.createDocumentFragment();
  found.append(...document.adoptNode(parsed.body).childNodes);
  return found;
}
