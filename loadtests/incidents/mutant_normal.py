"""`python -m loadtests.incidents.mutant_normal`: tidegate with a journal that is not synced.

The mutant that INC-24 must catch. It is the product in everything but one
pragma, which is set behind its back after it was read back, and it is nowhere
in the product itself.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from proxy.__main__ import main
from proxy.idempotency import sqlite, sqlite_open


def connect(path: Path) -> sqlite3.Connection:
    """The product's connection, whose commits no longer wait for the disk."""
    connection = sqlite_open.connect(path)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


if __name__ == "__main__":
    setattr(sqlite, "connect", connect)  # noqa: B010 - it is not ours to set
    main()
