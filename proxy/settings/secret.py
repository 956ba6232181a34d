"""Text that must not be seen: masked wherever Python would print it."""

from __future__ import annotations

from hmac import compare_digest

MASK = "***"


class Referenced(str):
    """Text that came, wholly or in part, from a reference; it may be a credential."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


class Secret:
    """A credential. Only `reveal()` gives it away, so that a reader can search for every use."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled: a pickle would show it")
