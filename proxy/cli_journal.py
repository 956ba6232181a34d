"""`tidegate journal`: what operators ask of the journal, with or without a sidecar."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from proxy.cli_common import ConfigFile, admin_of, fail, load_config

if TYPE_CHECKING:
    from proxy.idempotency.operator import Source
    from proxy.idempotency.reseal import Resealed
    from proxy.idempotency.store import Query
    from proxy.settings.load import Loaded

T = TypeVar("T")
_REASON_LENGTH_MAX = 1000
"""As the admin listener takes it."""
journal = typer.Typer(help="The journal: what was sent and what came of it.", no_args_is_help=True)


@journal.command("list")
def list_calls(
    config: ConfigFile,
    state: Annotated[list[str] | None, typer.Option(help="claimed, sending, ...; repeat.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only calls to this partner.")] = None,
    older_than_s: Annotated[float, typer.Option(help="Unchanged for so many seconds.")] = 0.0,
    blocked: Annotated[
        bool, typer.Option("--blocked", help="Only calls that blocked a duplicate.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """Calls by state, partner and age, oldest first."""
    from proxy.idempotency import described

    query = _query(state, partner, older_than_s, limit, blocked=blocked)
    source = _source(config, partner)
    rows = _asked(lambda: list(source.rows(query)))
    if as_json:
        described.export(rows, "jsonl", sys.stdout, time.time())
    else:
        typer.echo(described.table(rows, time.time()))


@journal.command("show")
def show_call(
    config: ConfigFile, call: Annotated[str, typer.Argument(help="A key, or the start of an id.")]
) -> None:
    """All that is known of a call, but for the answer's content."""
    from proxy.idempotency import described

    rows = _asked(lambda: _source(config).named(call)) if call.isprintable() else ()
    if not rows:
        fail(f"no call has the key or id {call!r}", code=1)
    for row in rows:
        typer.echo(json.dumps(described.described(row, time.time()), indent=2))


@journal.command("export")
def export_calls(
    config: ConfigFile,
    form: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    state: Annotated[list[str] | None, typer.Option(help="claimed, sending, ...; repeat.")] = None,
    partner: Annotated[str | None, typer.Option(help="Only calls to this partner.")] = None,
) -> None:
    """Every call with its class (done, never_sent, not_executed or unknown) and its duplicates."""
    from proxy.idempotency import described

    if form not in ("jsonl", "csv"):
        fail(f"unknown format {form!r}: choose jsonl or csv", code=2)
    query, source = _query(state, partner, 0.0, 1_000_000_000), _source(config, partner)
    _asked(lambda: described.export(source.rows(query), form, sys.stdout, time.time()))


@journal.command("resolve")
def resolve_call(
    config: ConfigFile,
    call: Annotated[str, typer.Argument(help="The id, as `list --json` and `show` give it.")],
    reason: Annotated[str, typer.Option(help="How you know; it is recorded.")],
    done: Annotated[bool, typer.Option("--done/--none", help="Executed, or not.")],
    admin: Annotated[
        str | None, typer.Option(help="Admin listener; default: the configuration's, if it answers")
    ] = None,
) -> None:
    """Say what became of a call in doubt: to a running sidecar, else to the journal's file."""
    if len(call) != 32 or set(call) - set("0123456789abcdef"):
        fail("the id has 32 hexadecimal digits; `tidegate journal show KEY` prints it", code=2)
    if not (0 < len(reason) <= _REASON_LENGTH_MAX and reason.isprintable()):
        fail(f"the reason is one line of printable text, {_REASON_LENGTH_MAX} long at most", code=2)
    word = {"execution": "done" if done else "none", "reason": reason, "by": "operator"}
    loaded = load_config(config)
    running = admin or _answering(loaded)
    found = _tell(running, call, word, loaded, sure=admin is not None) if running else None
    if found is None:
        found = _resolve_there(config, call, done=done, reason=reason)
    typer.echo(json.dumps(found, indent=2))


