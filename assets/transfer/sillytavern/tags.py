"""Tags: those of the settings, and one for every folder whose files have no better place here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import CalotypeError, FullError
from metadata.schemas.tags import fold_name

from ..report import Item, Status
from .moments import moment_of
from .target import why_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metadata.documents.contract import Record

    from .settings import Tag
    from .target import Target


class Tags:
    """The tags of the user.

    Args:
        target: to whom they go.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._records = target.repositories.tags
        self._here: dict[str, str] = {}

    def bring(self, tags: Sequence[Tag], place: str) -> Iterator[Item]:
        """Store the tags of the settings; yield what became of each."""
        for tag in tags:
            try:
                status, here = self._brought(tag)
            except FullError:
                raise
            except CalotypeError as error:
                yield Item("tag", Status.FAILED, place, tag.id, tag.name, why=error.message)
                continue
            known = self._target.stored("tag", here)
            self._here[tag.id] = tag.name if known is None else str(known.body["name"])
            yield Item("tag", status, place, tag.id, tag.name, new_id=here, why=why_of(status))

    def names(self, ids: Sequence[str]) -> list[str]:
        """Return the names here of tags of the settings, each once; what is none is left out."""
        return list(dict.fromkeys(self._here[one] for one in ids if one in self._here))

    def of_folder(self, name: str) -> str | None:
        """Return the id of the tag for a folder's files, None when there is none yet."""
        stored = self._target.stored("tag", self._target.id("folder", name))
        if stored is not None:
            return stored.key
        known = self._records.find_by_name(self._target.owner, name)
        return None if known is None else known.id

    def make_of_folder(self, name: str) -> None:
        """Make the tag for a folder's files when there is none.

        Raises:
            CalotypeError: it cannot be stored.
        """
        if self.of_folder(name) is None:
            members = _members(self._target.id("folder", name), name)
            self._target.put(self._records, self._target.fitted("tag", members, None, None), None)

    def _brought(self, tag: Tag) -> tuple[Status, str]:
        here = self._target.id("tag", tag.id)
        stored = self._target.stored("tag", here)
        holder = self._records.find_by_name(self._target.owner, tag.name)
        if stored is None and holder is not None:
            return Status.SAME, holder.id
        kept = {name: value for name, value in tag.members.items() if name not in ("id", "name")}
        meta = {"_meta": {"sillyTavern": kept}} if kept else {}
        created = moment_of(tag.members.get("create_date"))
        body = self._target.fitted("tag", {**_members(here, tag.name), **meta}, stored, created)
        return self._target.settle("tag", self._records, body, stored), here


def _members(here: str, name: str) -> Record:
    return {"id": here, "name": name, "nameLower": fold_name(name)}
