// What the sidecar has told: kept up to date by server-sent events, one connection for the page.

const STALE_MS = 5000;
const AGAIN_MS = 3000;

export const told = {
  about: null, verdicts: null, incidents: [], unsettled: [], overrides: [], rows: new Map(),
};
const listeners = new Set();
let source = null;
let heardAt = 0;
let state = "wait";
let pending = false;

// Be told of changes: listener(kinds) where kinds is a set of what changed.
export function listen(listener) {
  listeners.add(listener);
}

export function linkState() {
  return state;
}

let changed = new Set();

function tell(kind) {
  changed.add(kind);
  if (pending) return;
  pending = true;
  // Not requestAnimationFrame: a page in the background keeps its title up to date as well.
  setTimeout(() => {
    pending = false;
    const kinds = changed;
    changed = new Set();
    for (const each of listeners) each(kinds);
  }, 50);
}

function set(next) {
  if (state === next) return;
  state = next;
  tell("link");
}

function heard() {
  heardAt = Date.now();
  set("live");
}

export function connect() {
  source = new EventSource("/live");
  told.rows.clear();
  for (const kind of ["about", "verdicts", "incidents", "unsettled", "overrides"]) {
    source.addEventListener(kind, (event) => {
      told[kind] = JSON.parse(event.data);
      heard();
      tell(kind);
    });
  }
  source.addEventListener("rows", (event) => {
    for (const row of JSON.parse(event.data)) {
      told.rows.set(`${row.upstream}\n${row.operation}\n${JSON.stringify(row.value)}`, row);
    }
    heard();
    tell("rows");
  });
  source.addEventListener("beat", heard);
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    set("refused");
    setTimeout(connect, AGAIN_MS);
  };
}

setInterval(() => {
  if (state === "live" && Date.now() - heardAt > STALE_MS) set("stale");
}, 1000);

// A document of the sidecar; throws what is wrong as text.
export async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.detail || `status ${answer.status}`);
  return found;
}
