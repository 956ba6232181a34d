"""What all commands have in common: the configuration file, and how they fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from proxy.settings.load import Loaded

DEFAULT_ADMIN = "http://127.0.0.1:8081"
ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]


def load_config(config: Path) -> Loaded:
    """A configuration that can be used; problems end the command, warnings are told."""
    from proxy.settings.load import SettingsError, load

    try:
        loaded = load(config)
    except SettingsError as error:
        fail(str(error))
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning.render(str(config))}", err=True)
    return loaded


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why on standard error, and end."""
    typer.echo(message, err=True)
    sys.exit(code)


def admin_of(loaded: Loaded) -> str:
    """Where the admin listener of a configuration answers."""
    address = loaded.settings.admin.address
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"unix:{address.unix_path}" if address.unix_path else f"http://{host}:{address.port}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, each as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines)
