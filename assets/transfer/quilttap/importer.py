"""`calotype import quilttap`: the original application's folder into a store, item by item.

Nothing is remembered beside the store itself. Every item is judged against what is here (`verdict`), so the import can
be cut off anywhere and run again, on a store that is being served too, and a second run changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from metadata.errors import CalotypeError, FullError, NotFoundError
from metadata.schemas.catalog import CATALOG, Kind
from metadata.schemas.homes import Lines, OwnFile

from ...digest import Digest
from ..report import Item, Status
from ..sources import Found
from ..verdict import Verdict, judge
from .files import Source, sources
from .leftovers import leftovers
from .logs import Logs
from .outcomes import Ready, item_of, judge_sealed, outcome, unreadable
from .people import People
from .plan import AFTER_FILES, BEFORE_FILES, LEFT_OUT, Plan
from .sealed import Resealing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from metadata.documents.contract import Record
    from metadata.repositories.base import Repository
    from metadata.repositories.container import Repositories
    from metadata.sealing import Sealer

    from ..intake import Intake, Seen
    from .layout import Layout

_AT_ONCE = 100
"""Records of one write, where a file holds many."""
_SIGN_IN_AGAIN = "It lets somebody into the original application; here everybody signs in again."
_DELETED_HERE = "It had been deleted here since an earlier import, and is here again."
_NO_BYTES = "Its bytes are in none of the places where they could be; put the file back and run the import again."


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller decides.

    Attributes:
        user: the id of the user of ours to whom everything is to belong, None to find out.
        dry_run: only say what would be done.
        newer: what the folder has changed later than it was changed here is taken again.
    """

    user: str | None = None
    dry_run: bool = False
    newer: bool = False


