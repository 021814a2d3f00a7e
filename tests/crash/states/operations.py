"""Every public write operation of the library, on a small store that has everything in it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import calotype
from metadata.errors import ConflictError
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from calotype import LocalStore
    from metadata.repositories.container import Repositories

    Operation = Callable[[LocalStore, dict[str, str]], object]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
LETTERS = "s" * 43
LATER = datetime(2099, 1, 1, tzinfo=UTC)


def picture(number: int, size: int = 6_000) -> bytes:
    """Return a small picture with a tail that makes it one of a kind and longer than a page."""
    return PNG + b"".join(hashlib.sha256(b"%d %d" % (number, part)).digest() for part in range(size // 32))


def opened(folder: Path) -> LocalStore:
    """Open a store; how fast it forgets what was deleted must not depend on the clock here."""
    return calotype.open(folder, min_free_bytes=0)


def records(store: LocalStore) -> Repositories:
    """Return every repository of a store."""
    return store.inside.records


def collect(store: LocalStore) -> None:
    """Move what nobody needs to the trash, however young it is."""
    store.gc.execute(store.gc.plan(grace_s=0), force=True)


def untrash(store: LocalStore, sha256: str) -> None:
    """Have a payload back from the trash, with every record that named it.

    Raises:
        ConflictError: a record could not be restored.
    """
    restored = store.gc.restore(sha256)
    if restored.refused:
        raise ConflictError(str(restored.refused))


def populate(folder: Path) -> dict[str, str]:
    """Fill a folder; return the ids that the operations need, by the names they know them by."""
    with opened(folder) as store:
        of = records(store)
        me = store.inside.owner.id
        user = of.users.create(email="other@example.org").id
        leaver = of.users.create(email="leaver@example.org").id
        of.characters.create(user_id=leaver, name="Theirs", **TEXTS)
        tags = {name: of.tags.create(user_id=me, name=name).id for name in ("red", "blue", "green", "grey", "gone")}
        profile = of.connections.create(user_id=me, name="c", provider="X", model_name="m", tags=[tags["red"]]).id
        ids = {"me": me, "user": user, "leaver": leaver, "profile": profile, **tags}
        ids |= {
            name: of.characters.create(user_id=me, name=name, tags=[tags["red"], tags["gone"]], **TEXTS).id
            for name in ("Anna", "Bert", "Cleo")
        }
        ids |= {
            name: of.personas.create(user_id=me, name=name, description="d", tags=[tags["gone"]]).id
            for name in ("writer", "reader")
        }
        of.characters.add_persona(ids["Anna"], ids["writer"])
        of.characters.add_persona(ids["Cleo"], ids["writer"])
        shared: dict[str, Any] = {"user_id": me, "connection_profile_id": profile, "tags": [tags["gone"]]}
        for name, who in (("talk", "Anna"), ("short", "Bert"), ("lost", "Cleo")):
            ids[name] = of.chats.create(character_id=ids[who], persona_id=ids["writer"], title=name, **shared).id
            for number in range(3):
                made = of.messages.append(ids[name], {"role": "USER", "content": f"{name} {number}"})
                ids[f"{name}-{number}"] = str(made.to_record()["id"])
        for number in range(8):
            ids[f"asset-{number}"] = store.assets.put(picture(number), filename=f"{number}.png", tags=["gone"]).id
        of.images.edit(ids["asset-1"], lambda asset: asset.replaced(chat_id=ids["lost"]))
        of.characters.edit(ids["Anna"], lambda found: found.replaced(default_image_id=ids["asset-2"]))
        ids["key"] = of.api_keys.create(user_id=me, provider="X", label="l", key="secret").id
        ids["studio"] = of.image_profiles.create(user_id=me, name="studio", provider="X", model_name="m").id
        ids["token"] = of.access_tokens.issue(me, "t", "read")[0].id
        of.sessions.open(me, LATER, token=LETTERS)
        of.sessions.open(user, LATER - timedelta(days=1), token=LETTERS.upper())
        of.verification_tokens.create(identifier="a@example.org", token="v", expires=LATER.isoformat())  # noqa: S106 - nobody's
        of.accounts.link(user, "github", "1", type="oauth")
        for number in (8, 9):
            store.assets.delete(store.assets.put(picture(number)).id)
        collect(store)
        store.assets.delete(ids["asset-7"])
    return ids


def _of(operation: Callable[[Repositories, dict[str, str]], object]) -> Operation:
    return lambda store, ids: operation(records(store), ids)


def _words(store: LocalStore, _: dict[str, str]) -> None:
    JsonStore(store.settings.data_dir).write_json("settings/words.json", {"n": [1] * 2_000})


def _line(store: LocalStore, _: dict[str, str]) -> None:
    JsonStore(store.settings.data_dir).append_jsonl("settings/log.jsonl", [{"n": 1}])


WHOLE: dict[str, Operation] = {
    "put": lambda store, ids: store.assets.put(picture(100), filename="n.png", tags=[ids["red"]]),
    "put what is there": lambda store, ids: store.assets.put(picture(3), filename="again.png", tags=[ids["blue"]]),
    "put for a character": lambda store, ids: store.assets.put(picture(3), type="avatar", character_id=ids["Anna"]),
    "put a large file": lambda store, _: store.assets.put(picture(101, 70_000), filename="large.png"),
    "delete an asset": lambda store, ids: store.assets.delete(ids["asset-0"]),
    "delete a used asset": lambda store, ids: store.assets.delete(ids["asset-2"], force=True),
    "delete and purge": lambda store, ids: store.assets.delete(ids["asset-4"], purge=True),
    "restore an asset": lambda store, ids: store.assets.restore(ids["asset-7"]),
    "collect garbage": lambda store, _: collect(store),
    "put what is in the trash": lambda store, _: store.assets.put(picture(8), filename="8.png"),
    "restore from the trash": lambda store, _: untrash(store, hashlib.sha256(picture(9)).hexdigest()),
    "untag an asset": lambda store, ids: store.assets.untag(ids["asset-5"], ids["gone"]),
    "create a character": _of(lambda of, ids: of.characters.create(user_id=ids["me"], name="Dora", **TEXTS)),
    "edit a character": _of(lambda of, ids: of.characters.edit(ids["Anna"], lambda found: found.replaced(name="Ann"))),
    "make a favourite": _of(lambda of, ids: of.characters.set_favorite(ids["Bert"])),
    "link a persona": _of(lambda of, ids: of.characters.add_persona(ids["Bert"], ids["reader"])),
    "unlink a persona": _of(lambda of, ids: of.personas.remove_character(ids["writer"], ids["Anna"])),
    "override an avatar": _of(
        lambda of, ids: of.characters.set_avatar_override(ids["Bert"], ids["short"], ids["asset-3"])
    ),
    "rename a tag": _of(lambda of, ids: of.tags.rename(ids["green"], "emerald")),
    "merge tags": _of(lambda of, ids: of.tags.merge(ids["blue"], ids["grey"])),
    "delete a tag": _of(lambda of, ids: of.tags.delete(ids["gone"])),
    "edit a chat": _of(lambda of, ids: of.chats.edit(ids["talk"], lambda found: found.replaced(title="new"))),
    "append a message": _of(lambda of, ids: of.messages.append(ids["talk"], {"role": "USER", "content": "x" * 5_000})),
    "edit a message": _of(
        lambda of, ids: of.messages.edit_message(
            ids["talk"], ids["talk-0"], lambda found: found.replaced(content="changed")
        )
    ),
    "delete a message": _of(lambda of, ids: of.messages.delete_message(ids["talk"], ids["talk-1"])),
    "seal a key": _of(lambda of, ids: of.api_keys.create(user_id=ids["me"], provider="Y", label="m", key="other")),
    "reseal a key": _of(lambda of, ids: of.api_keys.set_key(ids["key"], "another")),
    "set a default": _of(lambda of, ids: of.connections.set_default(ids["profile"])),
    "link an image": _of(lambda of, ids: of.image_profiles.add_image(ids["studio"], ids["asset-3"])),
    "settings": _of(
        lambda of, ids: of.chat_settings.edit(
            of.chat_settings.of_user(ids["me"]).id, lambda found: found.replaced(avatar_display_mode="NEVER")
        )
    ),
    "edit the first user": _of(lambda of, ids: of.users.edit(ids["me"], lambda found: found.replaced(name="Me"))),
    "create a user": _of(lambda of, _: of.users.create(email="third@example.org")),
    "link an account": _of(lambda of, ids: of.accounts.link(ids["user"], "google", "2", type="oauth")),
    "issue a token": _of(lambda of, ids: of.access_tokens.issue(ids["me"], "more", "write")),
    "revoke a token": _of(lambda of, ids: of.access_tokens.revoke(ids["token"])),
    "open a session": _of(lambda of, ids: of.sessions.open(ids["me"], LATER)),
    "end a session": _of(lambda of, _: of.sessions.delete_by_token(LETTERS)),
    "consume a token": _of(lambda of, _: of.verification_tokens.consume("a@example.org", "v")),
    "delete a persona": _of(lambda of, ids: of.personas.delete(ids["reader"])),
    "delete a character": _of(lambda of, ids: of.characters.delete(ids["Cleo"], force=True)),
    "delete a chat": _of(lambda of, ids: of.chats.delete(ids["short"])),
    "delete a user": _of(lambda of, ids: of.users.delete(ids["leaver"], force=True)),
    "compact": lambda store, _: store.inside.documents.compact(),
    "write a document": _words,
    "append a line": _line,
}
"""Operations that happen wholly or not at all."""

IN_PARTS: dict[str, Operation] = {
    "put with new tags": lambda store, _: store.assets.put(picture(102), filename="t.png", tags=["new", "newer"]),
    "create many": _of(
        lambda of, ids: of.tags.create_many([{"user_id": ids["me"], "name": f"many {n}"} for n in range(3)])
    ),
    "append messages": _of(
        lambda of, ids: of.messages.append_many(
            ids["talk"], [{"role": "USER", "content": f"{n}" * 3_000} for n in range(3)]
        )
    ),
}
"""Operations of which each record is judged for itself."""
