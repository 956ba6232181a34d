"""Rules for finding endpoints."""

from __future__ import annotations

import pytest

from proxy.sandbox.endpoints import Endpoints, Found, endpoint
from proxy.sandbox.message import Answer

TABLE = Endpoints(
    [
        endpoint("POST", "/charges", "authorize", "charge"),
        endpoint("POST", "/charges/{id}/void", "void", "void"),
        endpoint("GET", "/charges/{id}", "inquire", "show"),
    ]
)


def test_an_id_is_taken_out_of_the_path() -> None:
    """A pattern's id is what stands in its place, and '' where it has none."""
    found = TABLE.find("POST", "/charges/ch_1-A/void")
    assert isinstance(found, Found)
    assert (found.id, found.endpoint.act) == ("ch_1-A", "void")
    plain = TABLE.find("POST", "/charges")
    assert isinstance(plain, Found)
    assert plain.id == ""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/charges/ch_1/void", 405),
        ("POST", "/charges/", 404),
        ("POST", "/chargesX", 404),
        ("GET", "/charges/a/b", 404),
        ("GET", f"/charges/{'a' * 65}", 404),
        ("GET", "/charges/a b", 404),
    ],
)
def test_other_paths_and_methods_are_told_apart(method: str, path: str, status: int) -> None:
    """An unknown path is a 404, a known one with another method a 405; both are no operation."""
    found = TABLE.find(method, path)
    assert isinstance(found, Answer)
    assert found.status == status
    assert TABLE.operation(method, path) == "other"
