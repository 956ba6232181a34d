"""`tidegate route`: where a running sidecar's calls go, and an operator's word about it."""

from __future__ import annotations

import getpass
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import typer

from proxy.cli_common import DEFAULT_ADMIN, admin_of, fail, load_config, table

route = typer.Typer(
    help="Where calls go: force a route, drain or isolate an upstream, for a while.",
    no_args_is_help=True,
)

Admin = Annotated[
    str | None,
    typer.Option(help=f"Admin listener; default: the configuration's, else {DEFAULT_ADMIN}."),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Where `admin.address` and `admin.token` are taken from."),
]
Reason = Annotated[str, typer.Option(help="Why; it is shown to others and logged.")]
Lasts = Annotated[str, typer.Option("--for", help="From 1m to 7d; then it ends by itself.")]
By = Annotated[str | None, typer.Option(help="Who says so; default: the login name.")]
_STANDING = {
    "force": "a forced route", "drain": "a drained upstream", "isolate": "an isolated upstream",
}  # fmt: skip
TOKEN = "TIDEGATE_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
_REMEDY = f"give --config FILE, whose `admin.token` is shown, or set {TOKEN}"


@route.command("list")
def list_routes(
    admin: Admin = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="The document as it is served.")] = False,
) -> None:
    """Each route with its candidates and where new calls go now; then what operators have said."""
    found = _ask(admin, config, "GET", "/routes")
    if as_json:
        typer.echo(json.dumps(found))
        return
    rows = [("route", "operation", "candidates", "new calls go to")]
    for each in found["routes"]:
        now = ", ".join(each["now"]) or "nowhere: they are refused"
        changed = each["now"] != each["candidates"]
        rows.append(
            (each["route"], each["operation"], ", ".join(each["candidates"]),
             now if changed else "(by the file)")
        )  # fmt: skip
    typer.echo(table(rows))
    if found["overrides"]:
        typer.echo("\n" + table([_HEAD, *(_row(each) for each in found["overrides"])]))
    if found["overrides"] and found["trouble"]:
        typer.echo(f"not kept over a restart: {found['trouble']}", err=True)


@route.command("force")
def force_route(
    name: Annotated[str, typer.Argument(metavar="ROUTE")],
    upstream: Annotated[str, typer.Argument(help="One of the route's candidates.")],
    reason: Reason,
    lasts: Lasts = "1h",
    by: By = None,
    admin: Admin = None,
    config: Config = None,
) -> None:
    """Send a route's new calls to one of its candidates, and nowhere else."""
    said = {"upstream": upstream, **_why(reason, lasts, by)}
    _told(_ask(admin, config, "PUT", f"/routes/{quote(name, safe='')}/force", said))


@route.command("drain")
def drain_upstream(
    upstream: Annotated[str, typer.Argument(help="Of any partner.")],
    reason: Reason,
    lasts: Lasts = "1h",
    by: By = None,
    admin: Admin = None,
    config: Config = None,
) -> None:
    """Send no new payments to an upstream; what was sent there is settled there all the same."""
    _about(upstream, "drain", admin, config, _why(reason, lasts, by))


@route.command("isolate")
def isolate_upstream(
    upstream: Annotated[str, typer.Argument(help="Of any partner.")],
    reason: Reason,
    lasts: Lasts = "1h",
    by: By = None,
    admin: Admin = None,
    config: Config = None,
) -> None:
    """Hold an upstream's breakers open: nothing goes there, not even what belongs there."""
    _about(upstream, "isolate", admin, config, _why(reason, lasts, by))


@route.command("release")
def release(
    name: Annotated[str, typer.Argument(help="A forced route, a drained or isolated upstream.")],
    kind: Annotated[
        str | None, typer.Option(help="force, drain or isolate, where the name has several.")
    ] = None,
    admin: Admin = None,
    config: Config = None,
) -> None:
    """Let the configuration count again."""
    if kind not in (None, *_STANDING):
        fail(f"unknown kind {kind!r}: choose force, drain or isolate", code=2)
    standing = _ask(admin, config, "GET", "/routes")["overrides"]
    named = [(each["kind"], each["route"] or each["upstream"]) for each in standing]
    kinds = [said for said in _STANDING if (said, name) in named and kind in (None, said)]
    if not kinds:
        there = ", ".join(at for _, at in named) or "none"
        fail(f"nothing stands for {name!r}; there are: {there}")
    if len(kinds) > 1:
        what = " and ".join(_STANDING[each] for each in kinds)
        fail(f"{name!r} is {what}: add --kind {' or '.join(kinds)}", 2)
    place = "routes" if kinds[0] == "force" else "upstreams"
    path = f"/{place}/{quote(name, safe='')}/{kinds[0]}"
    _told(_ask(admin, config, "DELETE", path), released=True)


def _why(reason: str, lasts: str, by: str | None) -> dict[str, str]:
    return {"reason": reason, "for": lasts, "by": by or _login()}


def _about(
    upstream: str, kind: str, admin: str | None, config: Path | None, said: dict[str, str]
) -> None:
    """Say a word about an upstream, and tell what was done."""
    path = f"/upstreams/{quote(upstream, safe='')}/{kind}"
    _told(_ask(admin, config, "PUT", path, said))


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a numeric user without a name
        return f"uid {os.getuid()}"


def _ask(
    admin: str | None, config: Path | None, method: str, path: str, said: Any = None
) -> dict[str, Any]:
    """The document of a page; anything but 200 ends the command."""
    from proxy.admin.client import AdminUnreachable, send

    token = os.environ.get(TOKEN)
    if config is not None:
        loaded = load_config(config)
        chosen = loaded.settings.admin.token
        token = token or (chosen.reveal() if chosen else None)
        admin = admin or admin_of(loaded)
    admin = admin or DEFAULT_ADMIN
    try:
        status, found = send(admin, method, path, said, token)
    except AdminUnreachable as error:
        fail(str(error))
    if status != 200:
        _refused(admin, found)
    return found


def _refused(admin: str, found: dict[str, Any]) -> NoReturn:
    """Why, and what would be right."""
    remedy = ""
    if found.get("reason") == "token":
        remedy = f" To show it, {_REMEDY}."
    elif found.get("known"):
        remedy = f" There are: {', '.join(found['known'])}."
    fail(f"{admin}: {found.get('detail', found)}{remedy}")


def _told(found: dict[str, Any], *, released: bool = False) -> None:
    """What was done; what to mind goes to standard error."""
    each = found["override"]
    what = _WHAT[each["kind"]].format(**each)
    if released:
        typer.echo(f"released: {what.partition(':')[0]}")
    else:
        typer.echo(f"{what}, until {_instant(each['until'])}, unless released before")
    for name in found["refused"]:
        typer.echo(f"warning: new calls of route {name} are refused, no upstream is left", err=True)
    if not found["kept"]:
        typer.echo(f"warning: {found['trouble']}", err=True)


_WHAT = {
    "force": "route {route}: new calls go to {upstream} alone",
    "drain": "upstream {upstream}: no new payments go there",
    "isolate": "upstream {upstream}: nothing goes there",
}
_HEAD = ("said", "route", "upstream", "since", "until", "left", "by", "reason")


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    return (
        each["kind"], each["route"] or "-", each["upstream"], _instant(each["since"]),
        _instant(each["until"]), _left(each["remaining_s"]), each["by"], each["reason"],
    )  # fmt: skip


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _left(seconds: float) -> str:
    if seconds < 86_400:
        return time.strftime("%H:%M:%S", time.gmtime(seconds))
    return f"{seconds / 86_400:.1f} d"
