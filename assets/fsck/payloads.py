"""Payloads, their facts and the records that name them: does each have the others, and do they agree?

Everything is looked at without locks first. What looks wrong is looked at again with the lock of its shard held, as
uploads, deletes and collections hold it, so that nobody's half-done work is ever reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from metadata.documents.usage import LIST, MISSED_FROM, MISSED_SHARE
from metadata.errors import CalotypeError, NotFoundError, UnreadableError
from metadata.findings import Finding, Repair

from ..blobs.hashing import hash_of
from ..digest import Digest, is_digest
from ..trash import TRASH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from metadata.documents.contract import Documents, Record, Stored
    from metadata.documents.usage import Usage

    from ..blobs.base import BlobStore
    from ..trash import Trash

T = TypeVar("T")

AT_ONCE = 500
"""Payloads whose facts are asked for at once."""


class PayloadChecks:
    """Compares payloads, facts and records.

    Args:
        documents: the records.
        blobs: the payloads.
        shards: the payloads' locks, by the first byte of their digests.
        trash: where missing payloads may be.
        usage: which payloads are used.
        listed: tells whether the list of assets holds anything at all.
    """

    def __init__(
        self,
        documents: Documents,
        blobs: BlobStore,
        shards: Callable[[int], AbstractContextManager[object]],
        trash: Trash,
        usage: Usage,
        listed: Callable[[], bool],
    ) -> None:
        self._documents = documents
        self._blobs = blobs
        self._shards = shards
        self._trash = trash
        self._usage = usage
        self._listed = listed
        self._told: set[str] = set()
        self._unrecorded: set[str] = set()
        self.count = 0

    def findings(self) -> Iterator[Finding]:
        """Yield what does not fit together; `count` is then how many payloads there are."""
        self._told.clear()
        self._unrecorded.clear()
        digests = sorted(self._blobs.scan())
        self.count = len(digests)
        for chunk in chunks(digests):
            yield from self._stored(chunk)
        yield from self._lost(digests)
        if entries := self._trash.entries():
            yield Finding("trashed", TRASH, f"It holds {len(entries)} payloads.", details={"count": len(entries)})
        for records in chunks(self._documents.scan("asset")):
            yield from self._recorded(records)

    def again(self, digest: Digest, check: Callable[[Digest], T]) -> T:
        """Look at a payload while nobody can change it."""
        with self._documents.guard(), self._shards(digest.shard):
            return check(digest)

    def rotten(self, digest: Digest, evidence: str = "") -> Finding | None:
        """Hash a payload whose shard is locked; return what is wrong with it, None when it is sound or gone."""
        try:
            actual = hash_of(self._blobs, digest)
        except NotFoundError:
            return None
        except UnreadableError as error:
            return Finding("payload-unreadable", digest, error.message)
        if actual == digest:
            return None
        return Finding("payload-rotten", digest, f"{evidence}Its bytes hash to {actual}.", Repair.QUARANTINE)

    def _lost(self, digests: list[Digest]) -> Iterator[Finding]:
        """Tell of a list of assets that is gone, or was, and began anew with the next upload."""
        # An upload puts its payload in place first and its record second, with the shard's lock held all the while.
        if digests and not self._listed() and self.again(digests[0], self._unlisted):
            evidence = f"It is gone or empty, and {len(digests)} payloads are stored."
            repair = Repair.RECORD if self._owned() else Repair.NONE
            yield Finding("records-lost", LIST, evidence, repair)
            return
        least = max(MISSED_FROM, int(MISSED_SHARE * len(digests)) + 1)
        missed = self._missed()
        if len(missed) >= least and len(missed := [one for one in missed if self.again(one, self._unused)]) >= least:
            evidence = f"{len(missed)} of {len(digests)} payloads are in no record, and it tells of no deletion."
            yield Finding("records-missing", LIST, evidence, Repair.RECORD if self._owned() else Repair.NONE)

    def _missed(self) -> list[Digest]:
        """Return the payloads that nothing uses, though no record of theirs was deleted."""
        loose = {one.sha256 for one in self._usage.unnamed() if not one.mentioned} | self._unrecorded
        # What a hand wrote into the facts may be no hash; the check of lines tells of it.
        return [Digest(sha256) for sha256 in loose - self._usage.deleted() if is_digest(sha256)]

    def _unused(self, digest: Digest) -> bool:
        return self._size(digest) is not None and not self._documents.is_live(digest)

    def _owned(self) -> bool:
        """Tell whether there is a user to whom records can be given."""
        try:
            return self._documents.first("user") is not None
        except UnreadableError:
            return False

    def _unlisted(self, digest: Digest) -> bool:
        return self._size(digest) is not None and not self._listed()

    def _stored(self, digests: list[Digest]) -> Iterator[Finding]:
        facts = self._documents.many("fact", digests)
        for digest in digests:
            fact = facts.get(digest)
            try:
                size = self._blobs.stat(digest).size
            except NotFoundError:
                continue  # gone since, or a folder without a payload, which is a stray
            except UnreadableError as error:
                yield Finding("payload-unreadable", digest, error.message)
                continue
            if fact is None or fact.body.get("size") != size or fact.body.get("rottenAt"):
                found = self.again(digest, self._against_facts)
                if found is not None:
                    self._told.add(digest)
                    yield found

    def _against_facts(self, digest: Digest) -> Finding | None:
        size = self._size(digest)
        if size is None:
            return None
        try:
            fact = self._documents.get("fact", digest)
        except UnreadableError:
            return None  # a damaged line, which is told of as such
        if fact is None:
            if self._documents.is_live(digest):
                return self.rotten(digest) or Finding("facts-missing", digest, "Nothing is known of it.", Repair.LEARN)
            self._unrecorded.add(digest)
            return Finding("payload-unrecorded", digest, f"Its {size} bytes are stored and nothing names them.")
        said = fact.body.get("size")
        rotten = self.rotten(digest, "" if said == size else f"It has {size} bytes, not {said}. ")
        if rotten is None and said != size:
            return Finding("facts-wrong", digest, f"It has {size} bytes, its facts say {said}.", Repair.LEARN)
        return rotten

    def _recorded(self, assets: list[Stored]) -> Iterator[Finding]:
        for asset in assets:
            digest = Digest(str(asset.body["sha256"]))
            size = self._size(digest)
            if size is None or size != asset.body.get("size"):
                found = self.again(digest, lambda digest, key=asset.key: self._against_record(digest, key))  # type: ignore[misc] # mypy does not see through a default
                if found is not None:
                    yield found

    def _against_record(self, digest: Digest, key: str) -> Finding | None:
        try:
            asset = self._documents.get("asset", key)
        except UnreadableError:
            return None
        if asset is None or asset.body.get("sha256") != digest:
            return None
        size, said = self._size(digest), asset.body.get("size")
        if size is None:
            return self._missing(digest, key, asset.body)
        if size == said or digest in self._told:
            return None
        rotten = self.rotten(digest, f"It has {size} bytes, not {said}. ")
        if rotten is not None:
            self._told.add(digest)
            return rotten
        details = {"sha256": str(digest), "key": key, "size": size}
        return Finding("size-wrong", f"asset {key}", f"It says {said} bytes; they are {size}.", Repair.RESIZE, details)

    def _missing(self, digest: Digest, key: str, body: Record) -> Finding | None:
        place = str(body.get("relativePath"))
        if place != f"binaries/{digest}/raw":
            return Finding("payload-elsewhere", f"asset {key}", f"Its bytes are in {place} of another application.")
        if digest in self._told:
            return None
        self._told.add(digest)
        size = body.get("size")
        if any(self._trash.size(entry) == size for entry in self._trash.of(digest)):
            return Finding("payload-missing", digest, f"asset {key} names it; it is in the trash.", Repair.UNTRASH)
        return Finding("payload-missing", digest, f"asset {key} names it; its bytes are not there.")

    def _size(self, digest: Digest) -> int | None:
        try:
            return self._blobs.stat(digest).size
        except CalotypeError:  # absent; or refused, which is told where payloads are gone through
            return None


def chunks(items: Iterable[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """Yield the items in lists of this many."""
    held: list[T] = []
    for item in items:
        held.append(item)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held
