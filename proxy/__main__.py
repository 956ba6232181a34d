"""The command `tidegate`; `python -m proxy` is the same."""

from __future__ import annotations

import gc
import os
import signal
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
    # until there is a sidecar that takes it, Ctrl-C just ends the process: as an exception it
    # gets lost where it meets one of the import system's callbacks
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    sys.exit(cli_run.run(*plain))


def _end(*_: object) -> None:
    """As the kernel would, but for the first process of a container, too."""
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
