"""Why a payload is kept or not, in words: everything that is known of one hash."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from metadata.errors import NotFoundError

from .planning import still_young

if TYPE_CHECKING:
    from metadata.documents.contract import Referrer

    from ..digest import Digest
    from .data import Trashed
    from .premises import Premises


@dataclass(frozen=True, slots=True)
class Use:
    """Something that uses a payload.

    Attributes:
        kind: `asset` for a record that names it; else the kind of the record that refers to one of those or mentions
            the hash.
        key: that record's id, after its chat's id and a slash if it is a message.
        how: `names`, `mention`, or the field by which it refers to the asset `of`.
        of: the id of the asset referred to; empty otherwise.
        name: the file name of a record that names the payload; empty otherwise.
        owner: the user whose record it is; empty where it has none.
    """

    kind: str
    key: str
    how: str
    of: str = ""
    name: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """Everything about a payload.

    Attributes:
        size: bytes; None when it is not stored.
        wanted: the timestamp of its last upload; empty when unknown.
        uses: what names, refers to or mentions it.
        deleted: ids of deleted records that named it and can be restored, and when they went.
        trash: where it is in the trash.
        verdict: a sentence.
    """

    sha256: str
    size: int | None
    wanted: str
    uses: tuple[Use, ...]
    deleted: tuple[tuple[str, str], ...]
    trash: tuple[Trashed, ...]
    verdict: str

    def document(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "sha256": self.sha256,
            "size": self.size,
            "wantedAt": self.wanted or None,
            "uses": [asdict(use) for use in self.uses],
            "deleted": [{"id": key, "deletedAt": when} for key, when in self.deleted],
            "trash": [asdict(one) for one in self.trash],
            "verdict": self.verdict,
        }


def why(premises: Premises, digest: Digest, grace_s: int) -> Why:
    """Return what is known of a payload, after bringing the index in step with every file.

    Raises:
        UnreadableError: a folder cannot be listed.
    """
    usage = premises.disposal.usage
    problems = usage.catch_up()
    records = premises.images.find_by_sha256(digest)
    uses = [Use("asset", one.id, "names", name=one.filename, owner=one.user_id) for one in records]
    for one in records:
        uses += [_use(by, one.id) for by in premises.documents.referrers("asset", one.id)]
    uses += [_use(by, "") for by in premises.documents.mentions(digest)]
    fact = premises.facts.find_by_id(digest)
    wanted = "" if fact is None else fact.last_upload_at or fact.first_stored_at or ""
    found = Why(
        digest,
        _size(premises, digest),
        wanted,
        tuple(uses),
        tuple(usage.buried(digest)),
        tuple(premises.trashed(entry) for entry in premises.disposal.trash.of(digest)),
        "",
    )
    verdict = _verdict(found, young=still_young(wanted, grace_s, premises.clock.now()), grace_s=grace_s)
    if digest in usage.shadowed():
        verdict += " A second record of some id, or bytes in quarantine, hold its hash; what they name stays."
    if problems:
        verdict += f" Nothing is removed at the moment: {problems[0].path} is {problems[0].problem}."
    return Why(found.sha256, found.size, found.wanted, found.uses, found.deleted, found.trash, verdict)


def _verdict(found: Why, *, young: bool, grace_s: int) -> str:
    named = sum(use.how == "names" for use in found.uses)
    mentioned = sum(use.how == "mention" for use in found.uses)
    reasons = [f"{named:,} record(s) name it"] * bool(named) + [f"{mentioned:,} record(s) mention it"] * bool(mentioned)
    if reasons:
        where = "It is kept" if found.size is not None else "Its bytes are in the trash, and come back when asked for"
        lost = "Its bytes are missing; upload the file again or restore a backup" if not found.trash else where
        return f"{where if found.size is not None else lost}: {' and '.join(reasons)}."
    if found.size is not None:
        later = f"It was last wanted less than {grace_s} s ago, so it is left alone for now" if young else ""
        return f"Nothing uses it. {later or 'The next garbage collection moves it to the trash'}."
    if found.trash:
        until = found.trash[-1].until
        return f"Nothing uses it. It is in the trash until {until}; `calotype trash restore` brings it back."
    return "There is no such payload, and nothing asks for it."


def _use(by: Referrer, of: str) -> Use:
    return Use(by.kind, by.key, by.field, of=of, owner=by.owner)


def _size(premises: Premises, digest: Digest) -> int | None:
    try:
        return premises.blobs.stat(digest).size
    except NotFoundError:
        return None
