"""Tags: named by a user, unique without regard to letter case, carried by everything that has a `tags` list."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import model_validator

from .base import Dated, Declaration
from .fields import Derived, Filter, Id, OnDelete, Ref, Searched, Text
from .homes import InArray


def fold_name(name: str) -> str:
    """Return the form of a tag's name in which names that differ only in letter case are equal."""
    return name.casefold()


class Tag(Dated):
    """A tag of a user's.

    Attributes:
        name: as the user wrote it.
        name_lower: the case-folded name, unique per user; follows from the name when absent.
    """

    declaration = Declaration(
        name="tag", home=InArray("tags/tags.json", "tags"), uniques=(("userId", "nameLower"),), collection="tags"
    )

    id: Id
    user_id: Annotated[Id, Ref("user", OnDelete.REFUSE, forced=OnDelete.CASCADE), Filter()]
    name: Annotated[Text, Searched(4), Filter()]
    name_lower: Annotated[Text, Derived(), Filter()]

    def replaced(self, **fields: object) -> Self:
        """Return a changed copy, as any entity; a new name brings its case-folded form."""
        name = fields.get("name")
        folded = {"name_lower": fold_name(name)} if isinstance(name, str) else {}
        return super().replaced(**(folded | fields))

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, values: Any) -> Any:  # noqa: ANN401 - whatever the caller passed
        if not isinstance(values, dict) or values.keys() & {"nameLower", "name_lower"}:
            return values
        name = values.get("name")
        return {**values, "nameLower": fold_name(name)} if isinstance(name, str) else values
