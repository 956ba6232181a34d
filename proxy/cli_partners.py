"""The tables of `tidegate partners` and `tidegate dns`: breakers, checks and names, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proxy.cli_common import table

_HEAD = (
    "partner", "upstream", "operation", "state", "for", "calls", "failing", "p50", "p99",
    "let through", "next probe", "refused", "why",
)  # fmt: skip


def partners_text(load: Mapping[str, Any]) -> str:
    """All that `tidegate partners` shows: breakers, checks, then orders that are not the file's."""
    tables = [partner_rows(load["breakers"])]
    tables += [check_rows(load["checks"])] if load["checks"] else []
    tables += [order_rows(load["orders"])] if load["orders"] else []
    return "\n\n".join(map(table, tables))


def partner_rows(breakers: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The table of breakers, its head first."""
    return [_HEAD, *(_row(each) for each in breakers)]


def order_rows(orders: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The table of routes that do not go by the file's order, its head first."""
    rows: list[tuple[str, ...]] = [("route", "order", "now", "why")]
    return rows + [
        (each["route"], each["order"], " ".join(each["now"]), each["why"]) for each in orders
    ]


def check_rows(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The table of checks and proofs, its head first."""
    rows: list[tuple[str, ...]] = [
        ("partner", "upstream", "check", "state", "for", "last check", "proven")
    ]
    for row in checks:
        proven = f"{_seconds(row['proven_s'])} ago, by a {row['proven_by']}"
        if row["unproven"]:
            proven = f"NOT PROVEN for {_seconds(row['proven_s'])}"
        elif not row["proven_by"]:
            proven = "not yet"
        last = "-" if row["last"] is None else f"{row['last']}, {_seconds(row['last_s'])} ago"
        state = "failing" if row["failing"] else "well"
        rows.append(
            (row["partner"], row["upstream"], row["kind"] or "-",
             state if row["last"] else "-", _seconds(row["for_s"]), last, proven)
        )  # fmt: skip
    return rows


def name_rows(names: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The table of names, its head first."""
    rows: list[tuple[str, ...]] = [
        ("name", "state", "age", "asked again in", "addresses", "trouble")
    ]
    for row in names:
        age, again = row.get("age_s"), row.get("next_refresh_s")
        rows.append(
            (
                row["name"],
                row["state"],
                "-" if age is None else f"{age:.0f} s",
                "-" if again is None else f"{again:.0f} s",
                " ".join(row.get("addresses", [])) or "-",
                row.get("reason") or "-",
            )
        )
    return rows


def _row(each: Mapping[str, Any]) -> tuple[str, ...]:
    shadow = " (shadow)" if each["shadow"] else ""
    low, high = each["share_low"], each["share_high"]
    share = f"{each['share']:.0%} ({low:.0%} to {high:.0%})" if each["calls"] else "-"
    probe_s = each["next_probe_s"]
    return (
        each["partner"],
        each["upstream"],
        " · ".join(filter(None, (each["compartment"], each.get("part")))),
        f"{each['state']}{shadow}",
        _seconds(each["for_s"]),
        str(each["calls"]),
        share,
        _milliseconds(each["p50_ms"]),
        _milliseconds(each["p99_ms"]),
        f"{each['admitted_share']:.0%}",
        _probe(probe_s, bool(each.get("awaits_check"))),
        str(sum(each["refused"].values())),
        each["why"],
    )


def _probe(due_s: float | None, awaits_check: bool) -> str:
    if due_s is None:
        return "-"
    return "after a check" if awaits_check and not due_s else f"in {due_s:.0f} s"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _milliseconds(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"