def _answering(loaded: Loaded) -> str | None:
    """The configuration's admin listener, if a sidecar answers there."""
    from proxy.admin.client import AdminUnreachable, get

    url = admin_of(loaded)
    try:
        return url if get(url, "/healthz") == (200, "ok\n") else None
    except AdminUnreachable:
        return None


def _tell(
    admin: str, call: str, word: dict[str, Any], loaded: Loaded, *, sure: bool
) -> dict[str, Any] | None:
    """The call after an operator's word; None if that sidecar does not know it, and it may be
    another one than the operator means.
    """
    from proxy.admin.client import AdminUnreachable, put_result

    token = loaded.settings.admin.token
    try:
        status, document = put_result(admin, call, word, token.reveal() if token else None)
    except AdminUnreachable as error:
        fail(str(error))
    if status == 200:
        (found,) = document["calls"]
        return dict(found)
    if status != 404 or sure:
        fail(f"{admin}: {document.get('detail', status)}")
    typer.echo(f"{admin}: {document.get('detail', status)} Looking elsewhere.", err=True)
    return None


def _resolve_there(config: Path, call: str, *, done: bool, reason: str) -> dict[str, Any]:
    """In the file or in the tables themselves."""
    from proxy.idempotency import described

    source, row_id, wall = _source(config), bytes.fromhex(call), time.time()
    row = _asked(lambda: source.resolve(row_id, done=done, reason=reason, wall=wall))
    return described.described(row, wall)


@journal.command("reseal")
def reseal_answers(config: ConfigFile) -> None:
    """Seal stored answers anew with the first sealing key. With a file the sidecar must not run."""

    def told(progress: Resealed) -> None:
        typer.echo(f"{progress.share:4.0%}, {progress.changed} answers sealed anew", err=True)

    source, chosen = _source(config), load_config(config).settings.journal
    assert chosen is not None
    keys = {each.id: bytes.fromhex(each.key.reveal()) for each in chosen.sealing_keys}
    done = _asked(lambda: source.reseal(keys, told))
    if done.unreadable:
        fail(f"{done.unreadable} answers cannot be opened: configure the keys they are sealed with")


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


def _source(config: Path, partner: str | None = None) -> Source:
    """The journal that is configured; a file must be there. Rows may outlive their `partner`'s
    place in the configuration, so one that it does not know is only told of.
    """
    settings = load_config(config).settings
    chosen = settings.journal
    if partner is not None and partner not in settings.partners:
        known = ", ".join(settings.partners)
        typer.echo(f"{config} has no partner {partner!r}; known there: {known}", err=True)
    if chosen is None:
        fail(f"{config} configures no journal")
    if chosen.shared is not None:
        from proxy.idempotency.postgres_operator import SharedSource

        return SharedSource(chosen.shared.url.reveal())
    from proxy.idempotency.operator import FileSource

    path = Path(chosen.path or "").resolve()
    if not path.exists():
        fail(f"there is no journal {path} yet: the sidecar makes it when it starts")
    return FileSource(path)


def _asked(what: Callable[[], T]) -> T:
    """What a journal says; that it cannot say anything ends the command."""
    from proxy.idempotency.record import JournalError
    from proxy.model.errors import StartError

    try:
        return what()
    except (StartError, JournalError) as error:
        fail(str(error))


def _query(
    states: list[str] | None,
    partner: str | None,
    older_than_s: float,
    limit: int,
    *,
    blocked: bool = False,
) -> Query:
    from proxy.idempotency.record import State
    from proxy.idempotency.store import Query

    known = [state.value for state in State]
    for state in states or []:
        if state not in known:
            fail(f"unknown state {state!r}: choose {', '.join(known)}", code=2)
    chosen = tuple(State(state) for state in states) if states else tuple(State)
    until = time.time() - older_than_s if older_than_s else float("inf")
    return Query(states=chosen, partner=partner, changed_to=until, blocked=blocked, limit=limit)
