"""Cards, their codes and our secrets: nothing of ours keeps them, in whatever disguise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import canary
from tests.support.canary_calls import (
    BODY,
    CODE,
    CREDENTIAL,
    ENVIRONMENT,
    EXPECTED,
    SEALING,
    SECRETS,
    Caller,
    document,
    endings,
    partner,
)
from tests.support.origin import Origin
from tests.support.sidecar import Sidecar
from tests.support.values import CARD


@pytest.mark.parametrize("name", canary.ENCODERS)
def test_the_search_sees_through_a_disguise(tmp_path: Path, name: str) -> None:
    """It finds each one where it was planted, and nothing in a file without."""
    file = tmp_path / "planted"
    for secret in (CARD, CODE, CREDENTIAL, SEALING):
        around = bytes(range(256)) * 8
        file.write_bytes(around + b"{" + canary.disguised(secret)[name] + b"}" + around)
        assert canary.found(secret.encode(), file.read_bytes())
        assert not canary.found(secret.encode(), around)


def test_no_canary_is_kept_or_told(tmp_path: Path) -> None:
    """Journal, log, diagnostics, metrics, findings, our own replies, the process's arguments."""
    folder = tmp_path / "journal"
    with Origin(partner) as origin:
        sidecar = Sidecar(document(folder, origin), tmp_path, environment=ENVIRONMENT)
        with sidecar:
            caller = Caller(sidecar)
            assert endings(caller, folder / "j.db") == EXPECTED
            seen = {f"reply: {name}": reply.raw for name, reply in caller.ours.items()}
            seen |= {page: sidecar.admin_get(page).encode() for page in ("/metrics", "/findings")}
            seen["arguments"] = Path(f"/proc/{sidecar.process.pid}/cmdline").read_bytes()
            seen |= {f"alive: {file.name}": file.read_bytes() for file in folder.iterdir()}
            assert sidecar.stop() == 0
        assert origin.received[0].header("authorization") == f"Bearer {CREDENTIAL}"
        assert origin.received[0].body == BODY
    for file in (*folder.iterdir(), *tmp_path.glob("std*")):
        seen[file.name] = file.read_bytes()
    assert {"alive: j.db-wal", "j.db", "j.db.keys", "stdout.jsonl", "stderr.txt"} <= set(seen)
    assert len(caller.ours) == 13
    found = {place: canary.found_any(SECRETS.values(), data) for place, data in seen.items()}
    assert {place: disguises for place, disguises in found.items() if disguises} == {}
