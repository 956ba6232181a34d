"""`proxy.settings.build_dimensions`: what a dimension means to those who read it."""

from __future__ import annotations

from pathlib import Path

from proxy.model.dimension import Dimension, Source
from proxy.settings.build import build
from proxy.settings.load import load


def test_names_and_sources_stand_in_one_order(tmp_path: Path) -> None:
    """Header names in lower case, ranges as eight digits."""
    path = tmp_path / "tidegate.yaml"
    path.write_text(
        """
version: 1
partners: {acme: {upstreams: {a: {url: "http://127.0.0.1:1"}}}}
routes:
  - name: payments
    match: {path: /}
    candidates: [a]
    dimensions:
      - {name: scheme, bin: /n, ranges: {own: ["9", "2720-2721"]}, values_max: 4}
      - {name: channel, header: X-Channel, values: [web]}
  - {name: plain, match: {path: /plain/}, candidates: [a]}
""",
        encoding="utf-8",
    )
    payments, plain = build(load(path, {}).settings).routes
    assert payments.dimensions == ("scheme", "channel")
    assert payments.sources == (
        Dimension(
            "scheme", Source.BIN, "/n", (), 4,
            ((90000000, 99999999, "own"), (27200000, 27219999, "own")),
        ),
        Dimension("channel", Source.HEADER, "x-channel", ("web",)),
    )  # fmt: skip
    assert (plain.dimensions, plain.sources) == ((), ())
