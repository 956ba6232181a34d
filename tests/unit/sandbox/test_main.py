"""Rules for `python -m proxy.sandbox`."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.sandbox.__main__ import options_from
from proxy.sandbox.options import PartnerOptions


def test_the_command_line_carries_every_option() -> None:
    """Options written as arguments are read back as they were."""
    options = PartnerOptions(
        kind="processor",
        name="processor-a",
        port=9101,
        control_port=9201,
        ledger=Path("a.jsonl"),
        latency_p50_ms=12.5,
        latency_sigma=0.2,
        seed=42,
        tls_certificate_file="c.pem",
        tls_key_file="k.pem",
        backlog=7,
        end_with_stdin=True,
    )
    assert options_from(options.arguments()) == options


def test_options_that_cannot_work_end_with_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A value that only the options reject is reported like any other wrong argument."""
    words = ["--kind", "acquirer", "--name", "a", "--ledger", "l", "--backlog", "0"]
    with pytest.raises(SystemExit) as ended:
        options_from(words)
    assert ended.value.code == 2
    assert "backlog must be at least 1" in capsys.readouterr().err
