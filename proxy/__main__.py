"""The command `tidegate`; `python -m proxy` is the same."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Entry point: a plain `run` without typer, everything else with it."""
    gc.disable()  # importing makes next to no garbage; `run_sidecar` enables it
    from proxy import cli_run

    plain = cli_run.asked(sys.argv[1:])
    if plain is None:
        gc.enable()
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
