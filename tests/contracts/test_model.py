"""Random operations on all repositories beside plain dictionaries that follow the same rules; they never differ.

Restarts, a lost index, a rebuilt one and compactions come in between. What the dictionaries do is written down here
once more, in the simplest way there is, from the table of protocols.md.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from metadata.documents import retiring
from metadata.errors import ConflictError
from metadata.repositories.container import Repositories
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]

KINDS = ("tag", "character", "persona", "connectionProfile", "chat", "message", "asset")
ALICE = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


def without(items: list[Any] | None, gone: object) -> list[Any]:
    return [item for item in items or [] if item != gone]


class Model:
    """What there should be: kind → key → record."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, Record]] = {kind: {} for kind in KINDS}

    def keys(self, kind: str) -> list[str]:
        return list(self.kinds[kind])

    def put(self, kind: str, key: str, record: Record) -> None:
        self.kinds[kind][key] = record

    def delete_tag(self, tag: str) -> None:
        del self.kinds["tag"][tag]
        self._untag(tag)

    def merge_tags(self, gone: str, kept: str) -> None:
        for record in self._all():
            if gone in record.get("tags", []):
                record["tags"] = list(dict.fromkeys(kept if tag == gone else tag for tag in record["tags"]))
        del self.kinds["tag"][gone]

    def chats_of(self, character: str) -> list[str]:
        return [key for key, chat in self.kinds["chat"].items() if chat["characterId"] == character]

    def delete_character(self, character: str) -> None:
        for chat in self.chats_of(character):
            self.delete_chat(chat)
        del self.kinds["character"][character]
        for persona in self.kinds["persona"].values():
            persona["characterLinks"] = without(persona["characterLinks"], character)
        for asset in self.kinds["asset"].values():
            if asset.get("characterId") == character:
                del asset["characterId"]
        self._untag(character)

    def delete_persona(self, persona: str) -> None:
        del self.kinds["persona"][persona]
        for character in self.kinds["character"].values():
            links = character["personaLinks"]
            character["personaLinks"] = [link for link in links if link["personaId"] != persona]
        for chat in self.kinds["chat"].values():
            if chat.get("personaId") == persona:
                del chat["personaId"]

    def delete_chat(self, chat: str) -> None:
        del self.kinds["chat"][chat]
        self.kinds["message"] = {key: one for key, one in self.kinds["message"].items() if one["chatId"] != chat}
        for key, asset in list(self.kinds["asset"].items()):
            if asset.get("chatId") == chat:
                if asset["type"] == "chat_file":
                    del self.kinds["asset"][key]
                else:
                    del asset["chatId"]
                    asset.pop("messageId", None)
        for character in self.kinds["character"].values():
            overrides = character["avatarOverrides"]
            character["avatarOverrides"] = [one for one in overrides if one["chatId"] != chat]

    def delete_message(self, key: str) -> None:
        chat, _, message = key.partition("/")
        del self.kinds["message"][key]
        for asset in self.kinds["asset"].values():
            if (asset.get("chatId"), asset.get("messageId")) == (chat, message):
                del asset["messageId"]

    def uses_of(self, asset: str) -> int:
        characters, messages = self.kinds["character"].values(), self.kinds["message"].values()
        shown = [one.get("defaultImageId") for one in characters]
        shown += [override["imageId"] for one in characters for override in one["avatarOverrides"]]
        shown += [attached for one in messages for attached in one["attachments"]]
        return shown.count(asset)

    def delete_asset(self, asset: str) -> None:
        del self.kinds["asset"][asset]
        for character in self.kinds["character"].values():
            if character.get("defaultImageId") == asset:
                del character["defaultImageId"]
            overrides = character["avatarOverrides"]
            character["avatarOverrides"] = [one for one in overrides if one["imageId"] != asset]
        for message in self.kinds["message"].values():
            message["attachments"] = without(message["attachments"], asset)

    def _untag(self, tag: str) -> None:
        for record in self._all():
            if tag in record.get("tags", []):
                record["tags"] = without(record["tags"], tag)
                record.get("_tagTypes", {}).pop(tag, None)

    def _all(self) -> list[Record]:
        return [record for records in self.kinds.values() for record in records.values()]


