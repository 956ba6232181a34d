"""Three records held against each other: an honest run agrees, each planted wrong is found."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from loadtests.incidents.checker import Execution
from loadtests.incidents.inc_25 import agreement
from loadtests.incidents.payments import Payment, Told
from loadtests.incidents.reckoning import doubts, reckon, reckoning_bars
from proxy.idempotency.record import Record, Scope, State

UNKNOWN = Told(409, "unknown", "refused")
NONE = Told(503, "none", "unsent")
CUT = Told(error="ConnectionResetError")


def answer(name: str, amount: int = 100, **members: object) -> Told:
    """The acquirer's answer to the payment `name`; `members` differ."""
    body = b'{"pspReference": "psp_1", "merchantReference": "%b", "amount": %d}'
    told = Told(
        200, "done", "answered", nonce=name, headers=(("content-type", "application/json"),),
        body=body % (name.encode(), amount),
    )  # fmt: skip
    return replace(told, **members)  # type: ignore[arg-type]


def paid(name: str, *told: Told, reread: Told | None = None) -> Payment:
    """A payment and what was said of it."""
    return Payment(name, "acquirer", 100, "/acquirer/payments", list(told), reread)


def done(name: str) -> Payment:
    """A payment that went well, and whose answer is still there."""
    return paid(name, answer(name), reread=answer(name, replayed=True))


def executed(name: str) -> Execution:
    """The ledger row of the payment `name`."""
    return Execution("acquirer", "authorize", name, name, 100)


def row(name: str, state: State = State.SETTLED) -> Record:
    """The journal's row of the payment `name`."""
    return Record(
        id=name.encode().ljust(16), scope=Scope("default", "acquirer", "authorize", name),
        fingerprint=bytes(32), state=state, token=1, owner="o", call="c", claimed_at=1.0,
        changed_at=1.0, changed_kept=1.0, upstream="acquirer",
    )  # fmt: skip


def test_an_honest_run_is_clean() -> None:
    """Done, never sent, and unknown either way: the three records agree."""
    payments = [
        done("a"),
        paid("b", CUT, NONE),
        paid("c", CUT, UNKNOWN),
        paid("d", CUT, UNKNOWN),
        paid("e", CUT),
    ]
    rows = [
        row("a"),
        row("b", State.RELEASED),
        row("c", State.IN_DOUBT),
        row("d", State.IN_DOUBT),
    ]
    found = reckon(payments, [executed("a"), executed("c")], rows)
    assert found.clean
    assert all(bar.held for bar in reckoning_bars("part", found, "note"))
    assert agreement(rows, {"a", "c"}) == 100.0


@pytest.mark.parametrize(
    ("figure", "payment", "executions", "rows"),
    [
        ("dup", done("a"), [executed("a"), executed("a")], [row("a")]),
        ("lost", paid("a", answer("a")), [executed("a")], [row("a")]),
        ("lost", paid("a", answer("a"), reread=UNKNOWN), [executed("a")], [row("a")]),
        ("lost", paid("a", answer("a"), reread=answer("a")), [executed("a")], [row("a")]),
        (
            "lost",
            paid("a", answer("a"), reread=answer("a", status=201, replayed=True)),
            [executed("a")],
            [row("a")],
        ),
        ("mixed", paid("a", answer("b", execution="unknown")), [executed("a")], [row("a")]),
        ("mixed", paid("a", answer("a", 900, execution="")), [executed("a")], [row("a")]),
        ("mixed", paid("a", answer("a", execution="", body=b"x")), [executed("a")], [row("a")]),
        ("lied_none", paid("a", NONE), [executed("a")], [row("a", State.IN_DOUBT)]),
        ("lied_done", done("a"), [], [row("a", State.IN_DOUBT)]),
        ("unlisted", paid("a", CUT), [executed("a")], []),
        ("imagined", paid("a", CUT), [], [row("a")]),
        ("stray", paid("b", CUT), [executed("a")], [row("a")]),
    ],
)
def test_each_wrong_is_found(
    figure: str, payment: Payment, executions: list[Execution], rows: list[Record]
) -> None:
    """Each planted wrong shows in its own figure, and in no other."""
    found = asdict(reckon([payment], executions, rows))
    assert {name for name, count in found.items() if count} == {figure}
    assert found[figure] == 1


def test_a_row_that_says_never_sent_is_held_against_the_ledger() -> None:
    """What was executed and is released in the journal is wrong twice: unlisted, and freed."""
    found = reckon([paid("a", CUT)], [executed("a")], [row("a", State.RELEASED)])
    assert (found.freed, found.unlisted) == (1, 1)
    assert agreement([row("a", State.RELEASED)], {"a"}) == 0.0


def test_the_journal_alone_may_not_be_believed() -> None:
    """A settled row without an execution, and an execution without a row, both disagree."""
    assert agreement([row("a"), row("b")], {"a", "c"}) == pytest.approx(100 / 3)


def test_rows_at_work_count_as_doubt() -> None:
    """Nothing is at work when the journal is read, so such a row was left behind."""
    rows = [row("a", State.SENDING), row("b", State.CLAIMED), row("c", State.IN_DOUBT), row("d")]
    assert [each.scope.key for each in doubts(rows, "acquirer")] == ["a", "b", "c"]
    assert doubts(rows, "processor") == []


def test_a_refusal_of_the_partner_is_known_by_its_nonce() -> None:
    """An error's body names no payment, so the echoed nonce has to."""
    payment = paid("a")
    assert payment.owns(answer("a", status=402, body=b"{}"))
    assert not payment.owns(answer("a", status=402, body=b"{}", nonce=""))


def test_an_answer_found_by_inquiry_is_known_by_what_it_says() -> None:
    """The application did not send the inquiry, so no nonce of its own is echoed."""
    listed = b'{"payments": [{"merchantReference": "a", "amount": 100}]}'
    assert paid("a").owns(answer("a", nonce="", body=listed))
    assert not paid("b").owns(answer("a", nonce="", body=listed))
