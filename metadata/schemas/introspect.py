"""Reading the declarations off the pydantic classes: which marker stands at which place of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

Marker = TypeVar("Marker")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a record and what is declared of it.

    Attributes:
        path: on-disk names from the record down; `*` stands for every element of a list.
        markers: the annotations at that place.
        model: the class of the object at that place, if it is one.
        required: a record without the member is not valid.
    """

    path: tuple[str, ...]
    markers: tuple[object, ...]
    model: type[BaseModel] | None
    required: bool

    def marker(self, of: type[Marker]) -> Marker | None:
        """Return the marker of this class, or None."""
        return next((marker for marker in self.markers if isinstance(marker, of)), None)


def places(model: type[BaseModel]) -> tuple[Place, ...]:
    """Return every declared place of a class, members of inner objects and list elements included, in field order."""
    return tuple(_of_model(model, ()))


def _of_model(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Place]:
    for name, field in model.model_fields.items():
        here = (*path, str(field.alias or name))
        annotation: Any = field.annotation
        yield from _of_annotation(annotation, here, tuple(field.metadata), required=field.is_required())


def _of_annotation(
    annotation: object, path: tuple[str, ...], outer: tuple[object, ...], *, required: bool
) -> Iterator[Place]:
    inner, markers = _unwrapped(annotation)
    found = _inner_model(inner)
    yield Place(path, (*outer, *markers), found, required)
    if found is not None:
        yield from _of_model(found, path)
    elements = _element(inner)
    if elements is not None:
        yield from _of_annotation(elements, (*path, "*"), (), required=False)


def _unwrapped(annotation: object) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Split into the alternatives of the type and all markers on any of them."""
    if get_origin(annotation) is Annotated:
        first, *markers = get_args(annotation)
        alternatives, more = _unwrapped(first)
        return alternatives, (*markers, *more)
    if get_args(annotation) and type(None) in get_args(annotation):
        parts = [_unwrapped(part) for part in get_args(annotation) if part is not type(None)]
        return tuple(a for part in parts for a in part[0]), tuple(m for part in parts for m in part[1])
    return (annotation,), ()


def _inner_model(alternatives: tuple[object, ...]) -> type[BaseModel] | None:
    return next((a for a in alternatives if isinstance(a, type) and issubclass(a, BaseModel)), None)


def _element(alternatives: tuple[object, ...]) -> object | None:
    return next((get_args(a)[0] for a in alternatives if get_origin(a) is list), None)
