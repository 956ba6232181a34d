"""`tidegate journal`: what operators ask of the journal's file, with or without a sidecar."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.cli_common import ConfigFile, fail, load_config

if TYPE_CHECKING:
    from proxy.idempotency.store import Query

journal = typer.Typer(help="The journal: what was sent and what came of it.", no_args_is_help=True)


@journal.command("list")
def list_calls(
    config: ConfigFile,
    state: Annotated[list[str] | None, typer.Option(help="claimed, sending, ...; repeat.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only calls to this partner.")] = None,
    older_than_s: Annotated[float, typer.Option(help="Unchanged for so many seconds.")] = 0.0,
    limit: Annotated[int, typer.Option(help="Rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """Calls by state, partner and age, oldest first."""
    from proxy.idempotency import operator

    query = _query(state, partner, older_than_s, limit)
    rows = list(operator.all_rows(_journal(config), query))
    if as_json:
        operator.export(rows, "jsonl", sys.stdout, time.time())
    else:
        typer.echo(operator.table(rows, time.time()))


@journal.command("show")
def show_call(
    config: ConfigFile, call: Annotated[str, typer.Argument(help="A key, or the start of an id.")]
) -> None:
    """All that is known of a call, but for the answer's content."""
    from proxy.idempotency import operator

    rows = operator.named(_journal(config), call)
    if not rows:
        fail(f"no call has the key or id {call!r}", code=1)
    for row in rows:
        typer.echo(json.dumps(operator.described(row, time.time()), indent=2))


@journal.command("export")
def export_calls(
    config: ConfigFile,
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    state: Annotated[list[str] | None, typer.Option(help="claimed, sending, ...; repeat.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only calls to this partner.")] = None,
) -> None:
    """Every call with its class: never_sent, done or unknown."""
    from proxy.idempotency import operator

    if form not in ("jsonl", "csv"):
        fail(f"unknown format {form!r}: choose jsonl or csv", code=2)
    rows = operator.all_rows(_journal(config), _query(state, partner, 0.0, 1_000_000_000))
    operator.export(rows, form, sys.stdout, time.time())


@journal.command("resolve")
def resolve_call(
    config: ConfigFile,
    call: Annotated[str, typer.Argument(help="The id, as `list --json` and `show` give it.")],
    reason: Annotated[str, typer.Option(help="How you know; it is recorded.")],
    done: Annotated[bool, typer.Option("--done/--none", help="Executed, or not.")],
) -> None:
    """Say what became of a call in doubt. The sidecar must not run meanwhile."""
    from proxy.idempotency import operator
    from proxy.idempotency.record import JournalError
    from proxy.model.errors import StartError

    if len(call) != 32 or set(call) - set("0123456789abcdef"):
        fail("the id has 32 hexadecimal digits; `tidegate journal show KEY` prints it", code=2)
    try:
        path, row_id = _journal(config), bytes.fromhex(call)
        row = operator.resolve(path, row_id, done=done, reason=reason, wall=time.time())
    except (StartError, JournalError) as error:
        fail(str(error), code=1)
    typer.echo(json.dumps(operator.described(row, time.time()), indent=2))


@journal.command("migrate")
def migrate_tables(config: ConfigFile) -> None:
    """Make the tables of a shared journal, or bring them to this release; sidecars may run on."""
    from proxy.idempotency.postgres_admin import migrate
    from proxy.model.errors import StartError

    chosen = load_config(config).settings.journal
    if chosen is None or chosen.shared is None:
        fail(f"{config} configures no shared journal, and a file needs no migration", code=1)
    try:
        typer.echo(migrate(chosen.shared.url.reveal()))
    except StartError as error:
        fail(str(error), code=1)


def _journal(config: Path) -> Path:
    """The embedded journal's file, which must be there."""
    chosen = load_config(config).settings.journal
    if chosen is None:
        fail(f"{config} configures no journal", code=1)
    path = Path(chosen.path or "")
    if not path.exists():
        fail(f"there is no journal {path} yet: the sidecar makes it when it starts", code=1)
    return path


def _query(states: list[str] | None, partner: str | None, older_than_s: float, limit: int) -> Query:
    from proxy.idempotency.record import State
    from proxy.idempotency.store import Query

    known = [state.value for state in State]
    for state in states or []:
        if state not in known:
            fail(f"unknown state {state!r}: choose {', '.join(known)}", code=2)
    chosen = tuple(State(state) for state in states) if states else tuple(State)
    until = time.time() - older_than_s if older_than_s else float("inf")
    return Query(states=chosen, partner=partner, changed_to=until, limit=limit)
