"""The three arms as most stories have them: one route, one prefix, one deadline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.incidents.envoy import EnvoyPlan, EnvoyRoute
from loadtests.incidents.peers import (
    Arm,
    MakesArm,
    breakers_say,
    envoy_arm,
    plain_arm,
    sidecar_arm,
)
from loadtests.incidents.run import Run
from loadtests.incidents.stage import Stage
from proxy.sandbox.client import SandboxPartner


@dataclass(frozen=True, slots=True)
class Usual:
    """What the arms of a story have in common; seconds are scaled already."""

    prefix: str
    """Of the paths at sidecar and Envoy, which cut it off."""
    target: str
    deadline_s: float
    configuration: Callable[[Sequence[str]], Mapping[str, Any]]
    """The sidecar's, of the upstreams' URLs in order of preference."""
    connect_s: float = 1.0
    factor: float = 1.0
    connections_max: int = 100

    @property
    def arms(self) -> tuple[MakesArm, ...]:
        """All three, the sidecar first."""
        return (self.sidecar, *self.peers)

    @property
    def peers(self) -> tuple[MakesArm, ...]:
        """Envoy and the plain client."""
        return (self.envoy, self.plain)

    async def sidecar(self, _: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
        """The application with the sidecar; breakers and findings say what is wrong."""
        config = self.configuration([partner.url for partner in partners])
        return await sidecar_arm(stage, config, self._path, breakers_say, 3 * self.deadline_s)

    async def envoy(self, _: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
        """The application with Envoy."""
        given = EnvoyPlan(
            [partner.port for partner in partners],
            [EnvoyRoute(self.prefix, self.deadline_s)],
            connect_s=self.connect_s,
            factor=self.factor,
            connections_max=self.connections_max,
            connections_max_low=self.connections_max,
        )
        return await envoy_arm(stage, given, self._path, 3 * self.deadline_s)

    async def plain(self, _: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
        """The application by itself."""
        urls = [partner.url for partner in partners]
        return await plain_arm(stage, urls, f"/{self.target}", self.deadline_s, self.connect_s)

    @property
    def _path(self) -> str:
        return self.prefix + self.target
