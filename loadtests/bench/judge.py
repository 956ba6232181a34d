"""From visits to figures, bars and validity. PURE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from loadtests.bench.results import Closed, Run, Visit
from loadtests.bench.stats import Spread, spread

HEADROOM = 2.0
BAR_CONNECTIONS = 32
ADDED_P99_US_MAX = 2000.0
FOREIGN_SHARE_MAX = 0.10
KEYED_CALLS_PER_S = 4000.0
SYNCS_ADDED_MAX = 3
KEYED_ADDED_US = 500.0
"""A keyed call may add that many syncs of the disk and so much more to its median."""
DIRECT = "direct"
TIDEGATE = "tidegate"
TRACED_RATIO = 0.9

Figure = Callable[[Visit], float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise, its figure and limit. `verdict` is pass, fail or not measured."""

    name: str
    text: str
    value: float | None
    limit: float
    at_least: bool

    @property
    def verdict(self) -> str:
        """A limit that is met exactly is met."""
        if self.value is None:
            return "not measured"
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "pass" if met else "fail"


def over_rounds(run: Run, subject: str, figure: Figure) -> Spread | None:
    """Median and extremes of one figure of one subject; None when no round has it."""
    values = [value for visit in run.of(subject) if (value := figure(visit)) is not None]
    return spread(values) if values else None


def paired(
    run: Run, one: str, other: str, figure: Figure, combine: Callable[[float, float], float]
) -> float | None:
    """Combine a figure of two subjects round by round, so that drift cancels; then the median."""
    others = {visit.round: figure(visit) for visit in run.of(other)}
    pairs = [(figure(visit), others.get(visit.round)) for visit in run.of(one)]
    values = [combine(a, b) for a, b in pairs if a is not None and b]
    return median(values) if values else None


def throughput(connections: int) -> Figure:
    """Calls per second in the closed loop."""

    def figure(visit: Visit) -> float | None:
        level = visit.closed.get(connections)
        return level.calls_per_s if level else None

    return figure


def open_p50_us(visit: Visit) -> float | None:
    """Median latency of the open loop."""
    return visit.opened.p50_us if visit.opened else None


def open_p99_us(visit: Visit) -> float | None:
    """99th percentile of the open loop."""
    return visit.opened.p99_us if visit.opened else None


def rss_idle_mb(visit: Visit) -> float | None:
    """Resident memory before the first call."""
    return visit.rss_idle_mb


def rss_loaded_mb(visit: Visit) -> float | None:
    """Resident memory after the load."""
    return visit.rss_loaded_mb


def foreign_share(visit: Visit) -> float | None:
    """Share of a core that other programs had."""
    return visit.foreign_share


def ratio(run: Run, one: str, other: str, connections: int) -> float | None:
    """Calls/s of `one` as a multiple of `other`'s."""
    return paired(run, one, other, throughput(connections), lambda a, b: a / b)


def added_us(run: Run, subject: str, figure: Figure) -> float | None:
    """What a subject adds to a latency figure of direct, in the same round."""
    return paired(run, subject, DIRECT, figure, lambda a, b: a - b)


def bars(run: Run) -> list[Bar]:
    """The promises of the foundation, each with its figure."""
    if not run.visits:
        return keyed_bars(run)
    memory = over_rounds(run, TIDEGATE, rss_idle_mb)
    ready = run.ready_s.get(TIDEGATE)
    at = f"at {BAR_CONNECTIONS} connections"
    envoy = ratio(run, TIDEGATE, "envoy", BAR_CONNECTIONS)
    traced = ratio(run, "tidegate-traced", "envoy-traced", BAR_CONNECTIONS)
    relay = ratio(run, TIDEGATE, "aiohttp", BAR_CONNECTIONS)
    p50 = added_us(run, TIDEGATE, open_p50_us)
    p99 = added_us(run, TIDEGATE, open_p99_us)
    rss = memory.median if memory else None
    ready_s = median(ready) if ready else None
    return [
        *keyed_bars(run),
        Bar("envoy_ratio", f"calls/s {at}, x Envoy", envoy, 1.0, True),
        Bar("traced_ratio", f"calls/s {at}, telemetry on, x Envoy's", traced, TRACED_RATIO, True),
        Bar("aiohttp_ratio", f"calls/s {at}, x aiohttp relay", relay, 3.0, True),
        Bar("added_p50_us", "added p50 at 500 calls/s, us", p50, 300.0, False),
        Bar("added_p99_us", "added p99 at 500 calls/s, us", p99, ADDED_P99_US_MAX, False),
        Bar("rss_idle_mb", "resident memory idle, MB", rss, 60.0, False),
        Bar("ready_s", "payment port ready, s", ready_s, 0.35, False),
    ]


