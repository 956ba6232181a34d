"""What all commands have in common: the configuration file, and how they fail."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from proxy.settings.load import Loaded

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]


def load_config(config: Path) -> Loaded:
    """A configuration that can be used; problems end the command, warnings are told."""
    from proxy.settings.load import SettingsError, load

    try:
        loaded = load(config)
    except SettingsError as error:
        fail(str(error))
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning.path}: {warning.message}; {warning.remedy}", err=True)
    return loaded


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why on standard error, and end."""
    typer.echo(message, err=True)
    sys.exit(code)
