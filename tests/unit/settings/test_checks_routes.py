"""Every route can be reached, every candidate exists, nothing contradicts itself."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.table import RouteTable
from proxy.settings.build import build
from proxy.settings.checks_routes import check_routes
from proxy.settings.reader import read_tree
from proxy.settings.validate import validate
from tests.unit.settings.example import BASE, changed, line_of, load_text, problems_of

MATCH = "match: {path: /psp/, methods: [POST]}"
OPERATION = "operation: authorize"
CANDIDATES = "candidates: [north-a, north-b]"
HEAD = BASE[: BASE.index("routes:")].replace("  connections_max: 64", "  methods: [GET, POST]")


def _problems(directory: Path, *changes: tuple[str, str]) -> list[str]:
    return [problem.path for problem in problems_of(directory, changed(*changes))]


def _warnings(directory: Path, *changes: tuple[str, str]) -> list[str]:
    return [warning.path for warning in load_text(directory, changed(*changes)).warnings]


def _routes(matches: list[str]) -> str:
    """A file with GET and POST accepted, and a route for each match."""
    routes = [
        f"  - {{name: r{n}, candidates: [north-a], match: {{{match}}}}}\n"
        for n, match in enumerate(matches)
    ]
    return f"{HEAD}routes:\n{''.join(routes)}"


REACHED = [
    ["path: /a", "path: /b"],
    ["path: /a", "path: /a/b"],
    ["path: /a, methods: [POST]", "path: /a"],
    ["path: /a, methods: [POST]", "path: /a, methods: [GET, POST]"],
    ["path: /a", "path: /a, host: x.example"],
    ["path: /a, host: x.example", "path: /a, host: [x.example, y.example]"],
]
SAME = [
    ["path: /a", "path: /a/"],
    ["path: /a, host: [x.example]", "path: /a, host: X.example"],
    ["path: /a, methods: [GET, POST]", "path: /a, methods: [POST, GET]"],
]
HIDDEN = [
    ["path: /a", "path: /a, methods: [POST]"],
    ["path: /a, methods: [GET]", "path: /a, methods: [POST]", "path: /a"],
    ["path: /a, host: [x.example, y.example]", "path: /a, host: y.example, methods: [GET]"],
]


@pytest.mark.parametrize("matches", REACHED, ids=" | ".join)
def test_routes_that_take_calls_are_accepted(matches: list[str], tmp_path: Path) -> None:
    """Longer prefixes, named hosts and named methods have their calls, in any order but one."""
    assert problems_of(tmp_path, _routes(matches)) == []


@pytest.mark.parametrize(
    ("matches", "message"),
    [(each, "matches the same calls as a route before it") for each in SAME]
    + [(each, "is never reached: routes before it take every call") for each in HIDDEN],
    ids=lambda value: " | ".join(value) if isinstance(value, list) else "",
)
def test_a_route_that_takes_no_call_is_a_mistake(
    matches: list[str], message: str, tmp_path: Path
) -> None:
    """It is named, with the lines of the routes that hide it."""
    text = _routes(matches)
    [problem] = problems_of(tmp_path, text)
    last = len(matches) - 1
    assert problem.path == f"routes[{last}].match"
    lines = [str(line_of(text, f"name: r{n},")) for n in range(last)]
    assert problem.message == f"{message} (see line {', '.join(lines)})"


def test_a_hidden_route_hides_nothing_itself(tmp_path: Path) -> None:
    """The report names the route that takes the calls, not all that never did."""
    text = _routes(["path: /a", "path: /a, methods: [GET]", "path: /a"])
    place = f"(see line {line_of(text, 'name: r0,')})"
    found = problems_of(tmp_path, text)
    assert [problem.path for problem in found] == ["routes[1].match", "routes[2].match"]
    assert all(problem.message.endswith(place) for problem in found)


_MATCHES = st.builds(
    "path: {}{}{}".format,
    st.sampled_from(["/", "/a", "/a/", "/a/b", "/b"]),
    st.sampled_from(
        ["", ", host: x.example", ", host: y.example", ", host: [x.example, y.example]"]
    ),
    st.sampled_from(["", ", methods: [GET]", ", methods: [POST]", ", methods: [POST, GET]"]),
)


@given(st.lists(_MATCHES, min_size=1, max_size=6))
def test_the_check_agrees_with_the_route_table(matches: list[str]) -> None:
    """What is called hidden is never found there, and everything else is."""
    root, _ = read_tree(_routes(matches).encode())
    assert root is not None
    settings, _ = validate(root, Path())
    found = check_routes(settings, frozenset({"north-a"}))
    hidden = {finding.loc[1] for finding in found if finding.loc[-1] == "match"}
    assert _reached(RouteTable(build(settings).routes)) == set(range(len(matches))) - hidden


def _reached(table: RouteTable) -> set[int]:
    """The numbers of the routes that some call gets."""
    calls = itertools.product(
        [b"localhost", b"x.example", b"y.example"],
        [b"/", b"/a", b"/a/b", b"/a/b/c", b"/b", b"/c"],
        [b"GET", b"POST"],
    )
    routes = (table.find(*call)[0] for call in calls)
    return {int(route.name.removeprefix("r")) for route in routes if route is not None}


def test_a_file_without_routes_is_a_mistake(tmp_path: Path) -> None:
    """It would refuse every call."""
    text = BASE[: BASE.index("routes:")] + "routes: []\n"
    assert [problem.path for problem in problems_of(tmp_path, text)] == ["routes"]


def test_a_wrong_upstream_is_still_a_candidate(tmp_path: Path) -> None:
    """One mistake is not reported at each place that refers to it."""
    changes = ("url: https://a.north.example", "url: nowhere")
    assert _problems(tmp_path, changes) == ["partners.north.upstreams.north-a.url"]


def test_candidates_exist_and_come_once(tmp_path: Path) -> None:
    """Each wrong one by its index."""
    changes = (CANDIDATES, "candidates: [north-a, south, north-a, north-b]")
    assert _problems(tmp_path, changes) == ["routes[0].candidates[1]", "routes[0].candidates[2]"]


def test_routes_apply_header_rules_of_their_own(tmp_path: Path) -> None:
    """Checked like those of upstreams."""
    changes = (OPERATION, "headers: {set: {X-A: a}, remove: [X-A]}")
    assert _problems(tmp_path, changes) == ["routes[0].headers.remove[0]"]


@pytest.mark.parametrize("operation", ["capture", "refund", "void"])
def test_later_legs_that_may_change_the_partner_are_worth_a_look(
    operation: str, tmp_path: Path
) -> None:
    """Another partner knows nothing of the payment; another upstream of the same one may."""
    changes = ((OPERATION, f"operation: {operation}"),)
    several = (*changes, (CANDIDATES, "candidates: [north-a, south-a, north-b]"))
    assert _warnings(tmp_path, *changes) == []
    assert _warnings(tmp_path, *several) == ["routes[0].candidates"]


def test_a_timeout_beyond_the_deadline_is_worth_a_look(tmp_path: Path) -> None:
    """Only one that the route itself sets, and only if it is really longer."""
    changes = (OPERATION, "deadline: 5s\n    timeouts: {first_byte: 6s, connect: 5s}")
    assert _warnings(tmp_path, changes) == ["routes[0].timeouts.first_byte"]


def test_an_unused_upstream_is_worth_a_look(tmp_path: Path) -> None:
    """A standby that nothing leads to stands by for nothing."""
    changes = (CANDIDATES, "candidates: [north-a]")
    assert _warnings(tmp_path, changes) == ["partners.north.upstreams.north-b"]


@pytest.mark.parametrize(
    ("new", "path"),
    [
        ("strip_prefix: true\n    replace_prefix: /v1", "routes[0].replace_prefix"),
        ("retry: {backoff_base: 501ms}", "routes[0].retry.backoff_base"),
        ("retry: {backoff_max: 49ms}", "routes[0].retry.backoff_base"),
    ],
)
def test_contradictions_within_a_route(new: str, path: str, tmp_path: Path) -> None:
    """Also between what is written and a default."""
    assert _problems(tmp_path, (OPERATION, new)) == [path]


@pytest.mark.parametrize(
    ("match", "paths"),
    [
        ("{path: /psp/, methods: []}", ["routes[0].match.methods"]),
        ("{path: /psp/, host: []}", ["routes[0].match.host"]),
        ("{path: /psp/, host: [A.example, b.example]}", []),
    ],
)
def test_an_empty_list_is_not_taken_for_any(match: str, paths: list[str], tmp_path: Path) -> None:
    """Whoever empties a list means none; whoever means any leaves the key out."""
    assert _problems(tmp_path, (MATCH, f"match: {match}")) == paths
