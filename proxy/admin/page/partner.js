// One partner from close by: slices, latency by phase, what changed, names, proofs.

import { act } from "./act.js";
import { h, mark, put, renew, table } from "./dom.js";
import { ask, told } from "./store.js";
import { clock, ms, percent, sliceOf, span, stateOf, worst } from "./words.js";

const EVERY_MS = 2000;

export function partner(main, name) {
  const at = { state: h("span"), slices: h("div"), rest: h("div"), trouble: h("p", { class: "note", hidden: true }) };
  put(main, h("h1", {}, name, " ", at.state), at.trouble, h("h2", {}, "Slices, last minute"), at.slices,
    at.rest, act(told.about?.partners[name] ?? []));
  let last = "";
  const load = async () => {
    try {
      const found = await ask(`/partners/${encodeURIComponent(name)}`);
      at.trouble.hidden = true;
      renew(at.rest, ...found.upstreams.map(upstream), history(found));
    } catch (error) {
      at.trouble.textContent = `Not to be had: ${error.message}`;
      at.trouble.hidden = false;
    }
  };
  const update = () => {
    const rows = [...told.rows.values()].filter((row) => row.partner === name);
    rows.sort((a, b) => stateOf(b).rank - stateOf(a).rank || sliceOf(a).localeCompare(sliceOf(b)));
    const text = JSON.stringify(rows);
    if (text === last) return;
    last = text;
    put(at.state, mark(worst(rows)));
    renew(at.slices, slices(rows));
  };
  update();
  load();
  const timer = setInterval(() => document.hidden || load(), EVERY_MS);
  return { update, on: ["rows"], leave: () => clearInterval(timer) };
}

function slices(rows) {
  return table("Slices of this partner, those in trouble first", [
    ["State", (row) => mark(stateOf(row)), "whole"],
    ["Upstream", (row) => row.upstream, "whole"],
    ["Slice", sliceOf],
    ["Calls", (row) => String(row.calls), "num"],
    ["Fail", (row) => (row.calls ? percent(row.share) : "–"), "num"],
    ["Slow", (row) => String(row.slow), "num"],
    ["p50", (row) => ms(row.p50_ms), "num"],
    ["p99", (row) => ms(row.p99_ms), "num"],
    ["Usual p99", (row) => ms(row.ordinary_p99_ms), "num"],
    ["Let through", (row) => (row.admitted_share === null ? "–" : percent(row.admitted_share)), "num"],
    ["Why", (row) => (row.why === "start" ? "" : row.why ?? ""), "wide"],
  ], rows);
}

function upstream(found) {
  return h("section", { "aria-label": found.upstream }, h("h2", {}, found.upstream),
    h("h3", {}, "Latency by phase, last minute"), phases(found),
    h("h3", {}, "Name and standby"), h("dl", {}, ...names(found.dns), ...proof(found.proof)));
}

function phases(found) {
  if (found.phases.length === 0) return h("p", { class: "soft" }, "No attempts in the last minute.");
  const most = Math.max(...found.phases.map((row) => row.p95_ms), 0.001);
  return table(`Latency by phase at ${found.upstream}, of up to ten attempts a second`, [
    ["Phase", (row) => row.phase],
    ["p50", (row) => ms(row.p50_ms), "num"],
    ["p95", (row) => ms(row.p95_ms), "num"],
    ["Slowest", (row) => ms(row.max_ms), "num"],
    ["Attempts", (row) => String(row.attempts), "num"],
    ["p95 drawn", (row) => bar(row.p95_ms / most)],
  ], found.phases);
}

function bar(share) {
  const inner = h("i");
  inner.style.width = `${Math.max(1, share * 100)}%`;
  return h("span", { class: "track", "aria-hidden": "true" }, inner);
}

function pair(name, ...values) {
  return [h("dt", {}, name), h("dd", {}, ...values)];
}

function names(dns) {
  const dead = dns.dead?.length ? ` (dead: ${dns.dead.join(", ")})` : "";
  const age = dns.age_s === null || dns.age_s === undefined ? "" : `, good ${span(dns.age_s)} ago`;
  const why = dns.reason ? `, ${dns.reason}` : "";
  return [
    ...pair("Name", `${dns.name}: ${dns.state}${why}${age}`),
    ...pair("Addresses", h("code", {}, dns.addresses.join(", ") || "none"), dead),
  ];
}

function proof(row) {
  const bad = row.unproven ? { kind: "degraded", word: "not proven" } : { kind: "ok", word: "proven" };
  const never = row.proven_by ? `by a ${row.proven_by}, ${span(row.proven_s)} ago` : `by nothing for ${span(row.proven_s)}`;
  const checks = Object.entries(row.checks).map(([name, count]) => `${count} ${name}`).join(", ");
  return [
    ...pair(row.standby ? "Standby" : "Proof", mark(bad), ` ${never}; within ${span(row.proven_within_s)}`),
    ...pair("Checks", row.kind ? `${row.kind}: ${row.failing ? "failing" : "passing"}; ${checks}; last: ${row.last ?? "none"}` : "off"),
  ];
}

function history(found) {
  const lines = found.history.map((row) => h("li", {}, h("time", {}, clock(row.at)), " · ", row.upstream, " · ",
    h("b", {}, `${row.what} ${row.state}`), row.where ? ` (${row.where})` : "", ": ", row.why));
  const none = h("p", { class: "soft" }, "Nothing has changed since the sidecar began.");
  return h("section", { "aria-label": "What changed" }, h("h2", {}, "What changed: breakers, checks, operators"),
    lines.length ? h("ol", { class: "line" }, ...lines) : none);
}
