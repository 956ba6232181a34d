"""`tidegate verdicts` and `tidegate incidents`: who has degraded, and what has happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from proxy.cli_common import DEFAULT_ADMIN, fail, table

incidents = typer.Typer(
    help="What has degraded: incidents with their times, impact and evidence.",
    invoke_without_command=True,
)
Admin = Annotated[str, typer.Option(help="Admin listener: http://host:port or unix:/path.")]
Json = Annotated[bool, typer.Option("--json", help="The document as it is served.")]


def verdicts(admin: Admin = DEFAULT_ADMIN, as_json: Json = False) -> None:
    """Say which partner has degraded now: slice, phase, whose fault, since when."""
    text = _ask(admin, "/verdicts")
    if as_json:
        typer.echo(text)
        return
    found = json.loads(text)["verdicts"]
    if not found:
        typer.echo("nothing has degraded")
    for each in found:
        typer.echo(each["sentence"])
        for line in each["evidence"]:
            typer.echo(f"    {line}")


@incidents.callback()
def list_incidents(
    context: typer.Context, admin: Admin = DEFAULT_ADMIN, as_json: Json = False
) -> None:
    """List incidents, the newest first; `show ID` tells one of them."""
    if context.invoked_subcommand is not None:
        return
    text = _ask(admin, "/incidents")
    if as_json:
        typer.echo(text)
        return
    rows = json.loads(text)["incidents"]
    if not rows:
        typer.echo("no incidents")
        return
    head = ("id", "state", "since", "ended", "partner", "phase", "origin", "failed", "in doubt",
            "moved")  # fmt: skip
    typer.echo(table([head, *(_row(each) for each in rows)]))


@incidents.command("show")
def show(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    markdown: Annotated[
        bool, typer.Option("--markdown/--json", help="For people, or the document.")
    ] = True,
    admin: Admin = DEFAULT_ADMIN,
) -> None:
    """Tell one incident: timeline, impact and evidence."""
    suffix = ".md" if markdown else ""
    typer.echo(_ask(admin, f"/incidents/{quote(id_, safe='')}{suffix}").rstrip("\n"))


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    impact = each["impact"]
    return (
        each["id"],
        each["state"],
        _moment(each["since"]),
        "-" if each["ended_at"] is None else _moment(each["ended_at"]),
        ", ".join(each["partners"]),
        each["phase"],
        each["origin"],
        str(impact["calls_failed"]),
        str(impact["calls_in_doubt"]),
        str(impact["calls_moved"]),
    )


def _moment(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _ask(admin: str, path: str) -> str:
    """The text of a page; anything but 200 ends the command."""
    from proxy.admin.client import AdminUnreachable, get

    try:
        status, text = get(admin, path)
    except AdminUnreachable as error:
        fail(str(error))
    if status == 404:
        fail("there is no such incident; `tidegate incidents` lists them")
    if status != 200:
        fail(f"{admin} answered {status}: {text.strip()}")
    return text
