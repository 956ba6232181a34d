"""The bench's judgement: bars, ratios, added latency, and when a run does not count."""

from __future__ import annotations

import json

import pytest

from loadtests.bench import __main__ as command
from loadtests.bench.judge import bars, invalid_reasons
from loadtests.bench.measure import Plan
from loadtests.bench.report import Setting, to_json, to_text
from loadtests.bench.results import Closed, Exported, Opened, Run, Visit

PLAN = Plan(rounds=1, closed_s=1, open_s=2, levels=(32,))


def visit(subject: str, calls_per_s: float, p50_us: float, p99_us: float, number: int = 1) -> Visit:
    """One visit with one level of 32 connections; memory is 50 MB."""
    return Visit(
        subject,
        number,
        closed={32: Closed(32, int(calls_per_s), calls_per_s, 100.0, 200.0)},
        opened=Opened(1000, p50_us, p99_us, 5.0),
        rss_idle_mb=50.0,
        rss_loaded_mb=55.0,
    )


def good_run() -> Run:
    """A run in which each bar is met and direct has headroom."""
    return Run(
        visits=[
            visit("direct", 100_000, 80, 300),
            visit("tidegate", 30_000, 300, 1000),
            visit("envoy", 20_000, 350, 900),
            visit("tidegate-traced", 18_000, 350, 1100),
            visit("envoy-traced", 15_000, 400, 1000),
            visit("aiohttp", 6_000, 500, 1500),
        ],
        ready_s={"tidegate": [0.2, 0.9, 0.3]},
    )


def verdicts(run: Run) -> dict[str, str]:
    """Verdict by name of the bar."""
    return {bar.name: bar.verdict for bar in bars(run)}


def test_a_good_run_meets_all_bars() -> None:
    """Ratios are to the peer of the same round, added latency is less direct's own."""
    run = good_run()
    values = {bar.name: bar.value for bar in bars(run)}
    assert values == {
        "envoy_ratio": 1.5,
        "traced_ratio": 1.2,
        "aiohttp_ratio": 5.0,
        "added_p50_us": 220.0,
        "added_p99_us": 700.0,
        "rss_idle_mb": 50.0,
        "ready_s": 0.3,
    }
    assert set(verdicts(run).values()) == {"pass"}
    assert invalid_reasons(run) == []
    assert command.verdict(run) == 0


@pytest.mark.parametrize(
    ("changed", "bar"),
    [
        (visit("tidegate", 19_999, 300, 1000), "envoy_ratio"),
        (visit("tidegate", 17_999, 300, 1000), "aiohttp_ratio"),
        (visit("tidegate", 30_000, 381, 1000), "added_p50_us"),
        (visit("tidegate", 30_000, 300, 2301), "added_p99_us"),
    ],
)
def test_a_missed_limit_fails_its_bar(changed: Visit, bar: str) -> None:
    """Just below or above a limit is a failure, and the exit status says so."""
    run = good_run()
    run.visits[1] = changed
    assert verdicts(run)[bar] == "fail"
    assert command.verdict(run) == 1


def test_telemetry_has_a_bar_of_its_own() -> None:
    """Both with theirs, and a tenth less than Envoy at most."""
    run = good_run()
    run.visits[3] = visit("tidegate-traced", 13_499, 300, 1000)
    assert verdicts(run)["traced_ratio"] == "fail"
    run.visits[3] = visit("tidegate-traced", 13_500, 300, 1000)
    assert verdicts(run)["traced_ratio"] == "pass"


def test_what_arrived_of_telemetry_is_told() -> None:
    """In the table and in the JSON file, round by round."""
    run = good_run()
    run.visits[3].exported = Exported(180, 0.0101, 360, 9, 1, 5, 14_000, 18_000)
    setting = Setting("now", False, PLAN, {})
    assert "tidegate-traced   1.01%     180    360" in to_text(run, setting)
    said = json.loads(json.dumps(to_json(run, setting)))
    assert said["subjects"]["tidegate-traced"]["exported"][0]["trace_share"] == 0.0101
    assert said["subjects"]["tidegate"]["exported"] == []
    assert said["ratios"]["tidegate-traced/tidegate"] == {"32": 0.6}


