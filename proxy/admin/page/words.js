// Figures and states in words.

// What a slice's row says, worst first: kind is the shape, word goes beside it.
export function stateOf(row) {
  const held = { open: "breaker open", isolated: "isolated", half_open: "breaker half-open" }[row.breaker];
  if (row.breaker === "open" || row.breaker === "isolated") return { kind: "held", word: held, rank: 3 };
  if (row.state === "degraded") return { kind: "degraded", word: "degraded", rank: 4 };
  if (row.breaker === "half_open") return { kind: "trying", word: held, rank: 2 };
  if (row.breaker === "degraded") return { kind: "trying", word: "put behind", rank: 2 };
  if (row.state === "unused" || row.calls === 0) return { kind: "unused", word: "no calls", rank: 0 };
  return { kind: "ok", word: "well", rank: 1 };
}

export function worst(rows) {
  const none = { kind: "unused", word: "no calls", rank: 0 };
  return rows.map(stateOf).reduce((bad, each) => (each.rank > bad.rank ? each : bad), none);
}

export function valueOf(row) {
  return row.value ? Object.entries(row.value).map(([name, value]) => `${name}=${value}`).join(" ") : "";
}

export function sliceOf(row) {
  return [row.operation, valueOf(row)].filter(Boolean).join(" · ");
}

export function percent(share) {
  const found = share * 100;
  return `${found > 0 && found < 1 ? found.toFixed(1) : Math.round(found)} %`;
}

export function ms(found) {
  if (found === null || found === undefined) return "–";
  if (found >= 1000) return `${(found / 1000).toFixed(found >= 10000 ? 0 : 1)} s`;
  return `${found >= 10 ? Math.round(found) : found.toFixed(1)} ms`;
}

export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

// Times in UTC, as the sentences have them; with the day where it is not today's.
export function clock(wall) {
  const text = new Date(wall * 1000).toISOString();
  const today = new Date().toISOString().slice(0, 10);
  const time = text.slice(11, 19);
  return text.startsWith(today) ? `${time} UTC` : `${text.slice(0, 10)} ${time} UTC`;
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
