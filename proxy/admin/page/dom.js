// Small helpers around the DOM. Text from the sidecar is only ever set as text, never as markup.

// Make an element: h("a", {href: "#/"}, "text", child). Properties are attributes, but for `on…`.
export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  put(made, ...children);
  return made;
}

// Replace what an element holds.
export function put(at, ...children) {
  at.replaceChildren(...children.flat().filter((each) => each !== null && each !== undefined));
}

const HELD = "a, button, input, select, .scroll";

// Replace what an element holds, and leave focus and scrolling where they were.
export function renew(at, ...children) {
  const before = [...at.querySelectorAll(HELD)];
  const focused = before.indexOf(document.activeElement);
  const scrolled = before.map((each) => each.scrollLeft);
  put(at, ...children);
  at.querySelectorAll(HELD).forEach((each, number) => {
    if (scrolled[number]) each.scrollLeft = scrolled[number];
    if (number === focused) each.focus({ preventScroll: true });
  });
}

// Set text only where it differs, so that readers of the screen hear only changes.
export function say(at, text) {
  if (at.textContent !== text) at.textContent = text;
}

// A table: columns are [title, cell of a row, class].
export function table(caption, columns, rows, rowClass = () => null) {
  const head = columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title));
  const body = rows.map((row) => h("tr", { class: rowClass(row) }, ...columns.map(
    ([, cell, kind]) => h("td", { class: kind }, cell(row)))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)));
}

// A state: shape, word and colour together.
export function mark(state) {
  return h("span", { class: `state-${state.kind}` }, h("span", { class: `shape ${state.kind}` }), state.word);
}
