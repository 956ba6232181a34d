"""The table of arms: what its figures are made of, and how the peers are set up."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from loadtests.incidents.arms import (
    ENVOY,
    ArmRow,
    Played,
    ended_per_s,
    peak_per_s,
    recovered_s,
    row,
    table,
)
from loadtests.incidents.checker import Execution
from loadtests.incidents.envoy import EnvoyPlan, EnvoyRoute, envoy_config, parse_gauges
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.plain import PlainCaller, plain_session
from loadtests.incidents.report import table as report_table
from loadtests.incidents.result import Result, as_json
from loadtests.incidents.schedule import Load, plan
from tests.loadtests.records import succeeded
from tests.support.origin import Origin

FAULT_AT, CLEARED_AT = 100.0, 110.0
ROW = ArmRow("refuse", ENVOY, 12.3456, 98.7654, 0, math.nan, math.inf)


def call(at: float, **members: object) -> CallRecord:
    """A call that a peer made and the partner answered."""
    return succeeded(at, 0.05, "visa", execution="", outcome="", **members)


def failed(at: float) -> CallRecord:
    """A call that a peer made in vain."""
    return call(at, status=503)


def steady(start: float, end: float, failing_until: float = 0.0) -> History:
    """Ten calls a second, those before `failing_until` in vain."""
    instants = [start + n / 10 for n in range(round((end - start) * 10))]
    return History([failed(at) if at < failing_until else call(at) for at in instants])


def test_a_success_needs_no_label() -> None:
    """Peers label nothing: any 2xx counts, and nothing else does."""
    history = steady(FAULT_AT, CLEARED_AT, failing_until=FAULT_AT + 4.0)
    played = Played(ENVOY, history, FAULT_AT, CLEARED_AT, 0.3)
    found = row("refuse", played, 1.0)
    assert found.success_percent == 60.0
    assert found.found_s == 0.3


def test_goodput_counts_what_came_in_time() -> None:
    """A call that was answered once the fault was over is no proof of throughput under it."""
    late = replace(call(FAULT_AT + 1), ended_at=CLEARED_AT + 0.1)
    history = History([call(FAULT_AT - 5), call(FAULT_AT), late, failed(FAULT_AT + 2)])
    assert ended_per_s(history, FAULT_AT, CLEARED_AT) == 0.1


def test_dup_is_by_the_ledgers() -> None:
    """Two executions of one reference are one too many, whatever the arm was told."""
    row_ = Execution("a", "authorize", "1", "1", 100)
    played = Played(ENVOY, steady(FAULT_AT, CLEARED_AT), FAULT_AT, CLEARED_AT)
    played.executions = [row_, replace(row_, partner="b")]
    assert played.dup == 1


@pytest.mark.parametrize(
    ("failing_s", "low", "high"), [(0.0, 0.0, 0.0), (2.0, 2.0, 3.0), (9.5, math.inf, math.inf)]
)
def test_recovery_lasts_until_the_last_bad_window(
    failing_s: float, low: float, high: float
) -> None:
    """At once, after as long as calls failed and their window, or never."""
    after = steady(CLEARED_AT, CLEARED_AT + 10, failing_until=CLEARED_AT + failing_s)
    assert low <= recovered_s(after, CLEARED_AT, 1.0) <= high


def test_a_relapse_is_no_recovery() -> None:
    """Good calls between two bad stretches end nothing."""
    after = steady(CLEARED_AT, CLEARED_AT + 10)
    after.records[50] = failed(CLEARED_AT + 5.0)
    assert 5.0 <= recovered_s(after, CLEARED_AT, 1.0) <= 6.0
    assert math.isnan(recovered_s(History([]), CLEARED_AT, 1.0))


def test_the_peak_is_over_any_window_after_the_fault() -> None:
    """Wherever the window begins; what was before the fault's end does not count."""
    samples = [(99.0, 0), (100.0, 1000), (100.5, 1000), (101.0, 1050), (101.5, 1150), (102.0, 1200)]
    assert peak_per_s(samples, 100.0, 1.0) == 150.0
    assert math.isnan(peak_per_s([(100.0, 5)], 100.0, 1.0))


def test_the_table_says_what_is_not_there() -> None:
    """`-` for what was never found, `never` for what did not recover; JSON has null for both."""
    headings, words = table([ROW])
    assert words == ("refuse", ENVOY, "12.3", "98.8 %", "0", "-", "never")
    assert set(headings) >= {"dup", "found", "recovered"}
    result = Result("INC-99", "A title", 1.0, arms=(ROW,))
    assert "the same story for all arms" in report_table(result)
    document = json.loads(json.dumps(as_json([result], quick=False, written_at="now")))
    [arm] = document["replays"][0]["arms"]
    assert (arm["found_s"], arm["recovered_s"], arm["goodput_per_s"]) == (None, None, 12.3456)


def two_upstreams() -> EnvoyPlan:
    """A plan with everything in it."""
    routes = [
        EnvoyRoute("/psp/", 3.0, high=True),
        EnvoyRoute("/track/", 0.05, cluster="tracker", retry_on="connect-failure,5xx", try_s=0.02),
    ]
    return EnvoyPlan([4, 5], routes, factor=0.4, others={"tracker": [6]})


def test_envoy_has_all_that_its_documentation_allows() -> None:
    """Ejection, circuit breakers, active checks, panic, and one retry at the next upstream."""
    config = envoy_config(two_upstreams(), 7, 8)["static_resources"]
    partner, tracker = config["clusters"]
    assert partner["outlier_detection"]["max_ejection_percent"] == 100
    assert partner["common_lb_config"]["healthy_panic_threshold"] == {"value": 50}
    assert [each["priority"] for each in partner["load_assignment"]["endpoints"]] == [0, 1]
    assert partner["health_checks"][0]["no_traffic_interval"] == "0.4s"
    assert tracker["name"] == tracker["load_assignment"]["cluster_name"] == "tracker"
    manager = config["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    first, second = (
        each["route"] for each in manager["route_config"]["virtual_hosts"][0]["routes"]
    )
    assert (first["priority"], second["priority"]) == ("HIGH", "DEFAULT")
    assert first["retry_policy"]["retry_on"] == "connect-failure"
    assert "per_try_timeout" not in first["retry_policy"]
    assert second["retry_policy"]["per_try_timeout"] == "0.02s"


def test_gauges_are_those_of_the_partners_cluster() -> None:
    """Other clusters, and histograms, are passed over."""
    text = "cluster.partner.outlier_detection.ejections_active: 1\ncluster.tracker.x: 2\nx: P0(1)\n"
    assert parse_gauges(text) == {"outlier_detection.ejections_active": 1}


async def test_a_plain_client_tries_once_more_where_nothing_was_connected() -> None:
    """At the next address, where there is one."""
    [planned] = plan(Load(1.0, 1.0, 1, "p", {"visa": 1.0}), "arm")
    with Origin() as origin:
        url = f"http://127.0.0.1:{origin.port}"
        async with plain_session(5.0, 1.0) as session:
            for again_at, attempts, status in ((url, 2, 200), (None, 1, 0)):
                history = History.planned([planned], 0.0)
                caller = PlainCaller(session, "http://127.0.0.1:9", again_at)
                await caller.run("/x", [planned], history)
                made = history.records[0]
                assert (made.attempts, made.status) == (attempts, status)
