"""The proxies that the bench puts side by side."""

from __future__ import annotations

from loadtests.bench.subjects.aiohttp_relay import AiohttpRelay
from loadtests.bench.subjects.base import Launch, Place, Subject
from loadtests.bench.subjects.envoy import Envoy, EnvoyTraced
from loadtests.bench.subjects.haproxy import Haproxy
from loadtests.bench.subjects.nginx import Nginx
from loadtests.bench.subjects.tidegate import Tidegate, TidegateTraced

DIRECT = "direct"
SUBJECTS: dict[str, Subject] = {
    subject.name: subject
    for subject in (
        Tidegate(),
        Envoy(),
        TidegateTraced(),
        EnvoyTraced(),
        Haproxy(),
        Nginx(),
        AiohttpRelay(),
    )
}
"""Those that are compared with each other stand side by side: little time lies between them."""
NAMES = (DIRECT, *SUBJECTS)

__all__ = ["DIRECT", "NAMES", "SUBJECTS", "Launch", "Place", "Subject"]
