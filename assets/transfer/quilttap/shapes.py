"""What single kinds of the original's records need beside their references to fit in here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metadata.schemas.tags import fold_name

from ..verdict import derived_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metadata.documents.contract import Record
    from metadata.repositories.container import Repositories

    from .layout import Layout

_FIRST_SHAPE = ("characterId", "personaId", "connectionProfileId", "imageProfileId")


class Shapes:
    """Makes records keep the rules that references do not tell.

    Args:
        repositories: ours.

    Attributes:
        addresses: by the address that the original gave a file, the one it has here.
    """

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories
        self._linked: dict[str, list[str]] = {}
        self._defaults: dict[tuple[str, str], str] = {}
        self.addresses: dict[str, str] = {}

    def relate(self, layout: Layout, resolve: Callable[[Sequence[str], str], str | None]) -> None:
        """Read which characters and personas are linked, on either side: here both sides say the same."""
        pairs: dict[tuple[str, str], None] = {}
        for found in layout.records("character"):
            for link in _items(found.record, "personaLinks"):
                if isinstance(link, dict):
                    pairs[str((found.record or {}).get("id")), str(link.get("personaId"))] = None
        for found in layout.records("persona"):
            for character in _items(found.record, "characterLinks"):
                pairs[str(character), str((found.record or {}).get("id"))] = None
        for character, persona in pairs:
            ends = resolve(["character"], character), resolve(["persona"], persona)
            if ends[0] is not None and ends[1] is not None:
                self._linked.setdefault(ends[0], []).append(ends[1])
                self._linked.setdefault(ends[1], []).append(ends[0])

    def fitted(self, kind: str, body: Record, notes: list[str]) -> tuple[Record, list[str]]:
        """Return a record that fits, and the notes with what was done added."""
        fit = {
            "tag": self._tag,
            "connectionProfile": self._profile,
            "imageProfile": self._image_profile,
            "character": self._character,
            "persona": self._persona,
            "chat": self._chat,
        }.get(kind)
        return (body if fit is None else fit(body, notes)), notes

    def _tag(self, body: Record, notes: list[str]) -> Record:
        del notes
        return {**body, "nameLower": fold_name(str(body.get("name")))}

    def _profile(self, body: Record, notes: list[str], kind: str = "connectionProfile") -> Record:
        if body.get("isDefault") is not True:
            return body
        owner = str(body.get("userId"))
        repository = (
            self._repositories.connections if kind == "connectionProfile" else self._repositories.image_profiles
        )
        known = repository.find_default(owner)
        holder = self._defaults.setdefault((kind, owner), known.id if known is not None else str(body["id"]))
        if holder == body["id"]:
            return body
        notes.append("Another profile is the default, so this one is not.")
        return {**body, "isDefault": False}

    def _image_profile(self, body: Record, notes: list[str]) -> Record:
        owner, name = str(body.get("userId")), str(body.get("name"))
        wanted, number = name, 1
        while (held := self._holder(owner, wanted)) is not None and held != body["id"]:
            wanted = f"{name} (imported)" if number == 1 else f"{name} (imported {number})"
            number += 1
        if wanted != name:
            notes.append(f"Another profile is called {name!r}, so this one is called {wanted!r}.")
        return self._profile({**body, "name": wanted}, notes, "imageProfile")

    def _holder(self, owner: str, name: str) -> str | None:
        stored = self._repositories.documents.lookup("imageProfile", ("userId", "name"), (owner, name))
        return None if stored is None else stored.key

    def _character(self, body: Record, notes: list[str]) -> Record:
        links = _items(body, "personaLinks")
        have = [link.get("personaId") for link in links if isinstance(link, dict)]
        more = [one for one in self._linked.get(str(body["id"]), ()) if one not in have]
        if more:
            notes.append("A persona named it in its links; both sides say so now.")
            body["personaLinks"] = [*links, *({"personaId": one, "isDefault": False} for one in more)]
        overrides = {str(one.get("chatId")): one for one in _items(body, "avatarOverrides") if isinstance(one, dict)}
        if len(overrides) < len(_items(body, "avatarOverrides")):
            notes.append("It had several pictures for one chat; the last one was taken.")
            body["avatarOverrides"] = list(overrides.values())
        return self._pictured(body, notes)

    def _persona(self, body: Record, notes: list[str]) -> Record:
        links = _items(body, "characterLinks")
        more = [one for one in self._linked.get(str(body["id"]), ()) if one not in links]
        if more:
            notes.append("A character named it in its links; both sides say so now.")
            body["characterLinks"] = [*links, *more]
        return self._pictured(body, notes)

    def _pictured(self, body: Record, notes: list[str]) -> Record:
        address = self.addresses.get(str(body.get("avatarUrl")))
        if address is not None and address != body["avatarUrl"]:
            notes.append("avatarUrl was an address of the original's and is one of the same picture here.")
            body["avatarUrl"] = address
        return body

    def _chat(self, body: Record, notes: list[str]) -> Record:
        """Give a chat that lost its character or connection the later shape, which can do without either."""
        if body.get("participants") is not None or (body.get("characterId") and body.get("connectionProfileId")):
            return body
        chat = str(body["id"])
        people: list[Record] = []
        for member, who in (("characterId", "CHARACTER"), ("personaId", "PERSONA")):
            if isinstance(one := body.get(member), str):
                extra = {name: body[name] for name in _FIRST_SHAPE[2:] if body.get(name)} if who == "CHARACTER" else {}
                here = derived_id("participant", chat, one)
                people.append({"id": here, "type": who, member: one, **extra, "displayOrder": len(people)})
        notes.append("It lists its participants now, since the character or the connection it named is not there.")
        return {**{name: value for name, value in body.items() if name not in _FIRST_SHAPE}, "participants": people}


def _items(record: dict[str, Any] | None, member: str) -> list[Any]:
    items = (record or {}).get(member)
    return items if isinstance(items, list) else []
