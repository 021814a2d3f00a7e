"""Personas: their pictures, and their links with characters on both sides in one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.documents.contract import put
from metadata.errors import CalotypeError, FullError
from metadata.repositories.links import linked_characters, on_characters

from ..report import Item, Status
from ..verdict import Verdict
from .keeping import Use
from .layout import shown
from .moments import moment_of
from .target import STATUSES, why_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metadata.documents.contract import Record, Stored

    from .keeping import Keeper
    from .layout import Layout
    from .settings import Persona
    from .target import Target

_NO_PICTURE = "Its picture is not in User Avatars."


class Personas:
    """The personas of the user.

    Args:
        layout: the folder.
        target: to whom they go.
        keeper: takes their pictures in.
        character: the id here of a character, by the file name of its card.
    """

    def __init__(self, layout: Layout, target: Target, keeper: Keeper, character: Callable[[str], str | None]) -> None:
        self._layout = layout
        self._target = target
        self._keeper = keeper
        self._character = character
        self._by_avatar: dict[str, str] = {}
        self._by_name: dict[str, set[str]] = {}

    def bring(self, personas: Sequence[Persona], place: str) -> Iterator[Item]:
        """Store the personas and their pictures; yield what became of each."""
        for persona in personas:
            here = self._target.id("persona", persona.avatar)
            try:
                yield from self._brought(persona, here, place)
            except FullError:
                raise
            except CalotypeError as error:
                yield Item("persona", Status.FAILED, place, persona.avatar, persona.name, why=error.message)
                continue
            self._by_avatar[persona.avatar] = here
            self._by_name.setdefault(persona.name, set()).add(here)

    def here(self, avatar: object, name: object) -> str | None:
        """Return the id here of a persona by its picture, or by its name if only one has it; None for nobody."""
        if isinstance(avatar, str) and avatar in self._by_avatar:
            return self._by_avatar[avatar]
        named = self._by_name.get(name, set()) if isinstance(name, str) else set()
        return next(iter(named)) if len(named) == 1 else None

    def _brought(self, persona: Persona, here: str, place: str) -> Iterator[Item]:
        path = f"{self._layout.top('User Avatars')}/{persona.avatar}"
        picture, notes = "", []
        if self._layout.folder.file(path) is None:
            notes.append(_NO_PICTURE)
        else:
            kept = self._keeper.keep(path, Use(type="avatar", folder="User Avatars"))
            if kept.item is not None:
                yield kept.item
            picture = kept.id
        stored = self._target.stored("persona", here)
        body = self._body(persona, here, picture, stored, self._layout.moment(path))
        verdict = self._target.judged("persona", body, stored)
        if verdict in (Verdict.NEW, Verdict.RENEW) and not self._target.dry_run:
            self._write(body, stored)
        status = STATUSES[verdict]
        told = notes if status is Status.IMPORTED else []
        yield Item(
            *("persona", status, place, shown(persona.avatar), persona.name),
            new_id=here,
            why=why_of(status),
            notes=tuple(told),
        )

    def _body(self, persona: Persona, here: str, picture: str, stored: Stored | None, written: str | None) -> Record:
        described, title = persona.members.get("description"), persona.members.get("title")
        links = [found for card in persona.connections if (found := self._character(card)) is not None]
        members: Record = {
            "id": here,
            "name": persona.name,
            "description": described if isinstance(described, str) else "",
            "sillyTavernData": {**persona.members, "avatar": persona.avatar, "isDefault": persona.is_default},
            "characterLinks": list(dict.fromkeys(links)),
            "tags": [],
            **({"title": title} if isinstance(title, str) and title else {}),
            **({"defaultImageId": picture} if picture else {}),
        }
        created = moment_of(persona.avatar.partition("-")[0].partition(".")[0])  # SillyTavern names them by the time
        return self._target.fitted("persona", members, stored, created or written)

    def _write(self, body: Record, stored: Stored | None) -> None:
        before = None if stored is None else stored.body
        with self._target.repositories.documents.guard(exclusive=True):
            there = sorted(linked_characters(body))
            here = [one for one in there if self._target.stored("character", one) is not None]
            changes = on_characters(before, {**body, "characterLinks": here}, lambda _: self._target.now)
            first = put("persona", body, None if stored is None else stored.version, trusting=True)
            self._target.repositories.documents.apply([first, *changes])
