// Operators' words, where the sidecar has an admin token. The token stays in this page's memory.

import { h, put } from "./dom.js";
import { told } from "./store.js";

const ACTS = [
  ["drain", "drain: no new payments"],
  ["isolate", "isolate: nothing at all"],
];

export function act(upstreams) {
  if (!told.about?.writable || upstreams.length === 0) {
    return h("p", { class: "soft" }, "This page is read-only: `admin.token` is not set.");
  }
  const to = h("select", {}, ...upstreams.map((name) => h("option", { value: name }, name)));
  const what = h("select", {}, ...ACTS.map(([name, words]) => h("option", { value: name }, words)));
  const reason = h("input", { required: true, maxlength: "200", size: "24", autocomplete: "off" });
  const lasts = h("input", { value: "1h", size: "5", pattern: "[0-9]{1,6}[smhd]" });
  const token = h("input", { type: "password", required: true, size: "16", autocomplete: "off" });
  const result = h("p", { role: "status" });
  const send = async (method) => {
    const path = `/upstreams/${encodeURIComponent(to.value)}/${what.value}`;
    const body = method === "PUT" ? JSON.stringify({ reason: reason.value, for: lasts.value, by: "dashboard" }) : undefined;
    const headers = { Authorization: `Bearer ${token.value}`, "Content-Type": "application/json" };
    try {
      const answer = await fetch(path, { method, body, headers });
      const found = await answer.json();
      put(result, answer.ok ? "It is in force." : `Refused: ${found.detail ?? answer.status}`);
    } catch (error) {
      put(result, `Not sent: ${error.message}`);
    }
  };
  const form = h("form", { class: "act", onsubmit: (event) => { event.preventDefault(); send("PUT"); } },
    h("label", {}, "Upstream", to), h("label", {}, "What", what), h("label", {}, "Reason", reason),
    h("label", {}, "For", lasts), h("label", {}, "Admin token", token),
    h("button", { type: "submit" }, "Put in force"),
    h("button", { type: "button", onclick: () => send("DELETE") }, "Release"));
  return h("section", { "aria-label": "Operators' words" }, h("h2", {}, "Say where calls go"), form, result);
}
