// What is in force: differences to the file first, then every setting. Credentials are masked by the sidecar.

import { h, put, renew, table } from "./dom.js";
import { ask, told } from "./store.js";
import { clock } from "./words.js";

export function config(main) {
  const differences = h("div");
  const list = h("div");
  const find = h("input", { type: "search", id: "find-setting", size: "24" });
  const set = h("input", { type: "checkbox", id: "only-set" });
  let found = null;
  put(main, h("h1", {}, "Configuration"), h("h2", {}, "Differences to the file"), differences, h("h2", {}, "Settings"),
    h("div", { class: "tools" }, h("label", { for: "find-setting" }, "Find ", find),
      h("label", { for: "only-set" }, set, " only what the file or a profile sets")), list);
  const show = () => {
    if (found === null) return;
    const wanted = find.value.trim().toLowerCase();
    const rows = found.settings.filter((row) => (!set.checked || row.set) && row.path.toLowerCase().includes(wanted));
    put(list, settings(rows, found.settings.length));
  };
  const update = async () => {
    try {
      found = await ask("/config");
      renew(differences, told.overrides.length ? overrides(told.overrides) : h("p", {}, "None: the file holds."), moved(found.routes));
      show();
    } catch (error) {
      put(differences, h("p", { class: "note" }, error.message));
    }
  };
  find.addEventListener("input", show);
  set.addEventListener("change", show);
  update();
  return { update, on: ["overrides", "about"] };
}

function overrides(rows) {
  return table("Operators' words in force", [
    ["What", (row) => row.kind],
    ["Route", (row) => row.route ?? "all"],
    ["Upstream", (row) => row.upstream],
    ["Reason", (row) => row.reason, "wide"],
    ["By", (row) => row.by],
    ["Since", (row) => clock(row.since)],
    ["Until", (row) => clock(row.until)],
  ], rows);
}

function moved(routes) {
  const changed = routes.filter((row) => row.candidates.join() !== row.now.join());
  if (changed.length === 0) return null;
  return table("Routes whose candidates differ", [
    ["Route", (row) => row.route],
    ["By the file", (row) => row.candidates.join(", ")],
    ["Now", (row) => row.now.join(", ") || "nowhere"],
  ], changed);
}

function settings(rows, all) {
  return table(`${rows.length} of ${all} settings`, [
    ["Setting", (row) => h("code", {}, row.path)],
    ["Value", (row) => h("code", {}, row.value), "wide"],
    ["From", (row) => (row.set ? "file or profile" : "default")],
  ], rows, (row) => (row.set ? "changed" : null));
}
