// Elements, so that text is never taken for markup.

/** Make an element; attributes that start with "on" are listeners, true and false set or leave out. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== false));
  return node;
}

export const list = (items) => (items.length ? h("ul", {}, items.map((i) => h("li", {}, i))) : null);

/** A message that screen readers tell when it changes. */
export function live(kind = "status") {
  return h("div", { role: kind, "aria-live": kind === "alert" ? "assertive" : "polite" });
}