class Pair:
    """A store of plain files and the model of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = Model()
        self.store = self._open()
        self.user = self.store.users.ensure_first().id
        self._number = 0

    def _open(self) -> Repositories:
        return Repositories(JsonStore(self.folder, durability="none"))

    def pick(self, kind: str, number: int) -> str | None:
        keys = self.model.keys(kind)
        return keys[number % len(keys)] if keys else None

    def fresh(self) -> int:
        self._number += 1
        return self._number

    def took(self, kind: str, entity: Any, key: str | None = None) -> None:
        self.model.put(kind, key or entity.id, entity.to_record())

    # --- what may happen; each takes two numbers that pick what it happens to ---------------------------------

    def make_tag(self, _: int, __: int) -> None:
        self.took("tag", self.store.tags.create(name=f"t{self.fresh()}"))

    def make_character(self, a: int, b: int) -> None:
        tags = [tag for tag in (self.pick("tag", b),) if tag and a % 2]
        self.took("character", self.store.characters.create(name=f"n{self.fresh()}", tags=tags, **ALICE))

    def make_persona(self, _: int, __: int) -> None:
        self.took("persona", self.store.personas.create(name=f"n{self.fresh()}", description="d"))

    def make_chat(self, a: int, b: int) -> None:
        who, me = self.pick("character", a), self.pick("persona", b)
        if who is not None:
            if not self.model.kinds["connectionProfile"]:
                made = self.store.connections.create(name="c", provider="X", model_name="m")
                self.took("connectionProfile", made)
            profile = self.pick("connectionProfile", 0)
            more = {"persona_id": me} if me and a % 2 else {}
            talk = self.store.chats.create(title="t", character_id=who, connection_profile_id=profile, **more)
            self.took("chat", talk)

    def make_asset(self, a: int, b: int) -> None:
        number = self.fresh()
        more: Record = {}
        talk, who, message = self.pick("chat", a), self.pick("character", b), self.pick("message", a + b)
        if a % 4 == 0 and talk is not None:
            more = {"type": "chat_file", "chat_id": talk}
        elif a % 4 == 1 and message is not None:
            more = dict(zip(("chat_id", "message_id"), message.split("/"), strict=True))
        elif who is not None:
            more = {"character_id": who, "tags": [who], "tag_types": {who: "CHARACTER"}} if a % 2 else {"tags": [who]}
        about = {"type": "image", "filename": "f", "mime_type": "image/png", "size": 1, "sha256": f"{number:064x}"}
        self.took("asset", self.store.images.create(**{**about, **more}))

    def say(self, a: int, b: int) -> None:
        talk = self.pick("chat", a)
        pictures = [key for key, one in self.model.kinds["asset"].items() if one["type"] == "image"]
        if talk is not None:
            attached = pictures[b % len(pictures) :][:1] if pictures and b % 3 == 0 else []
            event = {"role": "USER", "content": f"m{self.fresh()}", "attachments": attached}
            for said in self.store.messages.append_many(talk, [event] * (1 + b % 3)):
                record = said.to_record()  # type: ignore[union-attr] # nothing is wrong with it
                self.took("message", said, f"{talk}/{record['id']}")

    def swipe(self, a: int, __: int) -> None:
        key = self.pick("message", a)
        if key is not None:
            talk, _, message = key.partition("/")
            made = self.store.messages.add_swipe(talk, message, {"content": "another"})
            first = self.store.messages.get(key)
            self.took("message", first, key)
            self.took("message", made, f"{talk}/{made.to_record()['id']}")

    def edit_message(self, a: int, _: int) -> None:
        key = self.pick("message", a)
        if key is not None:
            self.took("message", self.store.messages.edit(key, lambda one: one.replaced(content="edited")), key)

    def edit_chat(self, a: int, _: int) -> None:
        key = self.pick("chat", a)
        if key is not None:
            self.took("chat", self.store.chats.edit(key, lambda one: one.replaced(title=one.title + "x")))

    def link(self, a: int, b: int) -> None:
        who, me = self.pick("character", a), self.pick("persona", b)
        if who is not None and me is not None:
            (self.store.characters.add_persona(who, me) if a % 2 else self.store.personas.add_character(me, who))
            self._reread(who, me)

    def unlink(self, a: int, b: int) -> None:
        who, me = self.pick("character", a), self.pick("persona", b)
        if who is not None and me is not None:
            (self.store.characters.remove_persona(who, me) if a % 2 else self.store.personas.remove_character(me, who))
            self._reread(who, me)

    def _reread(self, who: str, me: str) -> None:
        """Take over a pair after its link was changed; that both say the same is judged here."""
        character, persona = self.store.characters.get(who), self.store.personas.get(me)
        assert (me in {link.persona_id for link in character.persona_links}) == (who in persona.character_links)
        self.took("character", character)
        self.took("persona", persona)

    def picture(self, a: int, b: int) -> None:
        who, asset, talk = self.pick("character", a), self.pick("asset", b), self.pick("chat", a)
        if who is None or asset is None or self.model.kinds["asset"][asset]["type"] != "image":
            return
        if a % 2 and talk is not None:
            self.took("character", self.store.characters.set_avatar_override(who, talk, asset))
        else:
            self.took("character", self.store.characters.set_avatar(who, asset_id=asset))

    def merge_tags(self, a: int, b: int) -> None:
        gone, kept = self.pick("tag", a), self.pick("tag", b)
        if gone is not None and kept is not None and gone != kept:
            self.store.tags.merge(gone, kept)
            self.model.merge_tags(gone, kept)

    def delete_tag(self, a: int, _: int) -> None:
        key = self.pick("tag", a)
        if key is not None:
            assert self.store.tags.delete(key)
            self.model.delete_tag(key)

    def delete_character(self, a: int, b: int) -> None:
        key = self.pick("character", a)
        if key is not None:
            if self.model.chats_of(key) and b % 2:
                with pytest.raises(ConflictError):
                    self.store.characters.delete(key)
                return
            assert self.store.characters.delete(key, force=True)
            self.model.delete_character(key)

    def delete_persona(self, a: int, _: int) -> None:
        key = self.pick("persona", a)
        if key is not None:
            assert self.store.personas.delete(key)
            self.model.delete_persona(key)

    def delete_chat(self, a: int, _: int) -> None:
        key = self.pick("chat", a)
        if key is not None:
            assert self.store.chats.delete(key)
            self.model.delete_chat(key)

    def delete_message(self, a: int, _: int) -> None:
        key = self.pick("message", a)
        if key is not None:
            assert self.store.messages.delete(key)
            self.model.delete_message(key)

    def delete_asset(self, a: int, b: int) -> None:
        key = self.pick("asset", a)
        if key is not None:
            if self.model.uses_of(key) and b % 2:
                with pytest.raises(ConflictError):
                    self.store.images.delete(key)
                return
            assert self.store.images.delete(key, force=True)
            self.model.delete_asset(key)

    def restart(self, a: int, _: int) -> None:
        self.store.close()
        if a % 2:
            shutil.rmtree(self.folder / "cache")
        self.store = self._open()

    def rebuild(self, _: int, __: int) -> None:
        self.store.documents.rebuild()  # type: ignore[attr-defined] # it is over files

    def compact(self, _: int, __: int) -> None:
        self.store.documents.compact()

    # --- and what must then be so -----------------------------------------------------------------------------

    def compare(self) -> None:
        for kind in KINDS:
            stored = {found.key: found.body for found in self.store.documents.scan(kind)}
            assert {key: plain(body) for key, body in stored.items()} == {
                key: plain(record) for key, record in self.model.kinds[kind].items()
            }, kind
        for key, chat in {found.key: found.body for found in self.store.documents.scan("chat")}.items():
            said = [one for one in self.model.kinds["message"].values() if one["chatId"] == key]
            assert (chat["messageCount"], chat.get("lastMessageAt")) == (
                len(said),
                said[-1]["createdAt"] if said else None,
            )
            page = self.store.messages.page(key, limit=500)
            assert [event.to_record()["id"] for event in page.items] == [one["id"] for one in reversed(said)]
        assert self.store.documents.health().findings == []


def plain(record: Record) -> Record:
    """Return a record without what is derived and when it was changed."""
    return {name: value for name, value in record.items() if name not in {"updatedAt", "messageCount", "lastMessageAt"}}


STEPS: list[Callable[[Pair, int, int], None]] = [
    *(Pair.make_tag, Pair.make_character, Pair.make_persona, Pair.make_chat, Pair.make_asset, Pair.say, Pair.say),
    *(Pair.swipe, Pair.edit_message, Pair.edit_chat, Pair.link, Pair.unlink, Pair.picture, Pair.merge_tags),
    *(Pair.delete_tag, Pair.delete_character, Pair.delete_persona, Pair.delete_chat, Pair.delete_message),
    *(Pair.delete_asset, Pair.restart, Pair.rebuild, Pair.compact),
]

NUMBERS = st.integers(0, 30)


@pytest.mark.heavy
@pytest.mark.timeout(900)
@settings(  # no shrinking: it takes minutes, and the steps are printed as they are
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    st.lists(st.tuples(st.sampled_from(STEPS), NUMBERS, NUMBERS), min_size=20, max_size=60), st.sampled_from([0, 100])
)
def test_the_store_never_differs_from_the_model(
    steps: list[tuple[Callable[..., None], int, int]], at_once: int
) -> None:
    # Half of the runs treat every removal as one that is too much for one operation.
    with tempfile.TemporaryDirectory() as folder, patch.object(retiring, "AT_ONCE", at_once):
        pair = Pair(Path(folder) / "data")
        for make in (Pair.make_tag, Pair.make_character, Pair.make_persona, Pair.make_chat, Pair.make_asset, Pair.say):
            make(pair, 1, 0)
        for step, a, b in steps:
            step(pair, a, b)
            pair.compare()
        pair.store.close()
