"""The collections under `/api` that are served alike: what each holds, who may, and what its answers add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from metadata.repositories.chats import participants_of
from metadata.schemas.chats import Chat
from metadata.schemas.profiles import ApiKey

from ..avatars import Avatars
from ..calls import Access
from ..shapes import AVATAR, MEMBERS, NEEDS_REENTRY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metadata.repositories.base import Repository
    from metadata.repositories.container import Repositories
    from metadata.schemas.base import Entity

    from ..calls import Call
    from ..members import Members


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection.

    Attributes:
        name: the segment of its addresses.
        members: what bodies may hold.
        reading: who may read one record.
        listing: who may read lists.
        making: who may make and delete records.
        writing: who may change a record.
        addressed: records have addresses of their own.
        member: the repository's name in the container, if it is not the collection's.
        cascading: the parameter that makes DELETE go on is `cascade`, and takes along all that the record owns.
    """

    name: str
    members: Members
    reading: Access = Access.READ
    listing: Access = Access.READ
    making: Access = Access.WRITE
    writing: Access = Access.WRITE
    addressed: bool = True
    member: str = ""
    cascading: bool = False

    @property
    def pictured(self) -> bool:
        """Whether records have a picture."""
        return AVATAR in self.members.derived

    @property
    def large(self) -> frozenset[str]:
        """The members that items of lists leave out: long texts and free JSON, which may be any size."""
        kind = self.members.kind
        texts = {name for name, _ in kind.searched if name not in kind.filters}
        free = {"_meta", "sillyTavernData", "sillyTavernMetadata", "parameters"}
        return frozenset(name.removeprefix("_") for name in (texts | free) & set(kind.members))

    def repository(self, records: Repositories) -> Repository[Any]:
        """Return where its records are."""
        return cast("Repository[Any]", getattr(records, self.member or self.name.replace("-", "_")))


def _collection(kind: str, **more: Any) -> Collection:  # noqa: ANN401 - the fields of `Collection`
    return Collection(name=str(MEMBERS[kind].kind.collection), members=MEMBERS[kind], **more)


_ADMIN = dict.fromkeys(("reading", "listing", "making", "writing"), Access.ADMIN)
COLLECTIONS = {
    collection.name: collection
    for collection in (
        _collection("character"),
        _collection("persona"),
        _collection("chat"),
        _collection("tag"),
        _collection("imageProfile"),
        _collection("connectionProfile", member="connections"),
        _collection("apiKey"),
        _collection("user", listing=Access.ADMIN, making=Access.ADMIN, cascading=True),
        _collection("account", **_ADMIN),
        _collection("session", **_ADMIN),
        _collection("verificationToken", addressed=False, **_ADMIN),
    )
}
"""Every collection by its name."""


def wires(call: Call, collection: Collection, entities: Sequence[Entity]) -> list[dict[str, object]]:
    """Return records as answers, with what is derived from other records; as many questions for many as for one."""
    answers = [collection.members.shown(entity) for entity in entities]
    avatars = Avatars(call.store.documents, call.service.base)
    if collection.pictured:
        for answer, picture in zip(answers, avatars.wires([avatars.look(one) for one in entities]), strict=True):
            answer[AVATAR] = picture
    if collection.name == "chats":
        _add_pictures(answers, avatars, [one for one in entities if isinstance(one, Chat)])
    if collection.name == "api-keys":
        for answer, key in zip(answers, entities, strict=True):
            reason = call.store.records.api_keys.needs_reentry(key) if isinstance(key, ApiKey) else None
            answer[NEEDS_REENTRY] = reason
    return answers


def _add_pictures(answers: Sequence[dict[str, object]], avatars: Avatars, chats: Sequence[Chat]) -> None:
    """Put the picture of everybody in chats into the chats' answers."""
    looks = avatars.of_participants({chat.id: chat.participants or participants_of(chat) for chat in chats})
    found = iter(avatars.wires([look for chat in chats for look in looks[chat.id]]))
    for answer, chat in zip(answers, chats, strict=True):
        present = answer["participants"]
        pictures = [next(found) for _ in looks[chat.id]]
        if isinstance(present, list):
            answer["participants"] = [{**who, AVATAR: picture} for who, picture in zip(present, pictures, strict=True)]