def keyed_figure(
    run: Run, store: str, connections: int, figure: Callable[[Closed], float]
) -> dict[int, float]:
    """One figure of one store, by round."""
    return {
        visit.round: figure(visit.closed[connections])
        for visit in run.keyed
        if visit.store == store and connections in visit.closed
    }


def keyed_rate(run: Run, store: str, connections: int = BAR_CONNECTIONS) -> float | None:
    """Keyed calls/s of a store: the median of the rounds."""
    figures = keyed_figure(run, store, connections, lambda closed: closed.calls_per_s)
    return median(figures.values()) if figures else None


def keyed_pairs(
    run: Run,
    one: str,
    other: str,
    connections: int,
    figure: Callable[[Closed], float],
    combine: Callable[[float, float], float],
) -> float | None:
    """A figure of two stores combined round by round; then the median."""
    others = keyed_figure(run, other, connections, figure)
    ones = keyed_figure(run, one, connections, figure)
    values = [combine(a, others[n]) for n, a in ones.items() if others.get(n)]
    return median(values) if values else None


def keyed_bars(run: Run) -> list[Bar]:
    """The journal's promises; none where no keyed call was made."""
    if not run.keyed:
        return []
    at = f"at {BAR_CONNECTIONS} connections"
    p50 = keyed_figure(run, "sqlite", 1, lambda closed: closed.p50_us)
    direct = keyed_figure(run, DIRECT, 1, lambda closed: closed.p50_us)
    added = [
        took_us - direct[number] - SYNCS_ADDED_MAX * run.syncs_us[number]
        for number, took_us in p50.items()
        if number in direct and number in run.syncs_us
    ]
    kept = keyed_pairs(
        run, "sqlite-1m", "sqlite", BAR_CONNECTIONS, lambda c: c.calls_per_s, lambda a, b: a / b
    )
    return [
        Bar("keyed_calls_per_s", f"keyed calls/s {at}, SQLite", keyed_rate(run, "sqlite"),
            KEYED_CALLS_PER_S, True),
        Bar("keyed_added_p50_us", "keyed added p50 at 1 connection less 3 fdatasync, us",
            median(added) if added else None, KEYED_ADDED_US, False),
        Bar("keyed_aged_ratio", f"keyed calls/s {at}, 1 M rows x empty", kept, 0.9, True),
    ]  # fmt: skip


def invalid_reasons(run: Run) -> list[str]:
    """Why the run does not count; empty when it does.

    Direct must reach twice the fastest subject at every level: then the core of load and
    upstream is at most half busy under any subject, and the figures are the subjects' own.
    Direct's own p99 must be below what a subject may add: where it is not, other programs had
    the cores, and a difference of two such figures says nothing (it may even be negative).
    """
    reasons = []
    if run.visits and not run.of(DIRECT):
        reasons.append("direct was not measured, so nothing shows that the load core had headroom")
    levels = sorted({level for visit in run.of(DIRECT) for level in visit.closed})
    for connections in levels:
        for subject in run.subjects():
            if subject == DIRECT:
                continue
            headroom = ratio(run, DIRECT, subject, connections)
            if headroom is not None and headroom < HEADROOM:
                reasons.append(
                    f"direct is only {headroom:.2f} x {subject} at {connections} connections"
                    f" (needs {HEADROOM:.0f} x)"
                )
    for subject in run.subjects():
        foreign = over_rounds(run, subject, foreign_share)
        if foreign is not None and foreign.median > FOREIGN_SHARE_MAX:
            reasons.append(
                f"other programs had {foreign.median:.0%} of a core during {subject}"
                f" (at most {FOREIGN_SHARE_MAX:.0%})"
            )
    quiet = over_rounds(run, DIRECT, open_p99_us)
    if quiet is not None and quiet.median > ADDED_P99_US_MAX:
        reasons.append(
            f"the machine was not quiet: p99 of direct itself is {quiet.median:,.0f} us"
            f" at 500 calls/s (needs {ADDED_P99_US_MAX:,.0f})"
        )
    for keyed in run.keyed:
        reasons += [f"round {keyed.round} keyed {keyed.store}: {text}" for text in keyed.problems]
    for visit in run.visits:
        reasons += [f"round {visit.round} {visit.subject}: {text}" for text in visit.problems]
    return reasons
