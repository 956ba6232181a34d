// The sentence on top of every page.

import { h, put } from "./dom.js";
import { told } from "./store.js";

let shown = "";

// What stands, or that nothing does. It is only made anew when the words differ.
export function showVerdict(at) {
  if (told.verdicts === null) return;
  const text = JSON.stringify(told.verdicts.map((each) => [each.sentence, each.incident]));
  if (text === shown) return;
  shown = text;
  if (told.verdicts.length === 0) {
    put(at, h("div", { class: "well" }, h("p", { class: "sentence state-ok" },
      h("span", { class: "shape ok" }), "No partner is degraded.")));
    return;
  }
  put(at, ...told.verdicts.map(one));
}

function one(each) {
  const [who, ...what] = each.sentence.split(": ");
  const links = each.partners.filter((name) => name in told.about.partners).map(
    (name) => [" · ", h("a", { href: `#/partner/${encodeURIComponent(name)}` }, name)]);
  const record = each.incident ? [" · ", h("a", { href: `#/incident/${each.incident}` }, "incident record")] : [];
  return h("div", { class: "trouble" },
    h("p", { class: "sentence" }, h("span", { class: "shape degraded state-degraded" }),
      h("b", {}, `${who}: `), what.join(": ")),
    h("p", { class: "under" }, `confidence ${each.confidence}`, ...links.flat(), ...record));
}
