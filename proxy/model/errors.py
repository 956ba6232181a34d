"""The few errors that are exceptions: they end the start, never a call."""

from __future__ import annotations


class StartError(Exception):
    """The sidecar cannot start; the message names the place and the remedy."""