def test_memory_and_start_have_limits() -> None:
    """More than 60 MB idle or more than 0.35 s to an accepting port fail."""
    run = good_run()
    run.visits[1].rss_idle_mb = 60.1
    run.ready_s["tidegate"] = [0.351]
    assert (verdicts(run)["rss_idle_mb"], verdicts(run)["ready_s"]) == ("fail", "fail")


def test_a_limit_met_exactly_is_met() -> None:
    """The promise is "at least", not "more than"."""
    run = good_run()
    run.visits[1] = visit("tidegate", 20_000, 380, 2300)
    assert set(verdicts(run).values()) == {"pass"}


def test_bars_take_the_median_of_pairs() -> None:
    """Each round is compared with itself, so a slow moment of the machine hits both arms."""
    run = Run()
    for number, speed in enumerate((1.0, 0.5, 1.0), start=1):
        run.visits.append(visit("tidegate", 30_000 * speed, 300, 900, number))
        run.visits.append(visit("envoy", 20_000 * speed, 300, 900, number))
    assert bars(run)[0].value == pytest.approx(1.5)


def test_an_absent_peer_is_not_measured_and_fails_the_run() -> None:
    """A bar without its peer never passes in silence."""
    run = good_run()
    del run.visits[2]
    run.absent["envoy"] = "no binary"
    assert verdicts(run)["envoy_ratio"] == "not measured"
    assert command.verdict(run) == 1
    assert "absent: envoy: no binary" in to_text(run, Setting("now", False, PLAN, {}))


def test_a_run_needs_twice_the_fastest_subject_from_direct() -> None:
    """Without headroom on the load core the figures are the harness's own."""
    run = good_run()
    run.visits.append(visit("haproxy", 50_001, 200, 600))
    (reason,) = invalid_reasons(run)
    assert reason.startswith("direct is only 2.00 x haproxy at 32 connections")
    assert command.verdict(run) == 1


def test_a_run_on_a_busy_machine_is_invalid() -> None:
    """With a direct p99 above the limit for added p99, a difference says nothing."""
    run = good_run()
    run.visits[0] = visit("direct", 100_000, 80, 2001)
    (reason,) = invalid_reasons(run)
    assert reason.startswith("the machine was not quiet: p99 of direct itself is 2,001 us")


def test_other_programs_on_our_cores_make_a_run_invalid() -> None:
    """More than 10 % of a core for others in the median of the rounds, in whichever subject."""
    run = good_run()
    run.visits[2].foreign_share = 0.11
    assert invalid_reasons(run) == ["other programs had 11% of a core during envoy (at most 10%)"]
    run.visits[2].foreign_share = 0.10
    assert invalid_reasons(run) == []


def test_a_run_without_direct_is_invalid() -> None:
    """Headroom that was not measured is not assumed."""
    run = good_run()
    del run.visits[0]
    assert "direct was not measured" in invalid_reasons(run)[0]


def test_any_error_makes_the_run_invalid() -> None:
    """An error in whichever subject is printed with its round and ends the run's validity."""
    run = good_run()
    run.visits[5].problems.append("32 connections: 1 read errors")
    assert invalid_reasons(run) == ["round 1 aiohttp: 32 connections: 1 read errors"]
    assert "RUN INVALID" in to_text(run, Setting("now", False, PLAN, {}))


def test_json_has_the_stable_schema() -> None:
    """Members that readers rely on; everything is plain JSON."""
    said = json.loads(json.dumps(to_json(good_run(), Setting("now", True, PLAN, {"cores": 2}))))
    assert (said["schema"], said["valid"], said["quick"]) == (1, True, True)
    assert said["ratios"]["tidegate/envoy"] == {"32": 1.5}
    assert said["subjects"]["tidegate"]["closed"]["32"]["calls_per_s"]["median"] == 30_000
    assert said["subjects"]["tidegate"]["open"]["added_p50_us"] == 220.0
    assert [bar["verdict"] for bar in said["bars"]] == ["pass"] * 7
