"""Viewers of the dashboard and calls: twins, what is an audience, how pairs are judged."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import pytest

from loadtests.bench import __main__ as command
from loadtests.viewers import judge
from loadtests.viewers.caller import parse
from loadtests.viewers.payload import HOLD_P50_S, SLICES, plan, request_bytes
from loadtests.viewers.report import Setting, to_json, to_text
from loadtests.viewers.results import Audience, Played, Visit, Window
from loadtests.viewers.run import Plan
from loadtests.viewers.stage import Ports, config, heard
from proxy.settings.load import read

SETTING = Setting("now", False, 500.0, 10.0, {})
GOOD = Audience(10, SLICES, 9, 9000, 20_000_000, 10.0, 1.2, 0.5)


def window(p99_us: int, own_us: int = 400, count: int = 5000) -> Window:
    """A hundredth and one more of the calls are as slow as that, the others quick."""
    slow = count // 100 + 1
    took = [50_000] * (count - slow) + [p99_us] * slow
    return Window(took, [200] * (count - slow) + [own_us] * slow, 100.0)


def played(*pairs: tuple[Window, Window]) -> Played:
    """Pairs of (without, with)."""
    made = Played(version="1")
    for number, (alone, watched) in enumerate(pairs, start=1):
        made.visits.append(Visit(number, False, alone, None, 1.0, 10.0))
        made.visits.append(Visit(number, True, watched, GOOD, 1.2, 10.0))
    return made


def good() -> Played:
    """Three pairs, in which viewers cost next to nothing."""
    return played(*((window(100_000 + n, 400), window(102_000 + n, 500)) for n in range(3)))


def test_the_windows_of_a_pair_have_the_same_calls() -> None:
    """The same seed, the same slices and the same partner's times."""
    assert plan(3000, 7) == plan(3000, 7) != plan(3000, 8)
    holds = [call.hold_us / 1e6 for call in plan(4000, 7)]
    assert median(holds) == pytest.approx(HOLD_P50_S, rel=0.05)


def test_each_thousand_calls_meet_every_slice_once() -> None:
    """Whoever looks sees a thousand, and all of them in use."""
    calls = plan(2 * SLICES, 3)
    for half in (calls[:SLICES], calls[SLICES:]):
        assert len({(call.route, call.value) for call in half}) == SLICES == 1000


def test_a_request_is_whole_and_says_its_slice() -> None:
    """The body has the length that the head says."""
    head, _, body = request_bytes(plan(1, 1)[0], 80).partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["terminal"].startswith("t")


def test_the_sidecar_takes_its_configuration_and_keeps_all_values_apart() -> None:
    """Without a warning that would stand in a user's log."""
    loaded = read(json.dumps(config(Ports(1, 2, 3))).encode(), Path("tidegate.yaml"), {})
    dimensions = [each.dimensions[0] for each in loaded.settings.routes]
    assert sum(each.values_max for each in dimensions) == SLICES


def test_twins_are_neighbours_and_take_turns_to_be_first() -> None:
    """Without, with, with, without; so a machine that slows down favours no arm."""
    visits = Plan(2, 10.0).visits()
    assert [each.pair for each in visits] == [1, 1, 2, 2, 3, 3, 4, 4]
    first = [each.watched for each in visits]
    assert first == [False, True, True, False, True, False, False, True]


def test_bars_hold_where_viewers_cost_little() -> None:
    """The median of the pairs' own ratios, and of the growths of our share."""
    made = good()
    ratio, growth = judge.ratio(made), judge.own_growth_ms(made)
    assert ratio is not None
    assert growth is not None
    assert ratio.low <= ratio.value <= ratio.high
    assert ratio.value == pytest.approx(1.02, abs=1e-4)
    assert growth.value == pytest.approx(0.1)
    assert [bar.verdict for bar in judge.bars(made)] == ["pass", "pass"]
    assert judge.invalid_reasons(made, quick=False) == []


