// Starts the page: routes by the part behind #, the frame around, and who is told of changes.

import { config } from "./config.js";
import { put, say } from "./dom.js";
import { doubts, total } from "./doubts.js";
import { incident, incidents } from "./incidents.js";
import { overview } from "./overview.js";
import { partner } from "./partner.js";
import { connect, linkState, listen, told } from "./store.js";
import { showVerdict } from "./verdict.js";

const PAGES = { "": overview, incidents, incident, doubts, config, partner };
const PARENT = { "": "overview", partner: "overview", incident: "incidents" };
const LINK = {
  wait: ["wait", "connecting"],
  live: ["ok", "live"],
  stale: ["degraded", "stale: nothing heard for 5 s"],
  refused: ["degraded", "not connected: trying again"],
};
const at = (id) => document.getElementById(id);
let page = null;

function go() {
  if (told.about === null) return;
  const [name = "", what = ""] = location.hash.replace(/^#\/?/, "").split("/");
  page?.leave?.();
  page = (PAGES[name] ?? overview)(at("main"), decodeURIComponent(what));
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === (PARENT[name] ?? name)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function frame() {
  const [kind, words] = LINK[linkState()];
  const link = at("link");
  link.className = kind === "degraded" ? "link stale" : "link";
  link.firstElementChild.className = `shape ${kind}`;
  say(link.lastElementChild, words);
  const open = told.incidents.filter((each) => each.ended_at === null).length;
  say(at("count-incidents"), open ? `${open} open` : "");
  say(at("count-doubts"), total() ? String(total()) : "");
  say(at("count-overrides"), told.overrides.length ? String(told.overrides.length) : "");
  const bad = told.verdicts?.length ?? 0;
  const title = bad ? `✕ ${bad} · Tidegate` : "Tidegate";
  if (document.title !== title) document.title = title;
  if (told.about) {
    const ready = told.about.ready ? "ready" : "not ready";
    say(at("about"), `tidegate ${told.about.version} · ${ready} · configuration ${told.about.hash.slice(0, 12)}`);
  }
}

window.addEventListener("hashchange", () => {
  go();
  at("main").focus({ preventScroll: true });
  scrollTo(0, 0);
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  at("main").focus();
});
listen((kinds) => {
  frame();
  showVerdict(at("verdict"));
  if (page === null) go();
  else if (page.on.some((kind) => kinds.has(kind))) page.update();
});
put(at("main"));
connect();
