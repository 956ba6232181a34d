"""What every model of the settings has in common: frozen, strict about keys, silent about secrets.

A model remembers which of its keys were written as references and masks them in
every repr, str and dump: a URL from the environment may carry a tenant's name,
and which values are harmless is not ours to guess.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from proxy.settings.secret import MASK, Referenced


class _Mask:
    """Prints as the mask, without quotes."""

    def __repr__(self) -> str:
        return MASK


class Model(BaseModel):
    """A mapping of the configuration file."""

    model_config = ConfigDict(
        defer_build=True,  # the root's validator holds its parts'; their own are rarely used
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
    )

    _masked: frozenset[str] = PrivateAttr(default=frozenset())
    _line: int = PrivateAttr(default=0)

    @property
    def masked(self) -> frozenset[str]:
        """The attributes whose values came from references."""
        return self._masked

    @property
    def line(self) -> int:
        """Where in the file it stands, from 1; 0 when nobody said."""
        return self._line

    def stand_at(self, line: int) -> None:
        """Remember where in the file it stands."""
        self._line = line

    @model_validator(mode="wrap")
    @classmethod
    def _remember_references(cls, data: Any, handler: ModelWrapValidatorHandler[Model]) -> Model:
        model = handler(data)
        if isinstance(data, dict):
            model._masked = frozenset(
                name
                for name, field in cls.model_fields.items()
                if not isinstance(getattr(model, name), Model)
                and _is_referenced(data.get(field.alias or name))
            )
        return model

    @model_serializer(mode="wrap")
    def _mask(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        keys = {name: field.alias or name for name, field in type(self).model_fields.items()}
        hidden = self._masked | {keys[name] for name in self._masked}
        return {key: MASK if key in hidden else value for key, value in dumped.items()}

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        for name in type(self).model_fields:
            yield name, _Mask() if name in self._masked else getattr(self, name)


def key(default: object, meaning: str, name: str | None = None) -> Any:
    """An optional key; the default as one would write it, `name` where the attribute differs."""
    return Field(default, alias=name, description=meaning)


def required(meaning: str, example: object) -> Any:
    """A required key; the example stands in while the rest of a file without it is checked."""
    return Field(description=meaning, examples=[example])


def _is_referenced(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, Referenced) for item in value)
    if isinstance(value, dict):
        return any(isinstance(item, Referenced) for item in value.values())
    return isinstance(value, Referenced)
