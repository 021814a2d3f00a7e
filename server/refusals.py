"""A refused delete, as far as the caller may know of what is in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.belonging import belonging_to
from metadata.documents.contract import Referrer
from metadata.errors import ConflictError, UnreadableError
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from metadata.documents.contract import Documents


def narrowed(error: ConflictError, documents: Documents, owner: str) -> ConflictError:
    """Return the refusal with only the referrers of one user, and how many `others` there are.

    An error that lists no referrers is returned as it is.
    """
    listed = error.details.get("referrers")
    if not isinstance(listed, list):
        return error
    known = [Referrer(str(by["kind"]), str(by["id"]), str(by["field"]), _owner(documents, by)) for by in listed]
    seen = {(by.kind, by.key, by.field) for by in belonging_to(documents, known, owner)}
    kept = [by for by in listed if (by["kind"], by["id"], by["field"]) in seen]
    if len(kept) == len(listed):
        return error
    count = error.details.get("count")
    others = (count if isinstance(count, int) else len(listed)) - len(kept)
    detail = f"{error.message} {others} of these places cannot be shown to you."
    return ConflictError(detail, **{**error.details, "referrers": kept, "others": others})


def _owner(documents: Documents, by: dict[str, object]) -> str:
    try:
        found = documents.get(str(by["kind"]), str(by["id"]))
    except UnreadableError:
        return ""  # whose it is cannot be known, so it is counted only
    member = CATALOG[str(by["kind"])].owner
    return "" if found is None or member is None else str(found.body.get(member, ""))
