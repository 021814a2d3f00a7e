"""Tags: found by name whatever its letter case, made when they are first used."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ..documents.contract import Change, Record, put, remove
from ..errors import ConflictError, InvalidError, NotFoundError
from ..schemas.tags import Tag, fold_name
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


_RULE = ("userId", "nameLower")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def looks_like_an_id(value: str) -> bool:
    """Tell whether a value given for a tag is an id rather than a name."""
    return _ID.fullmatch(value) is not None


class TagsRepository(Repository[Tag]):
    """The tags of all users; a name is unique for its user."""

    model = Tag

    def _imported(self, record: Mapping[str, object]) -> Record:
        name = record.get("name")
        folded = {"nameLower": fold_name(name)} if isinstance(name, str) else {}
        return super()._imported({**folded, **record})

    def find_by_name(self, user_id: str, name: str) -> Tag | None:
        """Return a user's tag of this name, whatever its letter case; None when there is none."""
        stored = self._documents.lookup("tag", _RULE, (user_id, fold_name(name)))
        return None if stored is None else self._entity(stored)

    def ensure(self, user_id: str, names: Iterable[str]) -> list[str]:
        """Return the ids of a user's tags of these names, in order, each once; those that are missing are made."""
        return list(dict.fromkeys(self._ensure_one(user_id, name) for name in names))

    def resolve(self, user_id: str, values: Iterable[str]) -> list[str]:
        """Return ids for values that are ids already, or names of tags, which are made.

        An id that names no tag is left as it is: it may be another thing's, and if it is nothing's, whoever stores the
        reference is told so. A tag named by a mistyped id would hide the mistake.

        Raises:
            InvalidError: a name is empty.
        """
        return list(dict.fromkeys(self._resolve_one(user_id, value) for value in values))

    @contextmanager
    def resolving(self, user_id: str, values: Iterable[str]) -> Iterator[tuple[list[str], list[Change]]]:
        """Hold the gate and give what `resolve` would, and the changes that make the tags which are missing.

        They belong into the same operation as the record that carries the tags: if that is refused, none is made.

        Raises:
            InvalidError: a name is empty.
        """
        wanted = list(values)
        while True:
            exclusive = bool(self._planned(user_id, wanted)[1])
            with self._documents.guard(exclusive=exclusive):
                ids, missing = self._planned(user_id, wanted)
                if exclusive or not missing:  # else one was deleted since, and several changes need the gate whole
                    yield ids, missing
                    return

    @contextmanager
    def naming(
        self, user_id: str, names: Iterable[str], hints: Mapping[str, str] | None = None
    ) -> Iterator[tuple[dict[str, str], list[Change]]]:
        """Hold the gate whole and give a user's tags of these names, and the changes that make those that are missing.

        The tags are ids by folded name (`fold_name`). A name is a name here, even one that looks like an id. The
        changes belong into the same operation as the records that carry the tags.

        Args:
            user_id: the user.
            names: of any number of tags; the first spelling of one that is made is taken.
            hints: what was given before, by which many are found with one question.
        """
        wanted: dict[str, str] = {}
        for name in names:
            wanted.setdefault(fold_name(name), name)
        with self._documents.guard(exclusive=True):
            ids = self._confirmed(user_id, {folded: hints[folded] for folded in wanted if hints and folded in hints})
            missing: list[Change] = []
            for folded in [each for each in wanted if each not in ids]:
                found = self.find_by_name(user_id, wanted[folded])
                if found is None:
                    drafted = self._new_record({"user_id": user_id, "name": wanted[folded]})
                    missing.append(put(self.kind.name, drafted))
                    ids[folded] = str(drafted["id"])
                else:
                    ids[folded] = found.id
            yield ids, missing

    def _confirmed(self, user_id: str, hints: Mapping[str, str]) -> dict[str, str]:
        stored = self._documents.many(self.kind.name, list(hints.values()))
        found = {key: (one.body.get("userId"), one.body.get("nameLower")) for key, one in stored.items()}
        return {folded: key for folded, key in hints.items() if found.get(key) == (user_id, folded)}

    def rename(self, tag_id: str, name: str, *, if_match: str | None = None, owner: str | None = None) -> Tag:
        """Give a tag another name; everything that carries it carries the new name with it.

        Raises:
            NotFoundError: there is no such tag.
            ConflictError: its user has another tag of this name; `merge` makes one of the two.
            StaleError: `if_match` is not its version.
        """
        return self.edit(tag_id, lambda tag: tag.replaced(name=name), if_match=if_match, owner=owner)

    def merge(self, tag_id: str, into_id: str, *, owner: str | None = None) -> Tag:
        """Put one tag in place of another wherever that is carried, remove the other, and return the one that stays.

        One operation: it happens as a whole or not at all.

        Raises:
            NotFoundError: there is no such tag.
            InvalidError: they are the same, or two users'.
        """
        with self._documents.guard(exclusive=True):
            gone, kept = self.get(tag_id, owner=owner), self.get(into_id, owner=owner)
            if gone.id == kept.id or gone.user_id != kept.user_id:
                raise InvalidError("Give two different tags of one user.", field="into")
            if self._documents.retire("tag", tag_id, heir=into_id):
                return self.get(into_id)
            carriers = [by for by in self._documents.referrers("tag", tag_id) if by.field == "tags"]
            edit = partial(_retagged, tag_id, into_id)
            changes = [Change(by.kind, by.key, edit) for by in carriers]
            self._documents.apply([*changes, remove("tag", tag_id)])
            return self.get(into_id)

    def _planned(self, user_id: str, values: Iterable[str]) -> tuple[list[str], list[Change]]:
        ids: list[str] = []
        missing: dict[str, Record] = {}
        for value in values:
            known = value if looks_like_an_id(value) else self._known(user_id, value)
            if known is None:
                drafted = self._new_record({"user_id": user_id, "name": value})
                known = str(missing.setdefault(fold_name(value), drafted)["id"])
            ids.append(known)
        return list(dict.fromkeys(ids)), [put(self.kind.name, record) for record in missing.values()]

    def _known(self, user_id: str, name: str) -> str | None:
        if not name.strip():
            raise InvalidError("A tag needs a name.", field="tags")
        found = self.find_by_name(user_id, name)
        return None if found is None else found.id

    def _resolve_one(self, user_id: str, value: str) -> str:
        return value if looks_like_an_id(value) else self._ensure_one(user_id, value)

    def _ensure_one(self, user_id: str, name: str) -> str:
        known = self._known(user_id, name)
        if known is not None:
            return known
        try:
            return self.create(user_id=user_id, name=name).id
        except ConflictError:
            # Another process made it between the look and the write.
            found = self.find_by_name(user_id, name)
            if found is None:
                raise NotFoundError(f"The tag {name[:80]!r} was removed while it was being used.") from None
            return found.id


def _retagged(tag_id: str, into_id: str, record: Record | None) -> Record | None:
    if record is None or not isinstance(tags := record.get("tags"), list):
        return record
    kept = list(dict.fromkeys(into_id if tag == tag_id else tag for tag in tags))
    return {**record, "tags": kept}
