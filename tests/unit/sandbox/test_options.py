"""Rules for what a partner process is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.sandbox.options import PartnerOptions


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"kind": "bank"}, "kind"),
        ({"latency_p50_ms": -1}, "latency"),
        ({"latency_sigma": -0.1}, "latency"),
        ({"tls_certificate_file": "a.pem"}, "tls_key_file"),
        ({"backlog": 0}, "backlog"),
    ],
)
def test_options_that_cannot_work_are_refused(wrong: dict[str, object], word: str) -> None:
    """A wrong option fails at once and its name stands in the message."""
    given = {"kind": "acquirer", "name": "a", "port": 0, "control_port": 0, "ledger": Path("l")}
    with pytest.raises(ValueError, match=word):
        PartnerOptions(**{**given, **wrong})  # type: ignore[arg-type]


def test_arguments_leave_out_what_is_not_set() -> None:
    """Options that are off or unset do not appear on the command line; the others do."""
    options = PartnerOptions("threeds", "t", 1, 2, Path("l.jsonl"), end_with_stdin=True)
    words = options.arguments()
    assert "--end-with-stdin" in words
    assert "--tls-key-file" not in words
    assert words[words.index("--control-port") + 1] == "2"
