"""The command line.

Every command imports what it needs when it runs: the payment port must be ready in a
third of a second, and a report of problems should not wait for an event loop.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from proxy.cli_common import DEFAULT_ADMIN, ConfigFile, fail, load_config, table
from proxy.cli_health import incidents, verdicts
from proxy.cli_journal import journal
from proxy.cli_partners import name_rows, partners_text
from proxy.cli_route import route
from proxy.cli_run import LOOPS, serve
from proxy.settings.apart import read_here

app = typer.Typer(
    help="Tidegate: an outbound proxy for payment calls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sandbox = typer.Typer(help="Simulated partners, for trying and testing.", no_args_is_help=True)
app.add_typer(sandbox, name="sandbox")
app.add_typer(journal, name="journal")
app.add_typer(route, name="route")
app.add_typer(incidents, name="incidents")
app.command()(verdicts)

Admin = Annotated[str, typer.Option(help="Admin listener: http://host:port or unix:/path.")]


def _version(wanted: bool) -> None:
    if wanted:
        from proxy.built import described

        typer.echo(described())
        raise typer.Exit


@app.callback()
def tidegate(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and end.")
    ] = False,
) -> None:
    """Tidegate: an outbound proxy for payment calls."""


@app.command()
def run(
    config: ConfigFile,
    loop: Annotated[str, typer.Option(help="Event loop: uvloop or asyncio.")] = "uvloop",
) -> None:
    """Run the sidecar until SIGTERM or SIGINT, then drain."""
    if loop not in LOOPS:
        fail(f"unknown loop {loop!r}: choose uvloop or asyncio", code=2)
    raise SystemExit(serve(read_here(config), loop))


@app.command()
def check(config: Annotated[Path, typer.Argument(help="The configuration file.")]) -> None:
    """Validate a configuration file; every problem is reported at once."""
    from proxy.app_checks import files_are_usable
    from proxy.model.errors import StartError

    loaded = load_config(config)
    try:
        files_are_usable(loaded)
    except StartError as error:
        fail(str(error))
    settings = loaded.settings
    upstreams = sum(len(partner.upstreams) for partner in settings.partners.values())
    typer.echo(
        f"{config}: ok: {len(settings.routes)} routes, {len(settings.partners)} partners, "
        f"{upstreams} upstreams, hash {loaded.hash[:12]}"
    )


@app.command()
def explain(
    method: Annotated[str, typer.Argument(help="HTTP method, such as POST.")],
    path: Annotated[str, typer.Argument(help="Path as the application sends it.")],
    config: ConfigFile,
    host: Annotated[str, typer.Option(help="Host as the application sends it.")] = "127.0.0.1",
) -> None:
    """Show which route, candidates, timeouts and rules apply to a call."""
    from proxy.app_checks import explain_call

    try:
        text = explain_call(load_config(config), host.lower(), path, method.upper())
    except LookupError as error:
        fail(str(error.args[0]))
    if text is None:
        fail(f"no route matches {method.upper()} {path} for host {host}")
    typer.echo(text)


@app.command()
def schema(
    of_profile: Annotated[
        bool, typer.Option("--profile", help="Of a profile file, for one of your own.")
    ] = False,
) -> None:
    """Print the configuration's JSON Schema, for editors."""
    from proxy.settings.load import json_schema
    from proxy.settings.profile import Profile

    found = json_schema(Profile, "Tidegate partner profile") if of_profile else json_schema()
    typer.echo(json.dumps(found, indent=2))


@app.command()
def profile(
    name: Annotated[str, typer.Argument(help="A profile's name or path; none: all names.")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="NAME is a partner of this file.")
    ] = None,
) -> None:
    """Show what is known of a partner, and which line of which file says so."""
    from proxy.settings import effective
    from proxy.settings.problems import SettingsError

    if not name:
        typer.echo(effective.profiles())
        return
    try:
        if config is None:
            typer.echo(effective.of_profile(name))
        else:
            load_config(config)
            typer.echo(effective.of_partner(config, name, os.environ))
    except SettingsError as error:
        fail(str(error))


@app.command()
def status(admin: Admin = DEFAULT_ADMIN) -> None:
    """Say whether a sidecar is ready; exits 0 only if it is."""
    code, text = _ask(admin, "/readyz", 503)
    typer.echo(text.strip())
    raise SystemExit(0 if code == 200 else 1)


@app.command()
def findings(
    admin: Admin = DEFAULT_ADMIN,
    as_json: Annotated[bool, typer.Option("--json", help="The document as it is served.")] = False,
) -> None:
    """Show what a sidecar has noticed about its partners."""
    _, text = _ask(admin, "/findings")
    if as_json:
        typer.echo(text)
        return
    found = json.loads(text)["findings"]
    if not found:
        typer.echo("nothing found")
    for entry in found:
        typer.echo(
            f"{entry['partner']} {entry['upstream']}: {entry['reason']} in phase {entry['phase']}, "
            f"origin {entry['origin']}, {entry['count']} times"
        )


@app.command("dns")
def dns_names(
    admin: Admin = DEFAULT_ADMIN,
    as_json: Annotated[bool, typer.Option("--json", help="The document as it is served.")] = False,
) -> None:
    """Show what a sidecar knows of its partners' names: state, age, next question, addresses."""
    _, text = _ask(admin, "/dns")
    if as_json:
        typer.echo(text)
        return
    found = json.loads(text)
    typer.echo(table(name_rows(found["names"])))
    if found["snapshot_trouble"]:
        typer.echo(f"snapshot: {found['snapshot_trouble']}")


@app.command()
def partners(
    admin: Admin = DEFAULT_ADMIN,
    as_json: Annotated[bool, typer.Option("--json", help="The breakers as served.")] = False,
) -> None:
    """Show each partner's breakers, with the figures they go by, and what checks have shown."""
    _, text = _ask(admin, "/load")
    load = json.loads(text)
    typer.echo(json.dumps(load["breakers"]) if as_json else partners_text(load))


@app.command()
def metrics(admin: Admin = DEFAULT_ADMIN) -> None:
    """Print a sidecar's metrics in Prometheus text form."""
    _, text = _ask(admin, "/metrics")
    typer.echo(text, nl=False)


@sandbox.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def partner(context: typer.Context) -> None:
    """Run one partner process; `--help` lists its options."""
    from proxy.sandbox.__main__ import run as run_partner

    raise SystemExit(run_partner(context.args))


@sandbox.command()
def up(
    config: ConfigFile = Path("config/sandbox.yaml"),
    ledgers: Annotated[
        Path | None, typer.Option(help="Folder for the partners' ledgers; default: a new one.")
    ] = None,
) -> None:
    """Start the sandbox partners and a sidecar in front of them; Ctrl-C ends all."""
    from proxy.sandbox.up import up as bring_up

    command = [sys.executable, "-m", "proxy", "run", "--config", str(config)]
    raise SystemExit(bring_up(config, ledgers, None, command))


def _ask(admin: str, path: str, *expected: int) -> tuple[int, str]:
    """(status, text) of a page; any status but 200 and the `expected` ones ends the command."""
    from proxy.admin.client import AdminUnreachable, get

    try:
        status, text = get(admin, path)
    except AdminUnreachable as error:
        fail(str(error))
    if status != 200 and status not in expected:
        fail(f"{admin} answered {status}: {text.strip()}")
    return status, text
