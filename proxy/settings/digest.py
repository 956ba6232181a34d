"""The identity of a configuration: one hash of everything in force, defaults included.

The hash is shown in metrics, so that drift between two sidecars is seen. A
secret takes part with two bytes of its SHA-256: enough to notice a rotation, and
too little to confirm a guess.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from proxy.settings.base import Model
from proxy.settings.secret import Secret

_SECRET_BYTES = 2


def digest(settings: Model) -> str:
    """SHA-256 of the effective configuration, in hexadecimal."""
    canonical = json.dumps(_effective(settings), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _effective(value: object) -> Any:
    if isinstance(value, Model):
        return {
            name: _shortened(_revealed(getattr(value, name)))
            if name in value.masked
            else _effective(getattr(value, name))
            for name in type(value).model_fields
        }
    if isinstance(value, dict):
        return {str(key): _effective(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_effective(item) for item in value]
    if isinstance(value, Secret):
        return _shortened(value.reveal())
    return value if isinstance(value, str | int | float | None) else repr(value)


def _shortened(text: str) -> str:
    return hashlib.sha256(text.encode()).digest()[:_SECRET_BYTES].hex()


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return repr(sorted((str(key), _revealed(item)) for key, item in value.items()))
    return repr(value)
