"""A profile: what a payment provider's public pages say, as a file of its own."""

from __future__ import annotations

from pathlib import Path

from proxy.settings.base import Model, key, required
from proxy.settings.kinds import Name, ProfileRef, Text
from proxy.settings.partner import Facts

OWN_KEYS = frozenset({"name", "about", "extends", "sources"})
"""What a profile says of itself; all other keys are facts, which partners get."""

_INSTALLED = Path(__file__).with_name("partners")
_EDITED = Path(__file__).parents[2] / "config" / "partners"


class Source(Model):
    """Where some of the facts come from."""

    page: Text = required("address of the public page", "https://docs.example.com/idempotency")
    says: Text = required("what it says, in own words", "keys are remembered for a day")
    facts: tuple[Text, ...] = required(
        "the keys of this profile that rest on it", ["idempotency.window"]
    )


class Profile(Facts):
    """How a payment provider behaves, and how we know."""

    name: Name = required("its name", "example")
    about: Text = required("which interface it is about, and what to mind", "their REST API")
    extends: ProfileRef | None = key(None, "another profile, whose facts hold unless this has them")
    sources: tuple[Source, ...] = key((), "the pages that its facts come from")


def shipped() -> dict[str, Path]:
    """The profiles that are part of the product, by name.

    A wheel has them beside this module, a source tree in `config/partners`.
    """
    folder = _INSTALLED if _INSTALLED.is_dir() else _EDITED
    return {path.stem: path for path in sorted(folder.glob("*.yaml"), key=lambda path: path.stem)}
