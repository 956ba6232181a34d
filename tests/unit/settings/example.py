"""A small correct configuration, and ways to break it for the tests of `proxy.settings`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proxy.settings.load import Loaded, Problem, SettingsError, load

ROOT = Path(__file__).resolve().parents[3]
ANNOTATED = ROOT / "config" / "tidegate.yaml"
SHARED = ROOT / "config" / "shared-journal.yaml"
SANDBOX = ROOT / "config" / "sandbox.yaml"

BASE = """\
version: 1
listen:
  address: 127.0.0.1:8080
  connections_max: 64
admin:
  address: 127.0.0.1:8081
partners:
  north:
    operations:
      authorize: {execution: {"402": none}}
    upstreams:
      north-a:
        url: https://a.north.example
        pool: {connections_max: 32}
      north-b:
        url: https://b.north.example
  south:
    upstreams:
      south-a:
        url: https://south.example
routes:
  - name: charges
    match: {path: /psp/, methods: [POST]}
    operation: authorize
    candidates: [north-a, north-b]
  - name: rest
    match: {path: /}
    candidates: [south-a]
"""


def annotated(folder: Path) -> Path:
    """The annotated example with the files that it refers to."""
    tokens = ("tidegate-token", "tidegate-admin-token", "northpay-secret", "egress-password")
    for name in (
        *tokens,
        "clearhouse-key",
        "collector-key",
        "collector-ca.pem",
        "northpay-ca.pem",
        "egress-ca.pem",
        "client.pem",
        "client.key",
    ):
        (folder / name).write_text("contents-of-a-file\n")
    (folder / "seal-key").write_text("5e" * 32 + "\n")
    (folder / "pager-token").write_text("Bearer sesame\n")
    (folder / "slack-webhook").write_text("https://hooks.example/services/T/B/x\n")
    path = folder / ANNOTATED.name
    path.write_bytes(ANNOTATED.read_bytes())
    return path


def shared(folder: Path) -> Path:
    """The shared journal's example with the files that it refers to."""
    for name in ("journal-secret", "seal-key"):
        (folder / name).write_text("5e" * 32 + "\n")
    path = folder / SHARED.name
    path.write_bytes(SHARED.read_bytes())
    return path


def changed(*changes: tuple[str, str]) -> str:
    """BASE with each first text, which stands in it once, replaced by the second."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the example"
        text = text.replace(old, new)
    return text


def line_of(text: str, marker: str) -> int:
    """The number of the only line that contains `marker`."""
    found = [number for number, line in enumerate(text.splitlines(), 1) if marker in line]
    assert len(found) == 1, f"{marker!r} stands in lines {found}"
    return found[0]


def write(directory: Path, text: str) -> Path:
    """The text as a file in `directory`."""
    path = directory / "tidegate.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load_text(directory: Path, text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    """Load a text that is expected to be correct."""
    return load(write(directory, text), environ or {})


def problems_of(
    directory: Path, text: str, environ: Mapping[str, str] | None = None
) -> list[Problem]:
    """The problems of a text; none when it is correct."""
    try:
        load_text(directory, text, environ)
    except SettingsError as error:
        return error.problems
    return []
