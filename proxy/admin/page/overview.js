// Partners × slices. Elements are made once and then changed in place, so that focus stays where it is.

import { h, put, say } from "./dom.js";
import { told } from "./store.js";
import { ms, percent, plural, stateOf, valueOf, worst } from "./words.js";

const VALUES_MAX = 4;

export function overview(main) {
  const only = h("input", { type: "checkbox", id: "only" });
  const find = h("input", { type: "search", id: "find", placeholder: "name", size: "14" });
  const grid = h("div");
  const none = h("p", { class: "soft", hidden: true }, "Nothing to show.");
  put(main, h("div", { class: "tools" }, h("h1", {}, "Partners"),
    h("label", { for: "only" }, only, " only what is not well"),
    h("label", { for: "find" }, "Find ", find)), grid, none);
  const cards = new Map();
  const update = () => {
    const groups = grouped();
    let shown = 0;
    for (const [name, upstreams] of groups) {
      if (!cards.has(name)) {
        cards.set(name, card(name));
        const after = [...cards.keys()].sort();
        put(grid, ...after.map((each) => cards.get(each).element));
      }
      const state = cards.get(name).update(upstreams);
      const hidden = (only.checked && state.rank < 2) || !name.includes(find.value.trim());
      cards.get(name).element.hidden = hidden;
      shown += hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
  };
  only.addEventListener("change", update);
  find.addEventListener("input", update);
  update();
  return { update, on: ["rows", "about"] };
}

// partner -> upstream -> operation -> {broad, values}
function grouped() {
  const found = new Map(Object.keys(told.about?.partners ?? {}).map((name) => [name, new Map()]));
  for (const row of told.rows.values()) {
    const upstreams = found.get(row.partner) ?? found.set(row.partner, new Map()).get(row.partner);
    const operations = upstreams.get(row.upstream) ?? upstreams.set(row.upstream, new Map()).get(row.upstream);
    const cell = operations.get(row.operation)
      ?? operations.set(row.operation, { broad: null, values: [] }).get(row.operation);
    if (row.value) cell.values.push(row);
    else cell.broad = row;
  }
  return found;
}

function card(name) {
  const mark = h("span");
  const element = h("section", { class: "partner", "aria-label": name },
    h("h2", {}, h("a", { href: `#/partner/${encodeURIComponent(name)}` }, name), mark));
  const upstreams = new Map();
  const update = (found) => {
    let bad = worst([]);
    for (const [upstream, operations] of found) {
      if (!upstreams.has(upstream)) {
        upstreams.set(upstream, row(name, upstream));
        sorted(upstreams, told.about?.partners[name] ?? []).forEach((each) => element.append(each.element));
      }
      const state = upstreams.get(upstream).update(operations);
      bad = state.rank > bad.rank ? state : bad;
    }
    element.className = bad.rank > 2 ? "partner bad" : "partner";
    paint(mark, bad);
    return bad;
  };
  return { element, update };
}

// What a map holds, by its keys: first those of the given order, then the others by name.
function sorted(made, order) {
  const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  const names = [...made.keys()].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  return names.map((name) => made.get(name));
}

function row(partner, upstream) {
  const tiles = h("ul", { class: "tiles" });
  const element = h("div", { class: "upstream" }, h("h3", {}, upstream), tiles);
  const made = new Map();
  const update = (operations) => {
    let bad = worst([]);
    for (const [operation, cell] of operations) {
      if (!made.has(operation)) {
        made.set(operation, tile(partner, operation));
        put(tiles, ...sorted(made, []).map((each) => each.element));
      }
      const state = made.get(operation).update(cell);
      bad = state.rank > bad.rank ? state : bad;
    }
    return bad;
  };
  return { element, update };
}

function tile(partner, operation) {
  const mark = h("span");
  const figures = h("small", { class: "num" });
  const values = h("small");
  const link = h("a", { class: "tile", href: `#/partner/${encodeURIComponent(partner)}` },
    h("b", {}, operation), mark, figures, values);
  const update = (cell) => {
    const broad = cell.broad ? [cell.broad] : [];
    const state = worst([...broad, ...cell.values]);
    link.className = `tile${state.rank > 2 ? " bad" : state.rank === 2 ? " warn" : ""}`;
    paint(mark, state);
    say(figures, broad.map(figuresOf).join(""));
    say(values, valuesOf(cell.values));
    return state;
  };
  return { element: h("li", {}, link), update };
}

function figuresOf(row) {
  if (row.calls === 0) return "none in the last minute";
  const bad = row.failed ? ` · ${percent(row.share)} fail` : "";
  const slow = row.slow ? ` · ${row.slow} slow` : "";
  return `${plural(row.calls, "call")}/min${bad}${slow} · p99 ${ms(row.p99_ms)}`;
}

function valuesOf(rows) {
  const bad = rows.filter((each) => stateOf(each).rank > 1);
  const named = bad.slice(0, VALUES_MAX).map((each) => `${valueOf(each)}: ${stateOf(each).word}`);
  const more = bad.length > VALUES_MAX ? [`${bad.length - VALUES_MAX} more not well`] : [];
  const well = rows.length - bad.length;
  return [...named, ...more, ...(well ? [`${plural(well, "value")} well`] : [])].join("; ");
}

function paint(at, state) {
  const kind = `word state-${state.kind}`;
  if (at.className === kind && at.textContent === state.word) return;
  at.className = kind;
  put(at, h("span", { class: `shape ${state.kind}` }), state.word);
}
