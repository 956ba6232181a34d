"""Which model and key a place in the file belongs to; for remedies and for stubs."""

from __future__ import annotations

from types import UnionType
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from proxy.settings.base import Model


def keys(model: type[Model]) -> dict[str, FieldInfo]:
    """A model's fields by the keys they have in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def model_in(annotation: Any) -> type[Model] | None:
    """The model that an annotation is, or holds as optional, item or value."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    found = (model_in(inner) for inner in get_args(annotation))
    return next((model for model in found if model is not None), None)


def descend(model: type[Model], loc: tuple[str | int, ...]) -> tuple[Any, FieldInfo | None]:
    """The annotation at a place of a model, and the field that the place's last key names."""
    annotation: Any = model
    field: FieldInfo | None = None
    for step in loc:
        field = None
        if get_origin(annotation) is UnionType:
            annotation = get_args(annotation)[0]
        if isinstance(annotation, type) and issubclass(annotation, Model):
            field = keys(annotation).get(str(step))
            annotation = None if field is None else field.annotation
        elif get_origin(annotation) in (dict, tuple):
            arguments = get_args(annotation)
            annotation = arguments[1] if get_origin(annotation) is dict else arguments[0]
        else:
            annotation = None
    return annotation, field
