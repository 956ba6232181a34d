"""Names, modes, statuses and words have exactly the documented spellings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from proxy.model.breaker import BreakerMode
from proxy.model.outcome import Execution
from proxy.model.route import Money
from proxy.settings import kinds
from proxy.settings.defaults import MONEY, STATUSES
from proxy.settings.problems import Wrong
from proxy.settings.secret import Secret


def _read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def _refusal(kind: Any, value: object) -> Wrong:
    with pytest.raises(ValidationError) as caught:
        _read(kind, value)
    context = caught.value.errors(include_input=False)[0].get("ctx", {})
    wrong = context.get("error")
    assert isinstance(wrong, Wrong)
    return wrong


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (kinds.Version, "1", 1),
        (kinds.Name, "north-a_1", "north-a_1"),
        (kinds.Mode, "0600", 0o600),
        (kinds.Mode, "660", 0o660),
        (kinds.Token, "abc", Secret("abc")),
        (kinds.HeaderValue, "a b", Secret("a b")),
        (kinds.Hosts, "A.example", ("a.example",)),
        (kinds.Hosts, ["a", "B"], ("a", "b")),
        (kinds.Method, "POST", "POST"),
        (kinds.Operation, "void", "void"),
        (kinds.StatusKey, "402", "402"),
        (kinds.StatusKey, "5xx", "5xx"),
        (kinds.ExecutionWord, "none", Execution.NONE),
        (kinds.MoneyWord, "true", Money.YES),
        (kinds.MoneyWord, "no", Money.NO),
        (kinds.MoneyWord, "by_method", Money.BY_METHOD),
        (kinds.BreakerWord, "shadow", BreakerMode.SHADOW),
        (kinds.BreakerWord, "on", BreakerMode.ON),
        (kinds.BreakerWord, "false", BreakerMode.OFF),
    ],
)
def test_documented_spellings_are_read(kind: Any, written: object, value: object) -> None:
    """Each to the value that the stack works with."""
    assert _read(kind, written) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (kinds.Version, "1.0"),
        (kinds.Name, "-a"),
        (kinds.Name, "a.b"),
        (kinds.Name, "x" * 64),
        (kinds.Name, "a\n"),
        (kinds.Mode, "0999"),
        (kinds.Mode, "rw"),
        (kinds.Mode, "00600"),
        (kinds.Token, "a\nb"),
        (kinds.Method, "TRACE"),
        (kinds.Operation, "charge"),
        (kinds.StatusKey, "101"),
        (kinds.StatusKey, "600"),
        (kinds.StatusKey, "5XX"),
        (kinds.StatusKey, "٤٠٢"),
        (kinds.ExecutionWord, "maybe"),
        (kinds.MoneyWord, "1"),
    ],
)
def test_other_spellings_are_refused_without_repeating_them(kind: Any, written: str) -> None:
    """Message and remedy are ours alone."""
    wrong = _refusal(kind, written)
    assert wrong.remedy
    assert wrong.message.isascii()


def test_a_file_starts_at_the_directory_of_the_configuration() -> None:
    """An absolute path stays; without a context a relative one stays as well."""
    adapter: TypeAdapter[str] = TypeAdapter(kinds.File)
    context = {"directory": Path("/etc/tidegate")}
    assert adapter.validate_python("ca.pem", context=context) == "/etc/tidegate/ca.pem"
    assert adapter.validate_python("/ca.pem", context=context) == "/ca.pem"
    assert adapter.validate_python("ca.pem") == "ca.pem"


def test_every_operation_has_a_default_for_money() -> None:
    """And the defaults are those of the architecture: what is not declared may move money."""
    assert set(MONEY) == set(kinds.OPERATIONS)
    assert {name for name, money in MONEY.items() if money is Money.NO} == {
        "authenticate",
        "inquire",
    }
    assert MONEY["other"] is Money.BY_METHOD


def test_default_statuses_prove_no_more_than_they_can() -> None:
    """2xx, 3xx and 4xx are done; 429 is none; 408, 409, 425 and 5xx are unknown."""
    assert {
        **dict.fromkeys((2, 3, 4), Execution.DONE),
        **dict.fromkeys((5, 408, 409, 425), Execution.UNKNOWN),
        429: Execution.NONE,
    } == STATUSES


@pytest.mark.parametrize("written", ["stripe", "./own", "own.yaml", "own.yml", "/etc/own.yaml"])
def test_a_profile_is_named_or_found_by_its_path(written: str) -> None:
    """A slash or an ending makes it a path."""
    assert _read(kinds.ProfileRef, written) == written
    assert kinds.is_profile_path(written) is (written != "stripe")


def test_a_profile_is_nothing_else() -> None:
    """Neither a sentence nor a list."""
    assert "./partner.yaml" in _refusal(kinds.ProfileRef, "a b").remedy
    assert _refusal(kinds.ProfileRef, ["a"]).message == "is not a single value"
