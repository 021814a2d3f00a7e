"""Files of the folder as assets: every byte hashed here, one record for each path and content.

The id of a record follows from the path and the hash, so a file that is the same comes once, one that was changed there
comes beside what came before, and files of two folders that have one path do not take each other's place.
"""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError, FullError, InvalidError

from ...digest import digest_of
from ..report import Item, Status
from ..verdict import Verdict
from .layout import shown
from .target import DELETED_HERE, STATUSES, why_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metadata.documents.contract import Record, Stored

    from ..intake import Intake, Seen
    from .layout import Layout
    from .tags import Tags
    from .target import Target

_LINKS = ("characterId", "chatId", "messageId")


@dataclass(frozen=True, slots=True)
class Use:
    """What a file is for.

    Attributes:
        type: image, avatar or chat_file; empty: what its bytes say.
        folder: the name of the tag it gets, empty for none.
        character: the id here of the character it shows.
        links: `chatId` and `messageId`, where it came with a message.
        meta: further members for the application.
    """

    type: str = ""
    folder: str = ""
    character: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is an asset now, or would be.

    Attributes:
        item: what became of it, None when that was said before.
        id: the asset's, empty where there is none.
        sha256: of its bytes.
        why: the reason why there is none.
    """

    item: Item | None
    id: str = ""
    sha256: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes of the folder.

    Attributes:
        path: where they were found.
        name: what they are called.
        use: what they are for.
        created: when they came into being, None where that cannot be found out.
    """

    path: str
    name: str
    use: Use
    created: str | None


class Keeper:
    """Takes files in, each once.

    Args:
        layout: the folder.
        target: to whom they go.
        intake: the store's payloads.
        tags: the user's tags.
    """

    def __init__(self, layout: Layout, target: Target, intake: Intake, tags: Tags) -> None:
        self._layout = layout
        self._target = target
        self._intake = intake
        self._tags = tags
        self._taken: dict[str, Kept] = {}

    def has(self, path: str) -> bool:
        """Tell whether a file was taken in, or tried to be, in this run."""
        return path in self._taken

    def note(self, path: str) -> None:
        """Remember that a file of the folder was dealt with elsewhere."""
        self._taken.setdefault(path, Kept(None))

    def keep(self, path: str, use: Use) -> Kept:
        """Take a file in; again in the same run says what became of it the first time.

        Args:
            path: below the folder.
            use: what it is for.

        Raises:
            FullError: there is no room.
        """
        if path in self._taken:
            return self._taken[path]
        kept = self._told(path, use)
        self._taken[path] = replace(kept, item=None)
        return kept

    def keep_bytes(self, content: bytes, source: Source) -> Kept:
        """Take bytes in that are in no file of their own.

        Raises:
            FullError: there is no room.
            CalotypeError: they cannot be stored.
        """
        digest = digest_of(content)
        here = self._id(source, digest)
        stored = self._target.stored("asset", here)
        if not self._target.dry_run and (stored is None or not self._intake.has(digest)):
            if stored is None and source.use.folder:
                self._tags.make_of_folder(source.use.folder)
            staged = self._intake.stage(io.BytesIO(content), source.name)
            self._intake.keep([(staged, source.name, {})], lambda seen: self._write_new(here, source, seen))
        status = Status.IMPORTED if stored is None else Status.SAME
        return Kept(Item("asset", status, shown(source.path), name=source.name, new_id=here), here, str(digest))

    def _told(self, path: str, use: Use) -> Kept:
        source = Source(path, PurePosixPath(shown(path)).name, use, self._layout.moment(path))
        try:
            return self._kept(source)
        except FullError:
            raise
        except CalotypeError as error:
            item = Item("asset", Status.FAILED, shown(path), name=source.name, why=error.message)
            return Kept(item, why=error.message)

    def _kept(self, source: Source) -> Kept:
        file = self._layout.file(source.path)
        seen = self._intake.look(file, source.name)
        here, notes = self._id(source, seen.digest), []
        stored = self._target.stored("asset", here)
        verdict = self._target.judged("asset", self._body(here, source, seen, stored), stored)
        if verdict is Verdict.NEW and self._target.repositories.documents.buried("asset", here) is not None:
            notes.append(DELETED_HERE)
        if verdict in (Verdict.NEW, Verdict.RENEW) and not self._target.dry_run:
            if source.use.folder:
                self._tags.make_of_folder(source.use.folder)
            self._intake.take(file, source.name, lambda now: self._write(here, source, now, stored))
        elif not self._target.dry_run and not self._intake.has(seen.digest):
            self._intake.take(file, source.name, lambda _: None)
            notes.append("Its record was here, and its bytes were not; they are now.")
        status, place = STATUSES[verdict], shown(source.path)
        item = Item("asset", status, place, name=source.name, new_id=here, why=why_of(status), notes=tuple(notes))
        return Kept(item, here, str(seen.digest))

    def _write_new(self, here: str, source: Source, seen: Sequence[Seen]) -> None:
        if self._target.stored("asset", here) is None:
            self._write(here, source, seen[0], None)

    def _write(self, here: str, source: Source, seen: Seen, stored: Stored | None) -> None:
        if self._id(source, seen.digest) != here:
            raise InvalidError("It was changed while it was read; run the import again.")
        body = self._body(here, source, seen, stored)
        self._target.put(self._target.repositories.images, body, stored)

    def _body(self, here: str, source: Source, seen: Seen, stored: Stored | None) -> Record:
        use = source.use
        picture = str(seen.facts["mediaType"]).startswith("image/")
        tag = self._tags.of_folder(use.folder) if use.folder else None
        links: Record = {"characterId": use.character, **use.links}
        if stored is not None:  # another chat may come to name it first; the link it has stays
            links |= {name: stored.body[name] for name in _LINKS if stored.body.get(name)}
        members: Record = {
            "id": here,
            "type": use.type or ("image" if picture else "chat_file"),
            "filename": source.name,
            "source": "import",
            "tags": [one for one in (tag, use.character) if one is not None],
            **{name: value for name, value in links.items() if value is not None},
            **({"_tagTypes": {use.character: "CHARACTER"}} if use.character else {}),
            "_meta": {"sillyTavernPath": shown(source.path), **use.meta},
            **seen.members(),
        }
        return self._target.fitted("asset", members, stored, source.created)

    def _id(self, source: Source, digest: str) -> str:
        return self._target.id("asset", unicodedata.normalize("NFC", source.path), digest)
