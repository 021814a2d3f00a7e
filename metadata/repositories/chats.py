"""Chats (`chats/index.jsonl`), in both shapes of their data; their events are `MessagesRepository`'s.

The first shape names one character, persona and connection; the later one lists participants. Questions are answered
over both, and `participants` shows either as the later one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConflictError, InvalidError, NotFoundError
from ..schemas.chats import Chat, Participant
from ..schemas.enums import ParticipantType
from .tagged import TaggedRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_WHOM = {"CHARACTER": "characterId", "PERSONA": "personaId"}
"""Which member says for whom a participant of a type stands."""
_FIRST_SHAPE = ("character_id", "persona_id", "connection_profile_id", "image_profile_id")


class ChatsRepository(TaggedRepository[Chat]):
    """The chats of all users."""

    model = Chat

    def find_by_character_id(self, character_id: str, *, owner: str | None = None) -> list[Chat]:
        """Return every chat that a character is in, oldest first."""
        return self._in_both("characterId", character_id, owner)

    def find_by_persona_id(self, persona_id: str, *, owner: str | None = None) -> list[Chat]:
        """Return every chat that a persona is in, oldest first."""
        return self._in_both("personaId", persona_id, owner)

    def participants(self, chat: Chat) -> list[Participant]:
        """Return who is in a chat, in the order of display; of the first shape the character, then the persona.

        Those of the first shape have the ids of the character and the persona they stand for.
        """
        return participants_of(chat)

    def add_participant(
        self, chat_id: str, *, if_match: str | None = None, owner: str | None = None, **fields: object
    ) -> Chat:
        """Let a character or a persona join a chat, last in its list; one of the first shape becomes one of the later.

        Args:
            chat_id: the chat.
            if_match: only this version of the chat.
            owner: only this user's chat.
            fields: the participant's members; its id is set here, its place is the last one unless given.

        Raises:
            NotFoundError: there is no such chat.
            StaleError: `if_match` is not its version.
            InvalidError: the members are wrong, or refer to something absent.
        """
        given = _named(fields, ()) | {"id": self._ids.new()}

        def change(chat: Chat) -> Chat:
            present = self._as_list(chat)
            last = max((who.display_order for who in present), default=-1)
            new = {"displayOrder": last + 1, **given}
            grown = chat.replaced(participants=[*present, new], **dict.fromkeys(_FIRST_SHAPE))
            _check_whom(new)
            return grown

        return self.edit(chat_id, change, if_match=if_match, owner=owner)

    def edit_participant(
        self,
        chat_id: str,
        participant_id: str,
        *,
        if_match: str | None = None,
        owner: str | None = None,
        **fields: object,
    ) -> Chat:
        """Change a participant's members; None takes a value away.

        Raises:
            NotFoundError: there is no such chat or participant.
            StaleError, InvalidError: as `add_participant`.
        """

        def change(chat: Chat) -> Chat:
            present = self._as_list(chat)
            place = next((n for n, who in enumerate(present) if who.id == participant_id), None)
            if place is None:
                raise NotFoundError(f"Nobody of the id {participant_id[:80]} is in this chat.", object=participant_id)
            before = present[place].model_dump(by_alias=True)
            given = _named(fields, before)
            after = {name: value for name, value in (before | given).items() if value is not None}
            changed = [*present[:place], after, *present[place + 1 :]]
            edited = chat.replaced(participants=changed, **dict.fromkeys(_FIRST_SHAPE))
            if given.keys() & {"type", *_WHOM.values()}:  # what the original left may stay as it is
                _check_whom(after)
            return edited

        return self.edit(chat_id, change, if_match=if_match, owner=owner)

    def remove_participant(
        self, chat_id: str, participant_id: str, *, if_match: str | None = None, owner: str | None = None
    ) -> Chat:
        """Let somebody leave a chat; one who is not there is no error.

        Raises:
            NotFoundError: there is no such chat.
            StaleError: `if_match` is not its version.
            ConflictError: it is the last one.
        """

        def change(chat: Chat) -> Chat:
            present = self._as_list(chat)
            kept = [who for who in present if who.id != participant_id]
            if len(kept) == len(present):
                return chat
            if not kept:
                raise ConflictError("The last participant cannot leave a chat; delete the chat.", existing=chat_id)
            return chat.replaced(participants=kept, **dict.fromkeys(_FIRST_SHAPE))

        return self.edit(chat_id, change, if_match=if_match, owner=owner)

    def _as_list(self, chat: Chat) -> list[Participant]:
        return list(_of_first_shape(chat)) if chat.participants is None else list(chat.participants)

    def _in_both(self, member: str, record_id: str, owner: str | None) -> list[Chat]:
        found = {
            chat.id: chat
            for field in (member, f"participants.{member}")
            for chat in self.walk({field: [record_id]}, owner=owner)
        }
        return sorted(found.values(), key=lambda chat: (chat.created_at, chat.id))


def participants_of(chat: Chat) -> list[Participant]:
    """Return who is in a chat of either shape, as `ChatsRepository.participants` does."""
    if chat.participants is None:
        return list(_of_first_shape(chat))
    return sorted(chat.participants, key=lambda who: who.display_order)


def _named(fields: Mapping[str, object], stored: Iterable[str]) -> dict[str, object]:
    """Return a participant's members by their names on disk, without the id, which callers do not set.

    Args:
        fields: what is given; any name that no schema knows must be among `stored`.
        stored: the names that the participant has.
    """
    names = dict(Participant.members())
    given = {names.get(name, name): value for name, value in fields.items() if name != "id"}
    for name in given:
        if name not in {*names.values(), *stored}:
            raise InvalidError(f"A participant has no field {name!r}.", field=f"participants.{name}")
    return given


def _check_whom(participant: Mapping[str, object]) -> None:
    """Return when a participant says whom it stands for; of a type that is none, the schema tells."""
    wanted = _WHOM.get(str(participant.get("type")))
    if wanted is not None and participant.get(wanted) is None:
        raise InvalidError(
            f"A participant of type {participant['type']} has to have a {wanted}.", field=f"participants.{wanted}"
        )


def _of_first_shape(chat: Chat) -> Iterator[Participant]:
    if chat.character_id is not None:
        yield Participant(
            id=chat.character_id,
            type=ParticipantType.CHARACTER,
            character_id=chat.character_id,
            connection_profile_id=chat.connection_profile_id,
            image_profile_id=chat.image_profile_id,
        )
    if chat.persona_id is not None:
        yield Participant(id=chat.persona_id, type=ParticipantType.PERSONA, persona_id=chat.persona_id, display_order=1)
