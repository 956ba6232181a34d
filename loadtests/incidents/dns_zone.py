"""The names of INC-03, and the ways in which their name server fails.

Each fault has a name of its own, `FAULT.partner.test`, so that all of them can
be played at once as well as in turn; the partner behind the names is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.support.dns_answers import EMPTY, NXDOMAIN, SERVFAIL, SILENT, Answer, addresses
from tests.support.dns_server import DnsServer

TTL_S = 5
SLOW_S = 2.0
LOSS = 0.8
OLD, NEW, TRAP = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""The partner before and after its move, and where nothing may ever connect to."""

Manner = Callable[[Answer], Answer]

FAULTS: Mapping[str, Manner] = {
    "slow": lambda honest: replace(honest, delay_s=SLOW_S),
    "lossy": lambda honest: replace(honest, loss=LOSS),
    "servfail": lambda _: SERVFAIL,
    "silent": lambda _: SILENT,
    "empty": lambda _: EMPTY,
    "nxdomain": lambda _: NXDOMAIN,
    "wrong-id": lambda honest: replace(honest, wrong_id=True),
    "truncated": lambda honest: replace(honest, truncate_udp=True),
}
"""What becomes of an honest answer, by the fault's name."""


def host(label: str) -> str:
    """The name whose first label this is."""
    return f"{label}.partner.test"


class Zone:
    """What one arm's name server says: honest answers, until told otherwise."""

    def __init__(self, server: DnsServer) -> None:
        self.server = server
        self._address = OLD
        self._faults: dict[str, str] = {}
        server.set(host("trap"), "A", addresses(TRAP, ttl_s=TTL_S))
        self._say()

    def break_down(self, faults: Mapping[str, str]) -> None:
        """From now on these names, by first label, meet these faults; all others are honest.

        A server that is silent about every name is silent about unknown ones too.
        """
        self._faults = dict(faults)
        everywhere = set(FAULTS) == set(faults) and set(faults.values()) == {"silent"}
        self.server.default = SILENT if everywhere else NXDOMAIN
        self._say()

    def heal(self) -> None:
        """Honest again."""
        self.break_down({})

    def move(self, address: str) -> None:
        """The partner has another address from now on."""
        self._address = address
        self._say()

    def _say(self) -> None:
        for label in FAULTS:
            manner = FAULTS.get(self._faults.get(label, ""), _honest)
            self.server.set(host(label), "A", manner(addresses(self._address, ttl_s=TTL_S)))
            self.server.set(host(label), "AAAA", manner(EMPTY))


def _honest(answer: Answer) -> Answer:
    return answer
