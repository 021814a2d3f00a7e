"""What the catalog knows of a kind is what its class declares."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from metadata.schemas.base import Dated, Declaration
from metadata.schemas.catalog import CATALOG
from metadata.schemas.fields import Derived, Filter, Hidden, Id, OnDelete, Ref, Sealed, Searched, Text
from metadata.schemas.homes import Lines
from metadata.schemas.kinds import SealedField, kind_of
from metadata.schemas.sealed import Envelope

SealedText = Annotated[Envelope, Sealed("secret"), Hidden()]


class Note(Dated):
    """A kind with one of everything."""

    declaration = Declaration(name="note", home=Lines("notes.jsonl"), uniques=(("title",),), collection="notes")

    id: Id
    title: Annotated[Text, Searched(3), Filter()]
    body: Annotated[Text, Searched()] = ""
    length: Annotated[int, Derived()] = 0
    secret: SealedText | None = None
    tags: list[Annotated[Id, Ref("tag", OnDelete.REMOVE)]] = Field(default_factory=list)


def test_everything_is_read_off_the_class() -> None:
    kind = kind_of(Note)
    assert kind.name == "note"
    assert kind.uniques == (("title",),)
    assert kind.filters == ("createdAt", "updatedAt", "title")
    assert kind.searched == (("title", 3), ("body", 1))
    assert kind.derived == ("length",)
    assert kind.sealed == (SealedField("secret", "secret"),)
    assert kind.hidden == ("secret",)
    assert [(ref.name, ref.to) for ref in kind.refs] == [("tags.*", "tag")]
    assert (kind.created, kind.updated, kind.parent) == ("createdAt", "updatedAt", None)
    assert kind.members == ("id", "title", "body", "length", "secret", "tags", "createdAt", "updatedAt", "_meta")


def test_a_kind_of_several_classes_has_the_fields_of_all() -> None:
    kind = CATALOG["message"]
    assert {"content", "context", "type", "id"} <= set(kind.members)
    assert kind.searched == (("content", 1), ("context", 1))
    assert kind.parent == "chatId"
    assert (kind.created, kind.updated) == ("createdAt", None)


def test_a_record_may_be_its_own_envelope() -> None:
    assert CATALOG["apiKey"].sealed == (SealedField("key", None),)
    assert {"ciphertext", "iv", "authTag"} <= set(CATALOG["apiKey"].hidden)
