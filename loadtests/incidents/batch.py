"""`python -m loadtests.incidents.batch`: a night chain of its own that sends a batch of payments.

It reads payments, makes each once without any key, and writes what it was told:

    in    {"name": "batch-1", "partner": "acquirer", "amount": 100}
    out   {"status": 200, "execution": "done", "replayed": false, "body": "...", ...}
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loadtests.incidents.callers import ask_each
from loadtests.incidents.payments import PATHS, Payment, Told


def payments_of(lines: Iterable[str]) -> list[Payment]:
    """The payments of a batch file."""
    rows = [json.loads(line) for line in lines]
    return [
        Payment(row["name"], row["partner"], row["amount"], PATHS[row["partner"]]) for row in rows
    ]


def batch_lines(payments: Iterable[Payment]) -> str:
    """The batch file of these payments."""
    rows = [{"name": p.key, "partner": p.partner, "amount": p.amount} for p in payments]
    return "".join(json.dumps(row) + "\n" for row in rows)


def told_lines(told: Iterable[Told]) -> str:
    """What was said of each payment, as the file that the process writes."""
    return "".join(json.dumps(_row(reply)) + "\n" for reply in told)


def told_of(lines: Iterable[str]) -> list[Told]:
    """What that file says, in the order of the batch."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [
        Told(
            **{
                **row,
                "body": row["body"].encode("latin-1"),
                "headers": tuple((name, value) for name, value in row["headers"]),
            }
        )
        for row in rows
    ]


def _row(told: Told) -> dict[str, Any]:
    named = {name: getattr(told, name) for name in Told.__slots__}
    return {**named, "body": told.body.decode("latin-1")}


def main(url: str, batch: str, out: str) -> None:
    """Send the batch file to `url` and write what was told to the file `out`."""
    payments = payments_of(Path(batch).read_text(encoding="utf-8").splitlines())
    told = asyncio.run(ask_each(url, payments, keyed=False))
    Path(out).write_text(told_lines(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
