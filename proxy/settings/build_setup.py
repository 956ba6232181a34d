"""A configuration that was found good, to all that a sidecar is told by it."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from proxy.model import setup as model
from proxy.settings.base import Model
from proxy.settings.build import build
from proxy.settings.build_health import alerts, health
from proxy.settings.build_telemetry import exporting, sample_ratio
from proxy.settings.edge import Admin, Listen
from proxy.settings.journal import Journal, Shared
from proxy.settings.load import Loaded
from proxy.settings.secret import Secret
from proxy.settings.shown import shown

_Plain = TypeVar("_Plain")


def build_setup(loaded: Loaded) -> model.Setup:
    """Everything that `loaded` means for a process that serves it."""
    settings = loaded.settings
    return model.Setup(
        built=build(settings),
        listen=_same(
            model.Listen, settings.listen, place=_place(settings.listen),
            token=_token(settings.listen.token),
        ),
        admin=model.Admin(_place(settings.admin), _token(settings.admin.token)),
        journal=None if settings.journal is None else _journal(settings.journal),
        dns=_same(model.Dns, settings.dns),
        retry_budget=_same(model.RetryBudget, settings.retry_budget),
        health=health(settings),
        alerts=alerts(settings),
        exporting=exporting(settings),
        sample_ratio=sample_ratio(settings),
        log_calls=settings.log.calls,
        overrides_file=settings.overrides_file,
        hash=loaded.hash,
        shown=json.dumps(shown(settings), separators=(",", ":")).encode(),
    )  # fmt: skip


def _same(plain: type[_Plain], settings: Model, **given: Any) -> _Plain:
    """Those of the settings' values that `plain` has under the same name, and the `given` ones."""
    names = {each.name for each in fields(plain)} - set(given)  # type: ignore[arg-type]
    return plain(**given, **{name: getattr(settings, name) for name in names})


def _place(said: Listen | Admin) -> model.Place:
    address = said.address
    return model.Place(address.host, address.port, address.unix_path, said.unix_mode)


def _token(said: Secret | None) -> bytes | None:
    return None if said is None else said.reveal().encode()


def _journal(said: Journal) -> model.Journal:
    return _same(
        model.Journal,
        said,
        path=None if said.path is None else Path(said.path),
        shared=None if said.shared is None else _shared(said.shared),
        sealing_keys={each.id: bytes.fromhex(each.key.reveal()) for each in said.sealing_keys},
    )


def _shared(said: Shared) -> model.Shared:
    secret = bytes.fromhex(said.secret.reveal())
    return _same(model.Shared, said, url=said.url.reveal(), secret=secret)
