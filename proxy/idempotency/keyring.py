"""The journal's keys: the configured ones, and those that it keeps beside its file.

The secret of fingerprints and derived keys never changes, since a change would
make every known payment look new; it lives beside the journal and belongs to its
backup. Sealing keys may be rotated: the configuration names them, or one is made.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.idempotency.seal import KEY_BYTES
from proxy.model.errors import StartError

_GENERATED = "generated"


@dataclass(frozen=True, slots=True)
class Keyring:
    """`secret` for fingerprints and derived keys; `sealing` by id, the one in use first."""

    secret: bytes
    sealing: Mapping[str, bytes]
    made: bool
    """The file of keys was made just now, which an operator should hear of."""

    @property
    def proof(self) -> str:
        """What a journal knows its keys by; it tells nothing of them."""
        return hmac.digest(self.secret, b"the keys of this journal", "sha256").hex()[:16]

    def __repr__(self) -> str:
        return "Keyring(***)"


def key_file(journal: Path) -> Path:
    """Where the journal keeps its keys."""
    return journal.with_name(journal.name + ".keys")


def open_keyring(journal: Path, configured: Mapping[str, bytes]) -> Keyring:
    """Read the keys beside `journal`, or make them. Raises StartError.

    A journal without its keys is no journal: its answers could not be opened,
    and a payment made again would not be known.
    """
    path = key_file(journal)
    made = not path.exists()
    if made and journal.exists() and journal.stat().st_size > 0:
        raise StartError(
            f"the journal {journal} has lost its keys {path}; restore that file from the "
            "backup, or move the journal away and ask the partners for what is in doubt"
        )
    if made:
        _make(path)
    secret, generated = _read(path)
    return Keyring(secret, {**configured, _GENERATED: generated}, made)


def _make(path: Path) -> None:
    keys = {"secret": os.urandom(KEY_BYTES).hex(), "sealing": os.urandom(KEY_BYTES).hex()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(keys, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise StartError(
            f"the keys {path} cannot be made: {error.strerror}; "
            "check that the folder may be written"
        ) from None


def _read(path: Path) -> tuple[bytes, bytes]:
    try:
        if path.stat().st_mode & 0o077:
            raise StartError(f"the keys {path} can be read by others; chmod 600 {path}")
        found = json.loads(path.read_bytes())
        secret, sealing = (bytes.fromhex(found[name]) for name in ("secret", "sealing"))
    except OSError as error:
        raise StartError(f"the keys {path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        secret = sealing = b""
    if len(secret) != KEY_BYTES or len(sealing) != KEY_BYTES:
        raise StartError(f"the keys {path} are damaged; restore that file from the backup")
    return secret, sealing
