"""Markers are found wherever a class declares them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from metadata.schemas.base import Model
from metadata.schemas.fields import Id, NotRef, OnDelete, Ref, Text
from metadata.schemas.introspect import places


class Inner(Model):
    """An object inside."""

    tag_id: Annotated[Id | None, Ref("tag", OnDelete.CLEAR)] = None


class Outer(Model):
    """An object with markers in every kind of place."""

    plain: Text
    direct_id: Annotated[Id, Ref("one", OnDelete.KEEP)]
    inside_union: Annotated[Id, Ref("two", OnDelete.KEEP)] | None = None
    listed: list[Annotated[Id, Ref("three", OnDelete.REMOVE)]] = Field(default_factory=list)
    inner: Inner | None = None
    inners: Annotated[list[Inner] | None, NotRef("x")] = Field(default=None, alias="_inners")


FOUND = {place.path: place for place in places(Outer)}


def test_every_place_is_listed_by_its_names_on_disk() -> None:
    assert list(FOUND) == [
        ("plain",),
        ("directId",),
        ("insideUnion",),
        ("listed",),
        ("listed", "*"),
        ("inner",),
        ("inner", "tagId"),
        ("_inners",),
        ("_inners", "*"),
        ("_inners", "*", "tagId"),
    ]


def test_markers_are_found_in_unions_lists_and_inner_objects() -> None:
    found = {".".join(path): ref.to for path, place in FOUND.items() if (ref := place.marker(Ref)) is not None}
    assert found == {
        "directId": "one",
        "insideUnion": "two",
        "listed.*": "three",
        "inner.tagId": "tag",
        "_inners.*.tagId": "tag",
    }
    assert FOUND["_inners",].marker(NotRef) == NotRef("x")
    assert FOUND["_inners", "*"].model is Inner


def test_only_a_member_without_default_is_required() -> None:
    assert [path for path, place in FOUND.items() if place.required] == [("plain",), ("directId",)]
