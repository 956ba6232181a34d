"""Whether this is the compiled package, as `make compiled` and the image have it, or sources."""

from __future__ import annotations

from importlib.util import find_spec

from proxy import __version__


def form() -> str:
    """`compiled` or `interpreted`: what runs, not what was meant to."""
    found = find_spec("proxy.model.outcome")
    source = found is not None and found.origin is not None and found.origin.endswith(".py")
    return "interpreted" if source else "compiled"


def described() -> str:
    """Version and form, as `tidegate --version` says them."""
    return f"{__version__} ({form()})"
