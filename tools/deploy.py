"""The compose file and what it mounts, checked without Docker.

A machine that builds this has no images, so what an image would say is not known here. What can
be known is: the file has compose's form, images are pinned, what is mounted is there,
nothing is open to other machines, and the addresses in it fit each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from tools.monitoring import Strict

DEPLOY = "config/deploy"
_PINNED = r"^[a-z0-9./-]+:v?\d+\.\d+\.\d+$"
_LOCAL_PORT = r"^127\.0\.0\.1:\d+:\d+$"
_MOUNT = r"^[^:]+:/[^:]*(:ro)?$"


class Build(Strict):
    """The image that is made here."""

    context: str
    dockerfile: str = "Dockerfile"


class Service(Strict):
    """One container; what we do not need is not allowed, privileges among it."""

    image: str | None = Field(None, pattern=_PINNED)
    build: Build | None = None
    command: list[str] = Field(default_factory=list)
    entrypoint: list[str] | None = None
    environment: dict[str, str] = Field(default_factory=dict)
    user: str | None = None
    network_mode: str | None = Field(None, pattern=r"^service:[a-z]+$")
    ports: list[Annotated[str, Field(pattern=_LOCAL_PORT)]] = Field(default_factory=list)
    volumes: list[Annotated[str, Field(pattern=_MOUNT)]] = Field(default_factory=list)
    tmpfs: list[str] = Field(default_factory=list)
    depends_on: list[str] = Field(default_factory=list)
    read_only: bool = False
    cap_drop: list[str] = Field(default_factory=list)
    security_opt: list[str] = Field(default_factory=list)
    stop_grace_period: str | None = None
    restart: str | None = None


class Compose(Strict):
    """The file."""

    name: str
    services: dict[str, Service]
    volumes: dict[str, None] = Field(default_factory=dict)


def check_deploy(root: Path) -> list[str]:
    """Everything that is wrong, as sentences."""
    folder = root / DEPLOY
    file = folder / "compose.yaml"
    try:
        compose = Compose.model_validate(yaml.safe_load(file.read_text()))
    except ValidationError as error:
        return [f"{DEPLOY}/compose.yaml: {each['loc']}: {each['msg']}" for each in error.errors()]
    problems = [*check_services(compose, folder), *check_mounted(folder)]
    return [f"{DEPLOY}: {problem}" for problem in problems]


def check_services(compose: Compose, folder: Path) -> Iterator[str]:
    """Names, mounts and who builds what."""
    for name, service in compose.services.items():
        if (service.image is None) == (service.build is None):
            yield f"{name} needs an image or a build, and not both"
        if service.build and not (folder / service.build.context / "Dockerfile").is_file():
            yield f"{name} is built where no Dockerfile is"
        others = [
            *service.depends_on,
            *([service.network_mode[8:]] if service.network_mode else []),
        ]
        for other in others:
            if other not in compose.services:
                yield f"{name} names {other}, which is no service"
        if service.network_mode and service.ports:
            yield f"{name} shares a network, so its ports belong to the service that owns it"
        for source in (mount.partition(":")[0] for mount in service.volumes):
            if source.startswith(".") and not (folder / source).exists():
                yield f"{name} mounts {source}, which is not there"
            if not source.startswith(".") and source not in compose.volumes:
                yield f"{name} mounts {source}, which is no volume of the file"


def check_mounted(folder: Path) -> Iterator[str]:
    """Who scrapes whom, and who sends where: the addresses of one place are those of the other."""
    sidecar, prometheus, tempo, sources = (
        _read(folder / name)
        for name in ("tidegate.yaml", "prometheus.yaml", "tempo.yaml", "grafana/datasources.yaml")
    )
    jobs = {job["job_name"]: job for job in prometheus["scrape_configs"]}
    scraped = [t for each in jobs["tidegate"]["static_configs"] for t in each["targets"]]
    if scraped != [sidecar["admin"]["address"]]:
        yield "Prometheus does not scrape the sidecar's admin address"
    listens = tempo["distributor"]["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    if sidecar["telemetry"]["endpoint"] != f"http://{listens}":
        yield "the sidecar does not send to where Tempo listens"
    urls = {each["type"]: each["url"] for each in sources["datasources"]}
    if not urls["tempo"].endswith(f":{tempo['server']['http_listen_port']}"):
        yield "Grafana does not ask Tempo where it listens"
    if not re.fullmatch(r"http://127\.0\.0\.1:\d+", urls["prometheus"]):
        yield "Grafana does not ask Prometheus on loopback"


def _read(path: Path) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load(path.read_text())
    return document
