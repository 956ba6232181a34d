// Incidents: the list, and one record.

import { h, mark, put, renew, table } from "./dom.js";
import { ask, told } from "./store.js";
import { clock, span } from "./words.js";

const OPEN = { kind: "degraded", word: "open" };
const CLOSED = { kind: "ok", word: "closed" };

export function incidents(main) {
  const list = h("div");
  put(main, h("h1", {}, "Incidents"), list);
  const update = () => {
    const trouble = told.about?.trouble;
    renew(list, trouble ? h("p", { class: "note" }, `A restart would not know what is open: ${trouble}`) : null,
      told.incidents.length ? rows() : h("p", { class: "soft" }, "There were none."));
  };
  update();
  return { update, on: ["incidents", "about"] };
}

function rows() {
  return table("The newest first", [
    ["State", (row) => mark(row.ended_at ? CLOSED : OPEN), "whole"],
    ["Opened", (row) => clock(row.opened_at)],
    ["Lasted", (row) => span((row.ended_at ?? Date.now() / 1000) - row.since), "num"],
    ["What", (row) => h("a", { href: `#/incident/${row.id}` }, row.sentence), "wide"],
    ["Failed", (row) => String(row.impact[0]), "num"],
    ["In doubt", (row) => String(row.impact[1]), "num"],
    ["Moved", (row) => String(row.impact[2]), "num"],
  ], told.incidents);
}

export function incident(main, id) {
  const at = h("div");
  put(main, h("h1", {}, `Incident ${id}`), at);
  const update = async () => {
    try {
      const found = await ask(`/incidents/${encodeURIComponent(id)}`);
      renew(at, ...record(found.incident));
    } catch (error) {
      put(at, h("p", { class: "note" }, error.message));
    }
  };
  update();
  return { update, on: ["incidents"] };
}

function record(each) {
  const open = each.state === "open";
  const facts = [
    ["State", mark(open ? OPEN : CLOSED)], ["Partner", each.partners.join(", ")], ["Slice", each.slices.join("; ")],
    ["Phase", each.phase], ["Reason", each.reason], ["Origin", each.origin], ["Confidence", each.confidence],
    ["First bad event", clock(each.since)], ["Named", `${clock(each.opened_at)}, after ${each.named_after_s.toFixed(1)} s`],
    ["End", open ? "goes on" : clock(each.ended_at)],
  ];
  const impact = [["failed", "failed"], ["in doubt", "in_doubt"], ["moved", "moved"]];
  return [
    h("p", {}, each.sentence),
    h("dl", {}, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("p", {}, h("a", { href: `/incidents/${encodeURIComponent(each.id)}.md` }, "as Markdown"), " · ",
      h("a", { href: `/incidents/${encodeURIComponent(each.id)}` }, "as JSON")),
    table("Impact", [["Ended", ([words]) => words], ["Calls", ([, name]) => String(each.impact[`calls_${name}`]), "num"],
      ["Of them payments", ([, name]) => String(each.impact[`payments_${name}`]), "num"]], impact),
    h("h2", {}, "Timeline"),
    h("ol", { class: "line" }, ...each.timeline.map((line) => h("li", {}, h("time", {}, clock(line.at)), " · ",
      h("b", {}, line.what), ": ", line.words))),
    h("h2", {}, "Evidence"), h("ul", {}, ...each.evidence.map((line) => h("li", {}, line))),
  ];
}
