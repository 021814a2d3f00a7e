"""The catalog: complete, consistent, the deletion table of protocols.md, and no reference left undeclared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import pytest
from pydantic import Field

from metadata.schemas.base import Dated, Declaration, Entity, Model
from metadata.schemas.catalog import CATALOG, COLLECTIONS, TAG_TYPES, kinds_of_path, references_to
from metadata.schemas.fields import AnyRef, Hidden, Id, NotRef, OnDelete, Ref, Sha256, Text
from metadata.schemas.homes import Lines
from metadata.schemas.introspect import Place, places

if TYPE_CHECKING:
    from types import ModuleType

ID_CHECK, SHA256_CHECK = get_args(Id)[1], get_args(Sha256)[1]
HASHES_OF_OTHER_KINDS = {"perceptualHash"}


def undeclared(model: type[Entity]) -> list[str]:
    """Name the fields of a class that look like a reference or a hash and are not declared as one."""
    return [".".join(place.path) for place in places(model) if _suspicious(place)]


def _suspicious(place: Place) -> bool:
    name = next(part for part in reversed(place.path) if part != "*")
    holder = place.model is None and (place.path[-1] == "*" or not _is_list(place))
    named = name.endswith(("Id", "Ids", "_id", "Links")) and holder
    typed = ID_CHECK in place.markers and name != "id"
    declared = any(isinstance(marker, Ref | AnyRef | NotRef) for marker in place.markers)
    hashed = "sha256" in name.lower() and SHA256_CHECK not in place.markers
    digest = name.lower().endswith("hash") and name not in HASHES_OF_OTHER_KINDS
    hidden = any(isinstance(marker, Hidden) for marker in place.markers)
    return ((named or typed) and not declared) or hashed or (digest and not hidden)


def _is_list(place: Place) -> bool:
    return place.path[-1].endswith(("Ids", "Links"))


ALL_CLASSES = [model for kind in CATALOG.values() for model in kind.model.variants()]


@pytest.mark.parametrize("model", ALL_CLASSES, ids=lambda model: model.__name__)
def test_no_field_looks_like_a_reference_or_a_hash_without_being_declared(model: type[Entity]) -> None:
    assert undeclared(model) == []


class Inner(Model):
    """An inner object with a forgotten reference."""

    chat_id: Text


class Careless(Dated):
    """Every way to forget a declaration."""

    declaration = Declaration(name="careless", home=Lines("x.jsonl"))

    id: Id
    owner_id: Text
    friend: Id | None = None
    image_ids: list[Text] = Field(default_factory=list)
    people: list[Id] = Field(default_factory=list)
    inner: Inner | None = None
    thumb_sha256: Text
    content_hash: Text
    fine_id: Annotated[Text, NotRef("a test")]


def test_the_rule_itself_finds_every_forgotten_declaration() -> None:
    assert undeclared(Careless) == [
        "ownerId",
        "friend",
        "imageIds.*",
        "people.*",
        "inner.chatId",
        "thumbSha256",
        "contentHash",
    ]


@pytest.mark.parametrize("kind", CATALOG.values(), ids=lambda kind: kind.name)
def test_a_kind_speaks_only_of_members_and_kinds_that_exist(kind: object) -> None:
    found = next(known for known in CATALOG.values() if known is kind)
    named = {*found.key, *found.filters, *found.hidden, *found.derived, *(n for group in found.uniques for n in group)}
    named |= {name for name, _ in found.searched} | ({found.owner} if found.owner else set())
    assert named <= set(found.members)
    assert {target for ref in found.refs for target in ref.targets} <= set(CATALOG)
    assert not set(found.hidden) & set(found.filters)
    assert not set(found.hidden) & {name for name, _ in found.searched}


# The table "References and mentions" of protocols.md: (deleted, holder, field) to the rule, and the rule on force.
TABLE = {
    ("tag", "connectionProfile", "tags.*"): ("remove", None),
    ("tag", "imageProfile", "tags.*"): ("remove", None),
    ("tag", "character", "tags.*"): ("remove", None),
    ("tag", "persona", "tags.*"): ("remove", None),
    ("tag", "chat", "tags.*"): ("remove", None),
    ("tag", "asset", "tags.*"): ("remove", None),
    ("persona", "chat", "personaId"): ("clear", None),
    ("persona", "chat", "participants.*.personaId"): ("remove", None),
    ("persona", "character", "personaLinks.*.personaId"): ("remove", None),
    ("persona", "asset", "tags.*"): ("remove", None),
    ("character", "chat", "characterId"): ("refuse", "cascade"),
    ("character", "chat", "participants.*.characterId"): ("refuse", "cascade"),
    ("character", "persona", "characterLinks.*"): ("remove", None),
    ("character", "asset", "characterId"): ("clear", None),
    ("character", "asset", "tags.*"): ("remove", None),
    ("chat", "message", "chatId"): ("cascade", None),
    ("chat", "asset", "chatId"): ("clear", None),
    ("chat", "asset", "tags.*"): ("remove", None),
    ("chat", "character", "avatarOverrides.*.chatId"): ("remove", None),
    ("message", "asset", "messageId"): ("clear", None),
    ("apiKey", "connectionProfile", "apiKeyId"): ("clear", None),
    ("apiKey", "imageProfile", "apiKeyId"): ("clear", None),
    ("connectionProfile", "chat", "connectionProfileId"): ("refuse", None),
    ("connectionProfile", "chat", "participants.*.connectionProfileId"): ("refuse", None),
    ("imageProfile", "chat", "imageProfileId"): ("clear", None),
    ("imageProfile", "chat", "participants.*.imageProfileId"): ("clear", None),
    ("imageProfile", "asset", "_imageProfileId"): ("clear", None),
    ("asset", "character", "defaultImageId"): ("refuse", "clear"),
    ("asset", "character", "avatarOverrides.*.imageId"): ("refuse", "remove"),
    ("asset", "persona", "defaultImageId"): ("refuse", "clear"),
    ("asset", "message", "attachments.*"): ("refuse", "remove"),
    ("asset", "imageProfile", "_imageIds.*"): ("refuse", "remove"),
    ("user", "apiKey", "_userId"): ("refuse", "cascade"),
    ("user", "connectionProfile", "userId"): ("refuse", "cascade"),
    ("user", "imageProfile", "userId"): ("refuse", "cascade"),
    ("user", "tag", "userId"): ("refuse", "cascade"),
    ("user", "character", "userId"): ("refuse", "cascade"),
    ("user", "persona", "userId"): ("refuse", "cascade"),
    ("user", "chat", "userId"): ("refuse", "cascade"),
    ("user", "asset", "userId"): ("refuse", "cascade"),
    ("user", "account", "userId"): ("cascade", None),
    ("user", "session", "userId"): ("cascade", None),
    ("user", "accessToken", "userId"): ("cascade", None),
    ("user", "chatSettings", "userId"): ("cascade", None),
}


def test_every_deletion_follows_the_table() -> None:
    declared = {
        (name, kind.name, ref.name): (str(ref.on_delete), str(ref.forced) if ref.forced else None)
        for name in CATALOG
        for kind, ref in references_to(name)
    }
    assert declared == TABLE


def test_unique_keys_are_those_of_the_protocols() -> None:
    assert {kind.name: kind.uniques for kind in CATALOG.values() if kind.uniques} == {
        "user": (("email",),),
        "chatSettings": (("userId",),),
        "account": (("provider", "providerAccountId"),),
        "session": (("sessionToken",),),
        "imageProfile": (("userId", "name"),),
        "tag": (("userId", "nameLower"),),
        "accessToken": (("tokenHash",),),
    }
    assert CATALOG["verificationToken"].key == ("identifier", "token")
    assert CATALOG["fact"].key == ("sha256",)


def test_what_never_is_in_an_answer() -> None:
    assert {kind.name: set(kind.hidden) for kind in CATALOG.values() if kind.hidden} == {
        "user": {"passwordHash", "totp", "backupCodes"},
        "account": {"refresh_token", "access_token", "id_token", "session_state"},
        "session": {"sessionToken"},
        "verificationToken": {"token"},
        "apiKey": {"ciphertext", "iv", "authTag"},
        "accessToken": {"tokenHash"},
    }


def test_assets_are_filtered_by_what_the_interface_names() -> None:
    named = {"type", "sha256", "characterId", "chatId", "messageId", "source", "mimeType", "userId", "_imageProfileId"}
    assert named <= set(CATALOG["asset"].filters)


def test_the_collections_are_those_of_the_interface() -> None:
    named = "characters personas chats tags image-profiles connection-profiles api-keys users accounts sessions"
    assert set(COLLECTIONS) == {*named.split(), "verification-tokens", "assets", "tokens"}
    assert COLLECTIONS["api-keys"].name == "apiKey"


def test_a_path_tells_its_kinds(original: ModuleType) -> None:
    def kinds(path: str) -> list[tuple[str, str]]:
        return [(located.kind.name, located.variable) for located in kinds_of_path(path)]

    assert kinds("settings/general.json") == [("user", ""), ("chatSettings", "")]
    assert kinds(f"settings/users/{original.USER}.json") == [("user", original.USER), ("chatSettings", original.USER)]
    assert kinds("settings/connection-profiles.json") == [("apiKey", ""), ("connectionProfile", "")]
    assert kinds(f"chats/{original.CHAT}.jsonl") == [("message", original.CHAT)]
    assert kinds("chats/index.jsonl") == [("chat", "")]
    assert kinds(f"characters/{original.CHARACTER}.json") == [("character", original.CHARACTER)]
    assert kinds("binaries/facts.jsonl") == [("fact", "")]
    assert kinds("locks/gate") == []


def test_the_catalog_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATALOG["x"] = CATALOG["tag"]  # type: ignore[index] # the point


def test_insisting_never_weakens_a_rule_that_is_not_a_refusal() -> None:
    for kind in CATALOG.values():
        for ref in kind.refs:
            assert ref.forced is None or ref.on_delete is OnDelete.REFUSE


def test_an_image_tag_may_name_four_kinds() -> None:
    assert set(TAG_TYPES.values()) == {"tag", "character", "persona", "chat"}
