"""What one partner process is told at its start. Standard library only, so that it imports fast."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

KINDS_OF_PARTNER = ("processor", "acquirer", "threeds")


@dataclass(frozen=True, slots=True)
class PartnerOptions:
    """One simulated partner; port 0 lets the system choose.

    Latency is log-normal with the given median and sigma and depends only on
    `seed` and the request, so that two runs with one seed see the same waits.
    """

    kind: str
    name: str
    port: int
    control_port: int
    ledger: Path
    latency_p50_ms: float = 0
    latency_sigma: float = 0.4
    seed: int = 0
    tls_certificate_file: str | None = None
    tls_key_file: str | None = None
    backlog: int = 128
    host: str = "127.0.0.1"
    """The loopback address to listen on; two partners may share a port on different ones."""
    end_with_stdin: bool = False
    """End when standard input does, so that no partner outlives the process that started it."""

    def __post_init__(self) -> None:
        """Refuse what could only fail later and less clearly."""
        if self.kind not in KINDS_OF_PARTNER:
            raise ValueError(f"kind must be one of {', '.join(KINDS_OF_PARTNER)}")
        if self.latency_p50_ms < 0 or self.latency_sigma < 0:
            raise ValueError("latency_p50_ms and latency_sigma must not be negative")
        if (self.tls_certificate_file is None) != (self.tls_key_file is None):
            raise ValueError("tls_certificate_file and tls_key_file go together")
        if self.backlog < 1:
            raise ValueError("backlog must be at least 1")

    def arguments(self) -> list[str]:
        """The same options as arguments of `python -m proxy.sandbox`."""
        words = []
        for item in fields(self):
            value = getattr(self, item.name)
            flag = "--" + item.name.replace("_", "-")
            if value is True:
                words.append(flag)
            elif value is not None and value is not False:
                words += [flag, str(value)]
        return words
