"""Tidegate: an outbound proxy for payment calls that never charges twice and never lies."""

__version__ = "0.1.0"