@pytest.mark.parametrize(
    ("watched", "failed"),
    [
        (window(105_200), "viewers_p99_ratio"),
        (window(100_000, own_us=901), "viewers_own_p99_growth_ms"),
    ],
)
def test_a_bar_that_is_missed_fails(watched: Window, failed: str) -> None:
    """Each by itself."""
    made = played((window(100_000), watched))
    assert [bar.name for bar in judge.bars(made) if bar.verdict == "fail"] == [failed]


def test_a_p99_has_bounds() -> None:
    """Of 10,000 calls, ranks 9,881 to 9,920 with 95 % confidence."""
    found = judge.p99_ms([us * 1000 for us in range(1, 10_001)])
    assert (found.low, found.value, found.high) == (9881.0, 9900.0, 9920.0)


def test_viewers_cost_is_told_in_time_of_the_core() -> None:
    """0.2 s more in ten seconds is 20 ms in each."""
    cost = judge.viewers_cpu_ms(good())
    assert cost is not None
    assert cost.value == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"viewers": 9}, "9 viewers at the end of 10"),
        ({"slices": 999}, "has 999 slices of 1000"),
        ({"beats": 5}, "heard 5 beats in 10 s"),
        ({"changes": 999}, "told of 999 changes only"),
    ],
)
def test_who_sees_less_is_no_audience(changed: dict[str, int], problem: str) -> None:
    """A page that shows nothing costs nothing: such a run does not count."""
    members = {name: getattr(GOOD, name) for name in GOOD.__slots__}
    (found,) = Audience(**members | changed).problems()
    assert problem in found
    assert GOOD.problems() == []


def test_what_makes_a_run_invalid() -> None:
    """A busy core, a late generator, too few calls, a problem, or nothing at all."""
    made = good()
    one = made.visits[0]
    one.foreign_share, one.problems = 0.2, ["status 503"]
    one.window = Window([1] * 3999, [1] * 3999, 2001.0)
    reasons = judge.invalid_reasons(made, quick=False)
    assert [each.removeprefix("pair 1 without viewers: ") for each in reasons] == [
        "status 503",
        "other programs had 20% of a core",
        "the generator was 2,001 us late",
        "3999 calls, not 4000",
    ]
    assert len(judge.invalid_reasons(made, quick=True)) == 3
    assert judge.invalid_reasons(Played(), quick=True) == ["no pair was measured"]
    assert [bar.verdict for bar in judge.bars(Played())] == ["not measured"] * 2


def test_the_report_has_figures_bounds_and_bars() -> None:
    """As a table and as plain JSON."""
    made = good()
    said = json.loads(json.dumps(to_json(made, SETTING)))
    assert (said["schema"], said["valid"], len(said["windows"])) == (1, True, 6)
    assert said["ratio"]["low"] <= said["ratio"]["value"] <= said["ratio"]["high"]
    assert said["arms"]["with 10 viewers"]["calls"] == 15_000
    assert said["windows"][1]["audience"]["slices"] == SLICES
    assert [bar["verdict"] for bar in said["bars"]] == ["pass", "pass"]
    text = to_text(made, SETTING)
    assert "Run valid" in text
    assert "p99, x without" in text
    made.visits[0].problems.append("status 503")
    assert "RUN INVALID" in to_text(made, SETTING)


def test_what_processes_say_is_read(tmp_path: Path) -> None:
    """Figures, or why there are none."""
    assert parse('{"problem": "Broken: status 503"}') == (None, ["Broken: status 503"])
    found, problems = parse('{"took_us": [9], "own_us": [4], "lag_p99_us": 1.5}')
    assert (found, problems) == (Window([9], [4], 1.5), [])
    said = tmp_path / "stdout"
    said.write_text("ready\n", "utf-8")
    assert heard(said) == (None, ["the viewers' process ended without a word"])


def test_viewers_have_files_of_their_own() -> None:
    """A run of viewers does not write over the bench's figures."""
    assert command.parse_args(["--viewers"]).json.name == "viewers.json"
    assert command.parse_args([]).json.name == "bench.json"
