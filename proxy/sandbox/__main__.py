"""`python -m proxy.sandbox`: one partner process, with argparse because it starts in no time."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from proxy.sandbox.options import KINDS_OF_PARTNER, PartnerOptions


def options_from(arguments: Sequence[str]) -> PartnerOptions:
    """The options that a command line asks for; a wrong one ends with argparse's message."""
    parser = argparse.ArgumentParser(prog="python -m proxy.sandbox", description=__doc__)
    parser.add_argument("--kind", required=True, choices=KINDS_OF_PARTNER)
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--latency-p50-ms", type=float, default=0.0)
    parser.add_argument("--latency-sigma", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tls-certificate-file")
    parser.add_argument("--tls-key-file")
    parser.add_argument("--backlog", type=int, default=128)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--end-with-stdin", action="store_true")
    try:
        return PartnerOptions(**vars(parser.parse_args(arguments)))
    except ValueError as error:
        parser.error(str(error))


def run(arguments: Sequence[str]) -> int:
    """Run the partner until SIGTERM; the exit code. Bad arguments never pay for aiohttp."""
    options = options_from(arguments)
    from proxy.sandbox.partner import main

    return main(options)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
