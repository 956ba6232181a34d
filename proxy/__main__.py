"""The command `tidegate`; `python -m proxy` is the same."""

from __future__ import annotations

import sys

from proxy import cli_run


def main() -> None:
    """Entry point: a plain `run` without typer, everything else with it."""
    plain = cli_run.asked(sys.argv[1:])
    if plain is None:
        from proxy.cli import app

        app()
        return
    try:
        status = cli_run.run(*plain)
    except KeyboardInterrupt:  # before there is a sidecar that takes the signal
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
