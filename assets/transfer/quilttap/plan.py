"""What becomes of every record of a folder, found out before anything is stored: ids, owners, references.

The folder is read twice, once for this and once for the import, so that nothing of it but ids stays in memory.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError, InvalidError
from metadata.schemas.catalog import CATALOG, Kind
from metadata.schemas.tags import fold_name

from ..rewriting import rewritten
from ..verdict import derived_id, is_same_record
from .files import Source, sources
from .shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metadata.documents.contract import Record, Stored
    from metadata.repositories.container import Repositories

    from .layout import Layout
    from .people import People

BEFORE_FILES = ("tag", "apiKey", "connectionProfile", "imageProfile")
AFTER_FILES = ("character", "persona", "chat", "account")
_NOT_BELIEVED = {"sha256": "0" * 64, "size": 0, "mimeType": "", "relativePath": "", "width": None, "height": None}
"""What the bytes will tell, so that a wrong record of it is no reason to refuse a file."""
LEFT_OUT = ("session", "verificationToken")
"""They let people into the original application; here everybody signs in again."""


class Plan:
    """Where everything goes.

    Args:
        layout: the folder.
        repositories: ours.
        people: whose things are whose.

    Attributes:
        count: how many records, files and logs there are, damaged ones included.
        shapes: what single kinds need beside their references.
    """

    def __init__(self, layout: Layout, repositories: Repositories, people: People) -> None:
        self._layout = layout
        self._repositories = repositories
        self._people = people
        self._targets: dict[tuple[str, str], str] = {}
        self._merged: set[tuple[str, str]] = set()
        self._tags: dict[tuple[str, str], str] = {}
        self._refused: dict[tuple[str, str], CalotypeError] = {}
        self._chats_of: dict[str, str] = {}
        self.count = 0
        self.shapes = Shapes(repositories)
        self._prepare()

    def target(self, kind: str, record_id: object) -> str | None:
        """Return the id here of a record of the folder, None when it does not come here."""
        return self._targets.get((kind, str(record_id)))

    def merged(self, kind: str, record_id: object) -> bool:
        """Tell whether a record of ours stands for one of the folder's."""
        return (kind, str(record_id)) in self._merged

    def required(self, kind: str, record_id: object) -> str:
        """Return the id here of a record of the folder.

        Raises:
            CalotypeError: it does not come here, and why.
        """
        if (target := self.target(kind, record_id)) is not None:
            return target
        late = InvalidError("It came into the folder while the import was running; run it again.")
        raise self._refused.get((kind, str(record_id)), late)

    def lost(self, kind: str, record_id: object) -> None:
        """Note that a record did not come here after all, so that what refers to it is told."""
        self._targets.pop((kind, str(record_id)), None)

    def resolve(self, kinds: Sequence[str], record_id: str) -> str | None:
        """Return the id here of what an id of the folder names, None when that is nothing.

        What an earlier run brought and the folder no longer has is still there.
        """
        for kind in kinds:
            if (target := self.target(kind, record_id)) is not None:
                return target
        return next((record_id for kind in kinds if self._ours(kind, record_id)), None)

    def body(self, kind: Kind, record: dict[str, Any]) -> tuple[Record, list[str]]:
        """Return a record as it is to be stored, and what had to be changed, a sentence each."""
        body, notes = rewritten(kind, self._owned(kind, record), self.resolve)
        body["id"] = self.target(kind.name, record.get("id"))
        return self.shapes.fitted(kind.name, body, notes)

    def asset(self, source: Source, members: Record) -> tuple[Record, list[str]]:
        """Return an asset's record as it is to be stored, and what had to be changed, a sentence each.

        Args:
            source: the file.
            members: what its bytes told.
        """
        kind, notes = CATALOG["asset"], []
        record = {**source.record, "width": None, "height": None, **members}
        for member, label in (("sha256", "hash"), ("size", "size")):
            if source.record.get(member) not in (None, members[member]):
                notes.append(f"The recorded {label} was not that of the bytes.")
        if source.linked:
            self._link(record, source.linked, notes)
        body, cleared = rewritten(kind, self._owned(kind, record), self.resolve)
        body["id"] = self.target("asset", source.record.get("id"))
        self._settle_message(body, record, notes)
        return body, notes + cleared

    def _prepare(self) -> None:
        for kind in chain(BEFORE_FILES, AFTER_FILES):
            for found in self._layout.records(kind):
                self.count += 1
                if found.record is not None:
                    self._place(CATALOG[kind], found.record)
        wanted: set[str] = set()
        for source in sources(self._layout):
            self.count += 1
            if isinstance(source, Source):
                self._place_file(source)
                wanted.update(map(str, (source.record.get("messageId"), *source.linked)))
        self._find_messages({one for one in wanted if not self._is_known(one)})
        self.shapes.relate(self._layout, self.resolve)

    def _place(self, kind: Kind, record: dict[str, Any]) -> None:
        record_id = record.get("id")
        if not isinstance(record_id, str) or (kind.name, record_id) in self._targets:
            return
        body = self._owned(kind, record)
        if kind.name == "chat":
            body, _ = self.shapes.fitted("chat", {**body, "id": record_id}, [])
        try:
            kind.model.from_record(body)
            self._targets[kind.name, record_id] = self._find_place(kind, body, record_id)
        except CalotypeError as error:
            self._refused[kind.name, record_id] = error

    def _find_place(self, kind: Kind, body: Record, record_id: str) -> str:
        owner = str(body.get(str(kind.owner)) or "")
        derived = derived_id(kind.name, owner, record_id)
        stored = [self._stored(kind.name, candidate) for candidate in (record_id, derived)]
        known = next((one for one in stored if one is not None and is_same_record(kind, one.body, body)), None)
        if known is None and (holder := self._holder(kind.name, body, owner)) is not None:
            self._merged.add((kind.name, record_id))
            return holder
        target = known.key if known is not None else record_id if stored[0] is None else derived
        if kind.name == "tag":
            self._tags[owner, fold_name(str(body["name"]))] = target
        return target

    def _holder(self, kind: str, body: Record, owner: str) -> str | None:
        """Return the id of what stands here for a record with the same unique value."""
        if kind == "tag":
            found = self._repositories.tags.find_by_name(owner, str(body["name"]))
            return found.id if found is not None else self._tags.get((owner, fold_name(str(body["name"]))))
        if kind == "account":
            account = self._repositories.accounts.find_by_provider(
                str(body["provider"]), str(body["providerAccountId"])
            )
            return account.id if account is not None and account.user_id == owner else None
        return None

    def _place_file(self, source: Source) -> None:
        record_id = source.record.get("id")
        if not isinstance(record_id, str) or ("asset", record_id) in self._targets:
            return
        kind = CATALOG["asset"]
        try:
            kind.model.from_record(source.record | _NOT_BELIEVED)
            target = self._find_place(kind, self._owned(kind, source.record), record_id)
            if source.bytes() is not None or self._stored("asset", target) is not None:
                self._targets["asset", record_id] = target
        except CalotypeError as error:
            self._refused["asset", record_id] = error

    def _owned(self, kind: Kind, record: dict[str, Any]) -> Record:
        if kind.owner is None:
            return dict(record)
        owner = self._people.owner(record.get(kind.owner))
        if kind.name == "apiKey":  # without an owner it is the first user's
            body = {name: value for name, value in record.items() if name != kind.owner}
            return body if owner == self._people.first else {**body, kind.owner: owner}
        return {**record, kind.owner: owner}

    def _ours(self, kind: str, record_id: str) -> bool:
        try:
            stored = self._stored(kind, record_id)
        except CalotypeError:
            return True  # it is there and cannot be read
        owner = CATALOG[kind].owner
        return stored is not None and (owner is None or str(stored.body.get(owner)) in self._people.here)

    def _stored(self, kind: str, record_id: str) -> Stored | None:
        return self._repositories.documents.get(kind, record_id) if record_id.isascii() else None

    def _is_known(self, record_id: str) -> bool:
        return any((kind, record_id) in self._targets for kind in ("character", "persona", "chat"))

    def _find_messages(self, wanted: set[str]) -> None:
        """Find the chats of the messages that files belong to: an id of a message says nothing by itself."""
        try:
            logs = self._layout.logs()
        except CalotypeError:
            return  # the import meets it again, and says so
        self.count += len(logs)
        for chat_id in logs if wanted - {"None"} else ():
            for found in self._layout.log(chat_id):
                if found.record is not None and (event := str(found.record.get("id"))) in wanted:
                    self._chats_of.setdefault(event, chat_id)

    def _settle_message(self, body: Record, record: dict[str, Any], notes: list[str]) -> None:
        message = record.get("messageId")
        if message is None:
            return
        chat = self._chats_of.get(str(message))
        if chat is None or self.resolve(["chat"], chat) is None:
            body["messageId"] = None
            notes.append(f"messageId named {message}, which is not there, and was left out.")
        elif body.get("chatId") is None:
            body["chatId"] = self.resolve(["chat"], chat)

    def _link(self, record: dict[str, Any], linked: Sequence[str], notes: list[str]) -> None:
        """Turn the later generation's list of links into members, and what has none into tags that name it."""
        tags, types = list(record.get("tags") or []), dict(record.get("_tagTypes") or {})
        for one in linked:
            kind = next((kind for kind in ("character", "chat", "persona") if self.resolve([kind], one)), None)
            if one in self._chats_of:
                record.setdefault("messageId", one)
            elif kind in ("character", "chat") and record.get(f"{kind}Id") is None:
                record[f"{kind}Id"] = one
            elif kind is not None:
                tags.append(one)
                types[one] = kind.upper()
            else:
                notes.append(f"linkedTo named {one}, which is not there, and was left out.")
        record["tags"] = list(dict.fromkeys(tags))
        if types:
            record["_tagTypes"] = types
