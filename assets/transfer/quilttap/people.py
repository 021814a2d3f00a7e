"""The original's users, and which of ours each of them is.

A folder's user is, in this order: the user that the caller named; ours of the same id; ours of the same address; our
first user, if that is still as `init` made it (it takes over the profile then, for a folder has one user as a rule, and
whoever moves in is meant); a new user with the id it had. What belongs to nobody the folder knows belongs to the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError
from metadata.schemas.catalog import CATALOG
from metadata.schemas.users import ChatSettings, User

from ..report import Item, Status
from ..verdict import Verdict, judge
from .layout import document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metadata.repositories.container import Repositories

    from .layout import Layout
    from .sealed import Resealing

_STAYS = ("id", "createdAt", "updatedAt")
"""Members of our first user that it does not take from the folder's."""
_UNTOUCHED = "admin@localhost"
_FIRST = "settings/general.json"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the folder.

    Attributes:
        place: the document it was found in.
        record: its record.
        settings: its chat settings, None where it has none.
        here: the id of the user of ours that it is.
        way: `named`, `known`, `first` or `new`: why it is that one.
    """

    place: str
    record: dict[str, Any]
    settings: dict[str, Any] | None
    here: str
    way: str


class People:
    """The users of a folder.

    Args:
        layout: the folder.
        repositories: ours.
        named: the id of the user of ours to whom everything is to belong, None to find out.
        resealing: opens what was sealed for them.
        dry_run: store nothing.
    """

    def __init__(
        self, layout: Layout, repositories: Repositories, named: str | None, resealing: Resealing, *, dry_run: bool
    ) -> None:
        self._repositories = repositories
        self._resealing = resealing
        self._dry_run = dry_run
        self._first = repositories.users.ensure_first()
        self._named = named
        self.problems: list[Item] = []
        self.known: dict[str, Person] = {}
        self.main: Person | None = None
        self._read(layout)

    @property
    def default(self) -> str:
        """The id of the user of ours to whom belongs what belongs to nobody the folder knows."""
        return self.main.here if self.main is not None else self._named or self._first.id

    @property
    def first(self) -> str:
        """The id of our first user."""
        return self._first.id

    @property
    def here(self) -> set[str]:
        """The ids of all users of ours to whom something of the folder belongs."""
        return {self.default, *(person.here for person in self.known.values())}

    def owner(self, user_id: object) -> str:
        """Return the id of the user of ours that a user of the folder is."""
        person = self.known.get(str(user_id))
        return self.default if person is None else person.here

    def there(self, user_id: object) -> str:
        """Return the id under which the original sealed what belongs to this user of the folder, or to nobody."""
        if user_id is None and self.main is not None:
            return str(self.main.record["id"])
        return str(user_id)

    def bring(self) -> Iterator[Item]:
        """Store the users and their chat settings; yield what became of each."""
        yield from self.problems
        for person in self.known.values():
            try:
                yield self._brought(person)
                if person.settings is not None:
                    yield self._settled(person, person.settings)
            except CalotypeError as error:
                yield _item("user", Status.FAILED, person, why=error.message)

    def picture(self, person: Person, address: str) -> None:
        """Give a user's picture its address here, if it still has the one it had there."""
        there = person.record.get("image")
        current = self._repositories.users.find_by_id(person.here)
        if current is not None and current.image == there and not self._dry_run:
            self._repositories.users.edit(
                person.here, lambda user: user.replaced(image=address) if user.image == there else user
            )

    def _read(self, layout: Layout) -> None:
        folder = "settings/users"
        try:
            more = [f"{folder}/{name}" for name in layout.data.names(folder) if name.endswith(".json")]
        except CalotypeError as error:
            self.problems.append(Item("user", Status.FAILED, folder, why=error.message))
            more = []
        for path in (_FIRST, *more):
            found = document(layout.data, path)
            record = None if found.record is None else found.record.get("user")
            if found.problem:
                self.problems.append(Item("user", Status.FAILED, path, why=found.problem))
            elif isinstance(record, dict) and found.record is not None:
                self._take(path, record, found.record.get("chatSettings"))

    def _take(self, path: str, record: dict[str, Any], settings: object) -> None:
        try:
            user = User.from_record(record)
        except CalotypeError as error:
            self.problems.append(Item("user", Status.FAILED, path, str(record.get("id") or ""), why=error.message))
            return
        main = path == _FIRST
        here, way = self._which(user, main=main)
        person = Person(path, record, settings if isinstance(settings, dict) else None, here, way)
        self.known[user.id] = person
        self.main = person if main else self.main

    def _which(self, user: User, *, main: bool) -> tuple[str, str]:
        users = self._repositories.users
        if self._named is not None:
            return self._named, "named"
        if users.find_by_id(user.id) is not None:
            return user.id, "known"
        if (same := users.find_by_email(user.email)) is not None:
            return same.id, "known"
        if main and _untouched(self._first):
            return self._first.id, "first"
        return user.id, "new"

    def _brought(self, person: Person) -> Item:
        if person.way == "named":
            return _item("user", Status.SKIPPED, person, why="What it owns goes to the user that was named.")
        if person.way == "known":
            return _item("user", Status.SAME, person)
        profile = {name: value for name, value in person.record.items() if name != "_role"}
        body, notes = self._resealing.resealed(
            CATALOG["user"], {**profile, "id": person.here}, str(person.record["id"]), person.here
        )
        if person.way == "new":
            self._store_new(body)
            return _item("user", Status.IMPORTED, person, notes=notes)
        self._take_over(body, opened=not notes)
        return _item("user", Status.REMAPPED, person, notes=[f"It took the place of {_UNTOUCHED}.", *notes])

    def _store_new(self, body: dict[str, Any]) -> None:
        if not self._dry_run:
            self._repositories.users.import_record(body)

    def _take_over(self, body: dict[str, Any], *, opened: bool) -> None:
        # What is sealed for another id and could not be opened could never be opened here.
        left = _STAYS if opened else (*_STAYS, "totp", "backupCodes")
        profile = {name: value for name, value in body.items() if name not in left}
        if not self._dry_run:
            edited = self._repositories.users.edit(
                self._first.id, lambda user: User.from_record({**user.to_record(), **profile})
            )
            self._first = edited

    def _settled(self, person: Person, settings: dict[str, Any]) -> Item:
        repository, kind = self._repositories.chat_settings, CATALOG["chatSettings"]
        if person.way == "new":
            if not self._dry_run:
                repository.import_record({**settings, "userId": person.here})
            return _item("chatSettings", Status.IMPORTED, person, record=settings)
        ours = repository.of_user(person.here)
        body = ChatSettings.from_record({**settings, "id": ours.id, "userId": person.here}).to_record()
        verdict = judge(kind, ours.to_record(), body)
        status = Status.SAME if verdict is Verdict.SAME else Status.REMAPPED
        if verdict is Verdict.KEPT and (person.way == "named" or ours.created_at != ours.updated_at):
            return _item("chatSettings", Status.SKIPPED, person, record=settings, why="Those that are here were kept.")
        if status is Status.REMAPPED and not self._dry_run:
            repository.import_records([body], versions={ours.id: ours.version})
        return _item("chatSettings", status, person, record=settings, new_id=ours.id)


def _untouched(user: User) -> bool:
    return user.email == _UNTOUCHED and user.password_hash is None and user.name is None


def _item(
    kind: str,
    status: Status,
    person: Person,
    *,
    record: dict[str, Any] | None = None,
    new_id: str | None = None,
    why: str = "",
    notes: list[str] | None = None,
) -> Item:
    there = str((record or person.record).get("id") or "")
    here = person.here if new_id is None and record is None else new_id or ""
    name = str(person.record.get("email") or "")
    moved = here if here != there else ""
    return Item(kind, status, person.place, there, name, moved, why, tuple(notes or ()))
