"""Mending what a verification found: a plan that can be printed, and its execution.

Nothing that is not understood is deleted: it goes to `quarantine/` with a note. Every step looks again, under the lock
that writers hold, at what it is about to change; what is sound by then is left alone. Steps go from the outside in, so
that each finds what it stands on mended: rights, files, the index, payloads, records, references.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from metadata.checks.graph import linked, without
from metadata.documents.contract import Change
from metadata.documents.mending import cut_out, set_aside
from metadata.errors import CalotypeError, NotFoundError, UnreadableError
from metadata.files import quarantine
from metadata.files.trouble import told
from metadata.findings import Repair

from ..blobs.hashing import is_rotten
from ..digest import Digest
from .learning import learn, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from metadata.documents.contract import Documents, Record
    from metadata.documents.projection import Projection
    from metadata.documents.usage import Usage
    from metadata.findings import Finding
    from metadata.repositories.images import ImagesRepository

    from ..blobs.base import BlobStore
    from ..trash import Trash

ORDER = (
    Repair.CLOSE,
    Repair.CLEAR,
    Repair.SET_ASIDE,
    Repair.CUT_OUT,
    Repair.REINDEX,
    Repair.UNTRASH,
    Repair.QUARANTINE,
    Repair.LEARN,
    Repair.RECORD,
    Repair.RESIZE,
    Repair.LINK,
    Repair.UNLINK,
)
"""What is done first and what last."""

SAYINGS: Mapping[Repair, str] = {
    Repair.CLOSE: "take the rights of others away",
    Repair.CLEAR: "remove what a dead process left",
    Repair.SET_ASIDE: "move to quarantine/",
    Repair.CUT_OUT: "move what is damaged in it to quarantine/, keep the rest",
    Repair.REINDEX: "make the index anew",
    Repair.UNTRASH: "bring back from the trash",
    Repair.QUARANTINE: "move to quarantine/; uploading the same file again heals it",
    Repair.LEARN: "find its facts out again",
    Repair.RECORD: "make a record for each payload that has none and was not deleted, for the first user",
    Repair.RESIZE: "correct the size in the record",
    Repair.LINK: "write the other side of the link",
    Repair.UNLINK: "take the reference away, as deleting its target would have",
}
"""What each repair does, for people."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be done about one finding."""

    repair: Repair
    finding: Finding

    def document(self) -> dict[str, object]:
        """Return it as JSON."""
        found = self.finding
        return {"repair": str(self.repair), "does": SAYINGS[self.repair], "kind": found.kind, "object": found.about}


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a step: `error` says why it could not be done, empty when it was."""

    step: Step
    error: str = ""


def plan(findings: Iterable[Finding]) -> list[Step]:
    """Return what can be done about findings, in the order it should be."""
    steps: dict[tuple[Repair, object], Step] = {}
    for finding in findings:
        if finding.repair is not Repair.NONE:
            # A file is cut once, and an index made once, however much was found in it.
            about = finding.details.get("path", finding.about) if finding.repair is Repair.CUT_OUT else finding.about
            steps.setdefault(
                (finding.repair, "" if finding.repair is Repair.REINDEX else about), Step(finding.repair, finding)
            )
    return sorted(steps.values(), key=lambda step: ORDER.index(step.repair))


class Repairer:
    """Executes a plan.

    Args:
        documents: the records.
        projection: their index.
        blobs: the payloads.
        shards: the payloads' locks.
        images: makes records.
        trash: where missing payloads may be.
        usage: which payloads are used.
        clear_uploads: removes what dead processes left in `uploads/`.
    """

    def __init__(
        self,
        documents: Documents,
        projection: Projection,
        blobs: BlobStore,
        shards: Callable[[int], AbstractContextManager[object]],
        images: ImagesRepository,
        trash: Trash,
        usage: Usage,
        clear_uploads: Callable[[], object],
    ) -> None:
        self._documents = documents
        self._projection = projection
        self._engine = projection.engine
        self._blobs = blobs
        self._shards = shards
        self._images = images
        self._usage = usage
        self._clear_uploads = clear_uploads
        self._does: Mapping[Repair, Callable[[Finding], object]] = {
            Repair.CLOSE: self._close,
            Repair.CLEAR: self._clear,
            Repair.SET_ASIDE: self._set_aside,
            Repair.CUT_OUT: lambda found: cut_out(projection, str(found.details["path"])),
            Repair.REINDEX: lambda _: projection.rebuild(),
            Repair.UNTRASH: self._of_payload(trash.take_back),
            Repair.QUARANTINE: self._of_payload(self._quarantine),
            Repair.RECORD: self._record,
            Repair.RESIZE: self._resize,
            Repair.LINK: self._link,
            Repair.UNLINK: self._unlink,
        }

    def execute(self, steps: Iterable[Step], told: Callable[[Done], None] = lambda _: None) -> list[Done]:
        """Do the steps; one that cannot be done hinders no other.

        Args:
            steps: what to do.
            told: called after each.
        """
        done = []
        for learns, group in groupby(steps, key=lambda step: step.repair is Repair.LEARN):
            for one in self._learn(list(group)) if learns else map(self._do, group):
                done.append(one)
                told(one)
        return done

    def _do(self, step: Step) -> Done:
        try:
            self._does[step.repair](step.finding)
        except CalotypeError as error:
            return Done(step, error.message)
        return Done(step)

    def _learn(self, steps: list[Step]) -> Iterator[Done]:
        """Learn the facts of many payloads, those of one shard in one write: all of them may have been lost."""
        by_digest = {Digest(step.finding.about): step for step in steps}
        for digests in _by_shard(by_digest):
            try:
                with self._documents.guard(), self._shards(digests[0].shard):
                    errors = learn(self._documents, self._blobs, digests)
            except CalotypeError as error:
                errors = [error.message] * len(digests)
            yield from (Done(by_digest[digest], error) for digest, error in zip(digests, errors, strict=True))

    def _of_payload(self, act: Callable[[Digest], object]) -> Callable[[Finding], object]:
        """Return what acts on the payload that a finding names, while nobody else can."""

        def locked(finding: Finding) -> None:
            digest = Digest(finding.about)
            # Gone since, with its record or to quarantine: then there is nothing left to do.
            with suppress(NotFoundError), self._documents.guard(), self._shards(digest.shard):
                act(digest)

        return locked

    def _close(self, finding: Finding) -> None:
        path = self._engine.paths.resolve(finding.about)
        with told(finding.about, "closed to others"):
            self._engine.fs.chmod(path, int(finding.details["mode"]))

    def _clear(self, finding: Finding) -> None:
        if finding.about.startswith("uploads/"):
            self._clear_uploads()
        else:
            self._engine.remove(finding.about)

    def _set_aside(self, finding: Finding) -> None:
        if finding.kind == "document-damaged":
            set_aside(self._projection, finding.about)
        else:
            quarantine.move(self._engine, finding.about, finding.evidence)

    def _quarantine(self, digest: Digest) -> None:
        if is_rotten(self._blobs, digest):
            self._blobs.set_aside(digest)
            self._engine.epochs.tell([digest.shard])  # its record stays, so no change to the index says so

    def _record(self, finding: Finding) -> None:
        deleted = self._usage.deleted()
        errors: list[str] = []
        for digests in _by_shard(digest for digest in self._blobs.scan() if digest not in deleted):
            with self._documents.guard(), self._shards(digests[0].shard):
                errors += record(self._documents, self._blobs, self._images, digests)
        failed = [error for error in errors if error]
        if failed:
            raise UnreadableError(f"{len(failed)} payloads got no record: {failed[0]}", path=finding.about)

    def _resize(self, finding: Finding) -> None:
        digest, key = Digest(str(finding.details["sha256"])), str(finding.details["key"])

        def edit(body: Record | None) -> Record | None:
            same = body is not None and body.get("sha256") == digest
            return {**body, "size": size} if body is not None and same else body

        with self._documents.guard(), self._shards(digest.shard):
            size = self._blobs.stat(digest).size
            self._documents.apply([Change("asset", key, edit, trusting=True)])

    def _link(self, finding: Finding) -> None:
        self._edit(finding, linked)

    def _unlink(self, finding: Finding) -> None:
        self._edit(finding, without)

    def _edit(self, finding: Finding, change: Callable[[Record, str, str, str], Record]) -> None:
        said = finding.details
        kind, key, field, target = (str(said[name]) for name in ("recordKind", "key", "field", "target"))

        def edit(body: Record | None) -> Record | None:
            return None if body is None else change(body, kind, field, target)

        self._documents.apply([Change(kind, key, partial(edit), trusting=True)])


def _by_shard(digests: Iterable[Digest]) -> Iterator[list[Digest]]:
    """Yield the digests, those of one shard together."""
    for _, members in groupby(sorted(digests), key=lambda digest: digest.shard):
        yield list(members)