class QuilttapImport:
    """One import of one folder.

    Args:
        layout: the folder.
        repositories: the store's records.
        intake: the store's payloads.
        sealer: seals with the store's master key, and has the original's pepper if it was given.
        options: what the caller decides.

    Attributes:
        count: about how many items there will be.
    """

    def __init__(
        self, layout: Layout, repositories: Repositories, intake: Intake, sealer: Sealer, options: Options
    ) -> None:
        self._layout = layout
        self._repositories = repositories
        self._intake = intake
        self._dry_run = options.dry_run
        self._newer = options.newer
        self._resealing = Resealing(sealer, dry_run=options.dry_run)
        self._people = People(layout, repositories, options.user, self._resealing, dry_run=options.dry_run)
        self._plan = Plan(layout, repositories, self._people)
        self._met: set[tuple[str, str]] = set()
        self._used: set[str] = set()
        self.count = self._plan.count + len(self._people.known)

    def run(self) -> Iterator[Item]:
        """Store everything; yield what became of each item, as it happens.

        Raises:
            FullError: there is no room; run it again when there is.
        """
        yield from self._people.bring()
        for kind in BEFORE_FILES:
            yield from self._records(CATALOG[kind])
        for source in sources(self._layout):
            yield self._file(source) if isinstance(source, Source) else unreadable("asset", source)
        for kind in AFTER_FILES:
            yield from self._records(CATALOG[kind])
        self._give_pictures()
        yield from Logs(self._layout, self._repositories.documents, self._plan, dry_run=self._dry_run).bring()
        for kind in LEFT_OUT:
            if count := sum(1 for _ in self._layout.records(kind)):
                yield Item(kind, Status.SKIPPED, _path_of(kind), why=_SIGN_IN_AGAIN, count=count)
        yield from leftovers(self._layout, self._used)

    def _records(self, kind: Kind) -> Iterator[Item]:
        found = self._layout.records(kind.name)
        size = 1 if isinstance(kind.home, OwnFile) else _AT_ONCE
        while group := list(islice(found, size)):
            # What is sealed here must not miss a rotation of the master key before it is stored.
            with self._repositories.documents.guard():
                items, ready = self._judged(kind, group)
                items.extend(self._stored(kind, ready))
            yield from items

    def _judged(self, kind: Kind, group: Iterable[Found]) -> tuple[list[Item], list[Ready]]:
        items: list[Item] = []
        ready: list[Ready] = []
        for found in group:
            if found.record is None:
                items.append(unreadable(kind.name, found))
                continue
            try:
                judged = self._judge(kind, found, found.record)
            except FullError:
                raise
            except CalotypeError as error:
                judged = item_of(kind.name, Status.FAILED, found, found.record, why=error.message)
            if isinstance(judged, Item):
                items.append(judged)
            else:
                ready.append(judged)
        return items, ready

    def _judge(self, kind: Kind, found: Found, record: dict[str, Any]) -> Ready | Item:
        if (again := self._again(kind.name, found, record)) is not None:
            return again
        target = self._plan.required(kind.name, record.get("id"))
        if self._plan.merged(kind.name, record.get("id")):
            return item_of(kind.name, Status.REMAPPED, found, record, target, "What is here already stands for it.")
        body, notes = self._plan.body(kind, record)
        body, sealed = self._resealed(kind, body, record)
        body = kind.model.from_record(body).to_record()
        stored = self._repositories.documents.get(kind.name, target)
        before = None if stored is None else stored.body
        verdict = judge_sealed(kind, before, body, newer=self._newer)
        return Ready(found, body, [*notes, *sealed], verdict, "" if stored is None else stored.version)

    def _resealed(self, kind: Kind, body: Record, record: dict[str, Any]) -> tuple[Record, list[str]]:
        if not kind.sealed:
            return body, []
        there = self._people.there(record.get(str(kind.owner)))
        return self._resealing.resealed(kind, body, there, self._people.owner(record.get(str(kind.owner))))

    def _stored(self, kind: Kind, ready: Sequence[Ready]) -> Iterator[Item]:
        repository = self._repository(kind.name)
        wanted = [one for one in ready if one.verdict in (Verdict.NEW, Verdict.RENEW)]
        versions = {str(one.body["id"]): one.version for one in wanted if one.verdict is Verdict.RENEW}
        answers: list[object] = [None] * len(wanted)
        if wanted and not self._dry_run:
            try:
                answers = list(repository.import_records([one.body for one in wanted], versions=versions))
            except FullError:
                raise
            except CalotypeError as error:
                answers = [error] * len(wanted)
        errors = {id(one): answer for one, answer in zip(wanted, answers, strict=True)}
        for one in ready:
            answer = errors.get(id(one))
            refused = answer if isinstance(answer, CalotypeError) else None
            if refused is not None:
                self._plan.lost(kind.name, (one.found.record or {}).get("id"))
            yield outcome(kind.name, one, refused)

    def _file(self, source: Source) -> Item:
        found = Found(source.place, source.record)
        if (again := self._again("asset", found, source.record)) is not None:
            return again
        try:
            return self._brought(source, found)
        except FullError:
            raise
        except CalotypeError as error:
            self._plan.lost("asset", source.record.get("id"))
            return item_of("asset", Status.FAILED, found, source.record, why=error.message)

    def _brought(self, source: Source, found: Found) -> Item:
        kind, path = CATALOG["asset"], source.bytes()
        if path is None:
            return self._known(source, found)
        self._used.add(str(path))
        name = str(source.record.get("filename") or path.name)
        seen = self._intake.look(path, name)
        body, notes, verdict, version = self._judge_file(kind, source, seen)
        if verdict is Verdict.NEW and self._repositories.documents.buried("asset", str(body["id"])) is not None:
            notes = [*notes, _DELETED_HERE]
        if verdict in (Verdict.NEW, Verdict.RENEW) and not self._dry_run:
            versions = {} if verdict is Verdict.NEW else {str(body["id"]): version}
            self._intake.take(path, name, lambda now: self._store_file(source, now, versions))
        elif not self._intake.has(seen.digest) and not self._dry_run:
            self._intake.take(path, name, lambda _: None)
            notes = [*notes, "Its record was here, and its bytes were not; they are now."]
        self._note_addresses(source, seen.digest)
        return outcome("asset", Ready(found, body, notes, verdict, version), None)

    def _known(self, source: Source, found: Found) -> Item:
        """Return the item of a file whose bytes the folder no longer has, if an earlier run brought them."""
        target = self._plan.target("asset", source.record.get("id"))
        stored = None if target is None else self._repositories.images.find_by_id(target)
        if stored is None or not self._intake.has(digest := Digest(stored.sha256)):
            raise NotFoundError(_NO_BYTES)
        self._note_addresses(source, digest)
        return item_of("asset", Status.SAME, found, source.record, stored.id)

    def _note_addresses(self, source: Source, digest: str) -> None:
        for there, here in source.addresses(digest):
            self._plan.shapes.addresses.setdefault(there, here)

    def _judge_file(self, kind: Kind, source: Source, seen: Seen) -> tuple[Record, list[str], Verdict, str]:
        self._plan.required("asset", source.record.get("id"))
        body, notes = self._plan.asset(source, seen.members())
        body = kind.model.from_record(body).to_record()
        stored = self._repositories.documents.get("asset", str(body["id"]))
        verdict = judge(kind, None if stored is None else stored.body, body, newer=self._newer)
        return body, notes, verdict, "" if stored is None else stored.version

    def _store_file(self, source: Source, seen: Seen, versions: dict[str, str]) -> None:
        body, _ = self._plan.asset(source, seen.members())  # of the bytes that are stored, should the file have changed
        (made,) = self._repositories.images.import_records([body], versions=versions)
        if isinstance(made, CalotypeError):
            raise made

    def _again(self, kind: str, found: Found, record: dict[str, Any]) -> Item | None:
        record_id = str(record.get("id"))
        if (kind, record_id) in self._met:
            return item_of(kind, Status.FAILED, found, record, why="Another record of this id came before it.")
        self._met.add((kind, record_id))
        return None

    def _give_pictures(self) -> None:
        for person in self._people.known.values():
            address = self._plan.shapes.addresses.get(str(person.record.get("image")))
            if address is not None and person.way != "named":
                self._people.picture(person, address)

    def _repository(self, kind: str) -> Repository[Any]:
        ours = self._repositories
        by_kind: dict[str, Repository[Any]] = {
            "tag": ours.tags,
            "apiKey": ours.api_keys,
            "connectionProfile": ours.connections,
            "imageProfile": ours.image_profiles,
            "character": ours.characters,
            "persona": ours.personas,
            "chat": ours.chats,
            "account": ours.accounts,
        }
        return by_kind[kind]


def _path_of(kind: str) -> str:
    home = CATALOG[kind].home
    return home.path if isinstance(home, Lines) else kind
