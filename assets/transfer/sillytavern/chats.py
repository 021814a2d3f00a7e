"""Chats with one character and chats of groups: who is in them, and what their header says."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError, FullError, InvalidError

from ..events import BYTES_AT_ONCE, summed
from ..report import Item, Status
from .layout import shown, stem_of
from .moments import moment_in, moment_of
from .speech import is_header
from .target import why_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from metadata.documents.contract import Record, Stored

    from ..sources import Found
    from .cast import Cast
    from .layout import Layout
    from .personas import Personas
    from .target import Target

_GLANCED = 20
"""Lines at the beginning of a chat that may tell when it began and who the user was."""
_NOBODY = "The card of its character is not in the folder, so nobody but the user is in it."


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that is here, on the way of its messages.

    Attributes:
        path: where it lies in the folder.
        here: its id here.
        created: when it began.
        names: the names of its characters.
    """

    path: str
    here: str
    created: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the beginning of a chat tells.

    Attributes:
        header: its first line, empty where that is a message already.
        user: the name of the user, where it says so.
        avatar: the picture of the user's persona, where it says so.
        moment: when it began, None where nothing says so.
    """

    header: Mapping[str, Any]
    user: object
    avatar: object
    moment: str | None


@dataclass(frozen=True, slots=True)
class Party:
    """Who is in a chat.

    Attributes:
        title: what the chat is called.
        characters: their ids here, in their order.
        names: their names.
        notes: what is to be said of it.
    """

    title: str
    characters: Sequence[str]
    names: frozenset[str]
    notes: Sequence[str] = field(default_factory=list)


class Chats:
    """The chats of the user.

    Args:
        layout: the folder.
        target: to whom they go.
        cast: the characters.
        personas: the user's.
        messages: brings what was said in a chat.
    """

    def __init__(
        self,
        layout: Layout,
        target: Target,
        cast: Cast,
        personas: Personas,
        messages: Callable[[Chat], Iterator[Item]],
    ) -> None:
        self._layout = layout
        self._target = target
        self._cast = cast
        self._personas = personas
        self._messages = messages

    def bring(self) -> Iterator[Item]:
        """Store the chats and what was said in them; yield what became of each, and of its lines."""
        for path, folder in self._layout.chats():
            yield from self._chat(path, partial(self._with_one, path, folder))
        groups = dict(self._groups())
        for path in self._layout.group_chats():
            yield from self._chat(path, partial(self._with_group, path, groups.get(stem_of(path), {})))

    def _chat(self, path: str, party: Callable[[Beginning], Party]) -> Iterator[Item]:
        here = self._target.id("chat", unicodedata.normalize("NFC", path))
        place, title = shown(path), shown(stem_of(path))
        try:
            beginning = self._beginning(path)
            who = party(beginning)
            stored = self._target.stored("chat", here)
            body = self._body(here, path, beginning, who, stored)
            status = self._target.settle("chat", self._target.repositories.chats, body, stored)
        except FullError:
            raise
        except CalotypeError as error:
            yield Item("chat", Status.FAILED, place, name=title, why=error.message)
            return
        notes = tuple(who.notes) if status is Status.IMPORTED else ()
        yield Item("chat", status, place, name=who.title, new_id=here, why=why_of(status), notes=notes)
        chat = Chat(path, here, str(body["createdAt"]), who.names)
        yield from summed(self._messages(chat), place, title, here)

    def _beginning(self, path: str) -> Beginning:
        self._layout.file(path)
        found = self._glance(path)
        lines = [one.record for one in found if one.record is not None]
        header = lines[0] if lines and is_header(lines[0]) else {}
        if not lines:
            raise InvalidError(_of_nothing(found))
        meta = _dict(header.get("chat_metadata"))
        spoken = next((line for line in lines if line.get("is_user") and "mes" in line), {})
        dates = (header.get("create_date"), *(line.get("send_date") for line in lines))
        moment = next((date for one in dates if (date := moment_of(one)) is not None), None)
        user = header.get("user_name")
        user = spoken.get("name") if user in (None, "", "unused") else user
        avatar = meta.get("persona") or _avatar(spoken.get("force_avatar"))
        return Beginning(header, user, avatar, moment_in(path.rpartition("/")[2]) or moment)

    def _glance(self, path: str) -> list[Found]:
        found: list[Found] = []
        for one in self._layout.folder.lines(path):
            found.append(one)
            if len(found) >= _GLANCED or sum(line.size for line in found) >= BYTES_AT_ONCE:
                break
        return found

    def _with_one(self, path: str, folder: str | None, beginning: Beginning) -> Party:
        told = beginning.header.get("character_name")
        told = told if isinstance(told, str) and told != "unused" else ""
        character = self._cast.of_folder(folder) if folder is not None else self._cast.named(told)
        names = {told, *self._cast.names_of([folder] if folder is not None else [])} - {""}
        notes = [] if character is not None else [_NOBODY]
        return Party(shown(stem_of(path)), [character] if character is not None else [], frozenset(names), notes)

    def _with_group(self, path: str, group: Mapping[str, Any], beginning: Beginning) -> Party:
        del beginning
        members = group.get("members")
        cards = [one for one in members if isinstance(one, str)] if isinstance(members, list) else []
        found = [(card, self._cast.of_card(card)) for card in cards]
        here = [one for _, one in found if one is not None]
        missing = [f"{card} was in it, and is not in the folder." for card, one in found if one is None]
        name, stem = group.get("name"), shown(stem_of(path))
        title = f"{name} - {stem}" if isinstance(name, str) and name else stem
        notes = missing or ([] if here else ["No group names it, so nobody but the user is in it."])
        return Party(title, list(dict.fromkeys(here)), frozenset(self._cast.names_of(cards)), notes)

    def _groups(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the groups, each by the names of its chats."""
        groups = self._layout.top("groups")
        for path in self._layout.files(groups, 0):
            try:
                group = _dict(self._layout.folder.document(path)) if path.lower().endswith(".json") else {}
            except CalotypeError:
                continue  # it is kept as it is, and what is wrong is said there
            chats = group.get("chats")
            for chat in [*(chats if isinstance(chats, list) else []), group.get("chat_id")]:
                if isinstance(chat, str):
                    yield chat, group

    def _body(self, here: str, path: str, beginning: Beginning, party: Party, stored: Stored | None) -> Record:
        persona = self._personas.here(beginning.avatar, beginning.user)
        who: list[Record] = [{"type": "CHARACTER", "characterId": one} for one in party.characters]
        who += [{"type": "PERSONA", "personaId": persona}] if persona is not None else []
        participants = [
            {"id": self._target.id("participant", here, str(one)), **one, "displayOrder": place, "isActive": True}
            for place, one in enumerate(who)
        ]
        members: Record = {
            "id": here,
            "participants": participants,
            "title": party.title,
            "sillyTavernMetadata": dict(beginning.header),
            "tags": [],
            "_meta": {"sillyTavernPath": shown(path)},
        }
        return self._target.fitted("chat", members, stored, beginning.moment or self._layout.moment(path))


def _of_nothing(found: Sequence[Found]) -> str:
    if not found:
        return "It is empty; there is nothing to import."
    return f"It is no chat: its first {len(found)} lines cannot be read. {found[0].place}: {found[0].problem}"


def _avatar(address: object) -> str | None:
    """Return the file name in the address of a picture of a persona."""
    if not isinstance(address, str):
        return None
    return address.rpartition("file=")[2] if "file=" in address else address.rpartition("/")[2]


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
