"""`proxy.routing.table` against a naive reference, and the tricks it must not fall for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.route import Route
from proxy.routing.table import RouteTable, read_leniently
from tests.support.values import route

SEGMENTS = st.sampled_from(["a", "b", "ab", "v1"])
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda parts: "/" + "/".join(parts))
TAILS = st.sampled_from(["", "/", "?a/b=/c", "/?", "?"])
METHODS = st.sampled_from([b"GET", b"POST", b"PUT"])
HOSTS = st.sampled_from([b"x.example", b"y.example"])


@st.composite
def _routes(draw: st.DrawFn) -> list[Route]:
    count = draw(st.integers(1, 8))
    made = []
    for number in range(count):
        prefix = draw(PATHS) + draw(st.sampled_from(["", "/"]))
        made.append(
            route(
                name=f"r{number}",
                path_prefix=("/" + prefix.lstrip("/")).encode(),
                hosts=draw(st.frozensets(HOSTS, max_size=2)),
                methods=draw(st.frozensets(METHODS, max_size=2)),
            )
        )
    return made


def _covers(prefix: bytes, path: bytes) -> bool:
    """Whether a prefix ends at a segment boundary of the path, said the slow way."""
    wanted = prefix.rstrip(b"/").split(b"/")
    return path.split(b"/")[: len(wanted)] == wanted


def _reference(
    routes: list[Route], host: bytes, target: bytes, method: bytes
) -> tuple[Route | None, bool]:
    """A named host before any host, then the longest prefix, then the first in the file."""
    path = target.split(b"?")[0]
    matching = [
        each
        for each in routes
        if (not each.hosts or host in each.hosts) and _covers(each.path_prefix, path)
    ]
    fitting = [each for each in matching if not each.methods or method in each.methods]
    best = max(
        fitting,
        key=lambda each: (
            bool(each.hosts),
            len(each.path_prefix.rstrip(b"/")),
            -routes.index(each),
        ),
        default=None,
    )
    return best, bool(matching)


@given(_routes(), HOSTS | st.just(b"z.example"), PATHS, TAILS, METHODS)
def test_the_table_finds_what_a_plain_search_finds(
    routes: list[Route], host: bytes, path: str, tail: str, method: bytes
) -> None:
    """The same route, and the same knowledge of whether the path is known at all."""
    target = (path.rstrip("/") + tail if path != "/" else path).encode()
    assert RouteTable(routes).find(host, target, method) == _reference(routes, host, target, method)


PSP = route(name="psp", path_prefix=b"/psp/")
CHARGES = route(name="charges", path_prefix=b"/psp/charges", methods=frozenset((b"POST",)))
TABLE = RouteTable([PSP, CHARGES])


def _name(target: bytes, method: bytes = b"POST") -> str | None:
    found, _ = TABLE.find(b"localhost", target, method)
    return found.name if found else None


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (b"/psp", "psp"),
        (b"/psp/", "psp"),
        (b"/psp?x", "psp"),
        (b"/psp/x/y/z", "psp"),
        (b"/psp/charges", "charges"),
        (b"/psp/charges/", "charges"),
        (b"/psp/charges/ch_1", "charges"),
        (b"/psp/charges?x=/y", "charges"),
        (b"/psp/chargesx", "psp"),
        (b"/pspx", None),
        (b"/pspx/charges", None),
        (b"/PSP/charges", None),
        (b"/", None),
        (b"/x/psp/charges", None),
    ],
)
def test_prefixes_end_at_segment_boundaries(target: bytes, name: str | None) -> None:
    """Neither a longer word nor the same words elsewhere are a match; the query never counts."""
    assert _name(target) == name


def test_a_method_that_the_longest_prefix_lacks_is_looked_for_at_shorter_ones() -> None:
    """The longest prefix that takes the call wins, not the longest that knows the path."""
    assert _name(b"/psp/charges", b"GET") == "psp"


@pytest.mark.parametrize(
    "target",
    [
        b"/psp//charges",
        b"//psp/charges",
        b"/psp/%63harges",
        b"/psp/%2563harges",
        b"/psp%2fcharges",
        b"/psp/%2Fcharges",
        b"/psp/%5ccharges",
        b"/psp;v=1/charges",
        b"/psp/charges;v=1",
    ],
)
def test_a_spelling_that_partners_read_as_another_routes_path_has_no_route(target: bytes) -> None:
    """Or the spelling would choose which money rule, credential and partner apply."""
    assert _name(read_leniently(target)) == "charges"
    assert TABLE.find(b"localhost", target, b"POST") == (None, False)


@pytest.mark.parametrize(
    "target",
    [
        b"/psp/charges/a%2Fb",
        b"/psp/charges/a//b",
        b"/psp/charges/a;b=c",
        b"/psp/charges/100%25",
        b"/psp/charges/%zz%",
        b"/psp/charges/%C3%A9?x=%2e",
    ],
)
def test_odd_spelling_behind_the_prefix_is_the_partners_business(target: bytes) -> None:
    """Only what could change the route is looked at."""
    assert _name(target) == "charges"


@given(st.binary(max_size=40))
def test_lenient_reading_ends_and_leaves_nothing_to_read_twice(rest: bytes) -> None:
    """Decoded to the end, no doubled slash, no parameters left."""
    once = read_leniently(b"/" + rest)
    assert b"//" not in once
    assert b"\\" not in once
    assert b";" not in once


def test_hosts_are_those_that_routes_name() -> None:
    """Beside `listen.hosts` they are what a Host header may say."""
    table = RouteTable([PSP, route(name="h", hosts=frozenset((b"x.example", b"y.example")))])
    assert table.hosts == {b"x.example", b"y.example"}


def test_a_host_of_its_own_comes_before_any_host_whatever_the_prefix() -> None:
    """A short prefix at the named host wins over a long one anywhere."""
    own = route(name="own", path_prefix=b"/", hosts=frozenset((b"x.example",)))
    table = RouteTable([CHARGES, own])
    assert table.find(b"x.example", b"/psp/charges", b"POST")[0] is own
    assert table.find(b"localhost", b"/psp/charges", b"POST")[0] is CHARGES


@pytest.mark.parametrize("depth", [1, 50, 1000])
def test_a_deep_path_is_searched_only_as_deep_as_prefixes_go(depth: int) -> None:
    """The answer is the same at any depth."""
    assert _name(b"/psp" + b"/x" * depth) == "psp"


def test_calls_may_be_for_the_hosts_of_routes_and_for_others() -> None:
    """In lower case, as requests are compared."""
    table = RouteTable([route(hosts=frozenset((b"pay.example",)))])
    assert table.accepted(["LOCALHOST"]) == {b"pay.example", b"localhost"}
