"""The compose file ships sound, and what would be open or missing is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from proxy.settings.load import load
from tools.deploy import DEPLOY, Compose, check_deploy, check_services
from tools.source import ROOT


def _compose(**service: Any) -> Compose:
    services = {"one": {"image": "some/thing:1.2.3"}, "two": {"image": "x/y:v1.0.0", **service}}
    return Compose.model_validate({"name": "test", "services": services})


def test_what_ships_holds() -> None:
    """Form, mounts and addresses."""
    assert check_deploy(ROOT) == []


def test_its_configuration_is_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sidecar accepts the file that the container mounts."""
    monkeypatch.setenv("TIDEGATE_TOKEN", "a-token-that-is-long-enough")
    assert load(ROOT / DEPLOY / "tidegate.yaml").settings.telemetry is not None


@pytest.mark.parametrize(
    "service",
    [
        {"image": "x/y:latest"},
        {"image": "x/y"},
        {"ports": ["8080:8080"]},
        {"ports": ["0.0.0.0:8080:8080"]},
        {"privileged": True},
        {"network_mode": "host"},
    ],
)
def test_what_is_loose_or_open_is_refused(service: dict[str, Any]) -> None:
    """Images without a version, ports that other machines reach, privileges."""
    with pytest.raises(ValidationError):
        _compose(**service)


@pytest.mark.parametrize(
    ("service", "word"),
    [
        ({"image": None}, "needs an image or a build"),
        ({"image": None, "build": {"context": "nowhere"}}, "no Dockerfile"),
        ({"depends_on": ["three"]}, "three"),
        ({"network_mode": "service:three"}, "three"),
        ({"network_mode": "service:one", "ports": ["127.0.0.1:1:1"]}, "belong to the service"),
        ({"volumes": ["./nothing:/x:ro"]}, "./nothing"),
        ({"volumes": ["data:/x"]}, "no volume"),
    ],
)
def test_what_does_not_fit_is_named(service: dict[str, Any], word: str, tmp_path: Path) -> None:
    """Each by itself."""
    [problem] = check_services(_compose(**service), tmp_path)
    assert word in problem
