// Calls in doubt: what the journal does not know the end of.

import { h, put, renew, table } from "./dom.js";
import { ask, told } from "./store.js";
import { span } from "./words.js";

const EVERY_MS = 10000;

export function doubts(main) {
  const counts = h("p");
  const list = h("div");
  put(main, h("h1", {}, "In doubt"), h("p", { class: "soft" },
    "Bytes may have left, and no answer was understood. Nothing here is sent anew without proof."), counts, list);
  const update = () => {
    const sum = total();
    put(counts, sum ? `${sum} in doubt; ${old()} of them for too long.` : "No call is in doubt.");
  };
  const load = async () => {
    try {
      const found = await ask("/doubts");
      if (found.journal === false) renew(list, h("p", {}, "This sidecar has no journal."));
      else renew(list, found.calls.length ? rows(found.calls) : null);
    } catch (error) {
      put(list, h("p", { class: "note" }, error.message));
    }
  };
  update();
  load();
  const timer = setInterval(() => document.hidden || load(), EVERY_MS);
  return { update, on: ["unsettled"], leave: () => clearInterval(timer) };
}

export function total() {
  return told.unsettled.filter((row) => row.state === "in_doubt").reduce((sum, row) => sum + row.number, 0);
}

function old() {
  return told.unsettled.filter((row) => row.state === "in_doubt").reduce((sum, row) => sum + row.old, 0);
}

function rows(calls) {
  return table("Those for longest first", [
    ["Age", (row) => span(row.age_s), "num"],
    ["Partner", (row) => row.partner],
    ["Upstream", (row) => row.upstream],
    ["Operation", (row) => row.operation],
    ["Key", (row) => h("code", {}, row.key)],
    ["Reason", (row) => row.reason],
    ["Settling", (row) => row.settling],
    ["Next", (row) => row.next, "wide"],
  ], calls);
}
