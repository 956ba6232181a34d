"""The fuzzer's judge is itself judged: each way to be wrong must be caught."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import pytest

from loadtests.fuzz.balance import balance
from loadtests.fuzz.generator import Case, Kind
from loadtests.fuzz.judge import Reply, Tally, ViolationError, judge
from loadtests.fuzz.limits import CANARY
from loadtests.fuzz.origin import Report
from loadtests.fuzz.reading import Accept, Either, Incomplete, Reading, Refuse, digest

ACCEPT = Accept(b"POST", b"/f", ((b"x-a", b"1"),), b"hi", closes=False, number=32)
REFUSE = Refuse(frozenset({400}), closes=True)
SOFT = Refuse(frozenset({404}), closes=False)


def echo(accept: Accept, problem: str = "", status: int = 200) -> Reply:
    """The origin's answer to exactly this request."""
    headers = {
        "x-echo": digest(accept.method, accept.target, accept.headers, accept.body),
        "x-problem": problem,
    }
    return Reply(status, headers, b"raw")


def refusal(status: int, raw: bytes = b"raw", *, close: bool = True) -> Reply:
    """A refusal of the sidecar's own."""
    return Reply(status, {"connection": "close"} if close else {}, raw)


def judged(readings: Sequence[Reading], replies: Sequence[Reply | None]) -> Tally:
    """Judge these replies, and the end of the connection after them."""
    tally = Tally()
    waiting = [*replies, None, None]
    case = Case(1, Kind.VALID, "valid", (b"",), tuple(readings), lockstep=False, half_close=False)
    judge(case, lambda _head: waiting.pop(0), tally)
    return tally


def test_right_replies_pass_and_are_counted() -> None:
    """An answer, a soft refusal, another answer, then a refusal that closes."""
    replies = [echo(ACCEPT), refusal(404, close=False), echo(ACCEPT), refusal(400)]
    tally = judged([ACCEPT, SOFT, ACCEPT, REFUSE], replies)
    assert (tally.requests, tally.forwarded, tally.refused) == (4, 2, 2)
    assert tally.counts == {32: 2}


@pytest.mark.parametrize("reply", [echo(ACCEPT), refusal(400), refusal(414)])
def test_either_may_be_taken_or_refused(reply: Reply) -> None:
    """Both are right for what is ambiguous by design."""
    assert judged([Either(ACCEPT)], [reply]).requests == 1


@pytest.mark.parametrize("reply", [None, refusal(408), refusal(400)])
def test_an_incomplete_request_is_hung_up_on_or_refused(reply: Reply | None) -> None:
    """Both are right for what never became a request."""
    assert judged([Incomplete()], [reply]).forwarded == 0


CHANGED = Accept(b"POST", b"/f", ((b"x-a", b"2"),), b"hi", closes=False, number=32)
WRONG: dict[str, tuple[list[Reading], list[Reply | None]]] = {
    "refused a good one": ([ACCEPT], [refusal(400)]),
    "no reply to a good one": ([ACCEPT], [None]),
    "changed on its way": ([ACCEPT], [echo(CHANGED)]),
    "odd one changed on its way": ([Either(ACCEPT)], [echo(CHANGED)]),
    "framing not canonical": ([ACCEPT], [echo(ACCEPT, problem="framing not canonical")]),
    "status changed": ([ACCEPT], [echo(ACCEPT, status=201)]),
    "forwarded a bad one": ([REFUSE], [echo(ACCEPT)]),
    "forwarded an incomplete one": ([Incomplete()], [echo(ACCEPT)]),
    "500": ([REFUSE], [refusal(500)]),
    "500 for an odd one": ([Either(ACCEPT)], [refusal(500)]),
    "502 for an incomplete one": ([Incomplete()], [refusal(502)]),
    "other refusal": ([REFUSE], [refusal(431)]),
    "no reply to a bad one": ([REFUSE], [None]),
    "offending bytes repeated": ([REFUSE], [refusal(400, b"no " + CANARY)]),
    "answered after a refusal": ([REFUSE], [refusal(400), echo(ACCEPT)]),
    "refused for ever": ([REFUSE], [refusal(400), refusal(400), refusal(400)]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_replies_are_violations(name: str) -> None:
    """None of these passes."""
    readings, replies = WRONG[name]
    with pytest.raises(ViolationError):
        judged(readings, replies)


def test_the_balance_finds_what_no_reply_shows() -> None:
    """Forwarded but not answered, answered but not forwarded, forwarded twice, nameless."""
    tally = Tally(counts=collections.Counter({32: 1, 64: 1, 96: 1}))
    report = Report(counts=collections.Counter({32: 1, 96: 2, 128: 1}), anonymous=1)
    wrong = balance(3, [tally], report)
    assert [line.split(":")[0] for line in wrong] == [
        "VIOLATION request 0 of case 2",
        "VIOLATION request 0 of case 3",
        "VIOLATION request 0 of case 4",
        "VIOLATION 1 requests without a case number at the origin, 0 answered",
    ]


def test_the_balance_allows_for_clients_that_hung_up() -> None:
    """Once or not at all, but never twice."""
    report = Report(counts=collections.Counter({32: 1}))
    assert balance(3, [Tally(uncertain={32, 64})], report) == []
    report.counts[64] = 2
    assert len(balance(3, [Tally(uncertain={32, 64})], report)) == 1


def test_what_the_origin_noticed_is_a_violation() -> None:
    """The origin's own findings count by themselves."""
    assert balance(3, [Tally()], Report(problems=["h11 refuses it"])) == [
        "VIOLATION at the origin: h11 refuses it"
    ]
