"""What operators ask: is it alive, is it ready, how much is in it; and compaction."""

from __future__ import annotations

import http
from collections import Counter
from typing import TYPE_CHECKING

from assets.fsck.verifying import last_summary
from metadata.errors import CalotypeError, FullError
from metadata.findings import SORTS, Weight
from metadata.index.query import Query

from ..calls import Access, Operation, Strictness
from ..responses import json_answer
from .admin import admin_operation, wish_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call

_COUNTED = ("asset", "fact", "tag", "user", "accessToken", "character", "persona", "chat", "imageProfile")
_LISTED = 100
_REASONS = {
    "rot": "Lines that cannot be read stand among sound ones; run `calotype verify`.",
    "tail": "The end of a log was damaged and set aside in quarantine/.",
    "altered": "Records were changed by hand; `calotype verify --accept` takes them over.",
}


def operations() -> list[Operation]:
    """Return the operators' operations."""
    return [
        Operation(
            method="GET",
            path="/healthz",
            summary="Whether the process answers.",
            access=Access.OPEN,
            stream=health,
            gives="Health",
            unknown=Strictness.IGNORE,
        ),
        Operation(
            method="GET",
            path="/readyz",
            summary="Whether the store can be read and written, and what is wrong with it.",
            access=Access.OPEN,
            handle=ready,
            gives="Readiness",
            unknown=Strictness.IGNORE,
            answers=((200, "It can; `status` is ready or degraded."), (503, "It cannot.")),
        ),
        Operation(
            method="GET",
            path="/api/stats",
            summary="How much is stored.",
            access=Access.ADMIN,
            handle=stats,
            gives="Statistics",
        ),
        admin_operation(
            "compact",
            "Rewrite the logs to one line a live record.",
            compact,
            takes="CompactionWanted",
            gives="Compaction",
        ),
    ]


async def health(call: Call) -> Response:
    """Answer that the process is up."""
    del call
    return json_answer({"status": "ok"})


def ready(call: Call) -> Response:
    """Answer whether the store is ready, and what is wrong."""
    failures, reasons = _blocking_reasons(call), []
    if not failures:
        reasons = _degraded_reasons(call)
    status = "unavailable" if failures else "degraded" if reasons else "ready"
    body = {"status": status, "reasons": failures + reasons}
    return json_answer(body, http.HTTPStatus.SERVICE_UNAVAILABLE if failures else http.HTTPStatus.OK)


def stats(call: Call) -> Response:
    """Answer with counts and sizes."""
    documents = call.store.documents
    counts = {kind: documents.find(kind, Query(limit=1)).total for kind in _COUNTED}
    health = documents.health()
    return json_answer(
        {
            "storeId": call.store.folder.store_id,
            "records": {kind: counts[kind] for kind in _COUNTED if kind != "fact"},
            "payloads": counts["fact"],
            "payloadBytes": documents.total("fact", "size"),
            "recordedBytes": documents.total("asset", "size"),
            "missingPayloads": call.store.assets.missing,
            "findings": len(health.findings),
            "unfinished": health.unfinished,
        }
    )


def compact(call: Call) -> Response:
    """Rewrite the logs, or say that they would be."""
    dry_run = wish_of(call).dry_run
    saved = None if dry_run else call.store.documents.compact()
    return json_answer({"dryRun": dry_run, "bytesSaved": saved})


def _blocking_reasons(call: Call) -> list[dict[str, object]]:
    """Return why the store cannot be used: it cannot be read, or nothing can be written to it."""
    try:
        call.store.documents.total("fact", "size")
        with call.store.assets.receive() as staging:
            staging.write(b"ready?")
    except FullError as error:
        return [] if "setting" in error.details else [_reason(call, "full", error)]
    except CalotypeError as error:
        return [_reason(call, error.kind, error)]
    return []


def _degraded_reasons(call: Call) -> list[dict[str, object]]:
    store = call.store
    reasons: list[dict[str, object]] = []
    if missing := store.assets.missing:
        detail = "Recorded payloads were asked for and are not there; restore them from a backup."
        reasons.append({"reason": "missing-payloads", "count": missing, "detail": detail})
    found = store.documents.health()
    for problem, count in sorted(Counter(str(finding.get("problem")) for finding in found.findings).items()):
        reason: dict[str, object] = {"reason": problem, "count": count}
        reason["detail"] = _REASONS.get(problem, "Files cannot be read; run `calotype verify`.")
        if call.caller is not None and call.caller.admin:
            matching = [dict(finding) for finding in found.findings if str(finding.get("problem")) == problem]
            reason["findings"] = matching[:_LISTED]
        reasons.append(reason)
    if found.unfinished:
        detail = "Operations over several files wait to be finished; any process does so within a minute."
        reasons.append({"reason": "unfinished", "count": found.unfinished, "detail": detail})
    return reasons + _verified_reasons(call) + _collection_reasons(call) + _room_reasons(call)


def _verified_reasons(call: Call) -> list[dict[str, object]]:
    """Return that the last verification found damage."""
    last = last_summary(call.store.engine)
    if last is None or last.get("sound"):
        return []
    damage = {kind: n for kind, n in last["counts"].items() if kind in SORTS and SORTS[kind].weight is Weight.DAMAGE}
    detail = f"The verification of {last.get('at')} found damage; `calotype repair` shows what can be done."
    reason: dict[str, object] = {"reason": "damage", "count": sum(damage.values()), "detail": detail}
    return [reason | ({"findings": [damage]} if call.caller is not None and call.caller.admin else {})]


def _collection_reasons(call: Call) -> list[dict[str, object]]:
    """Return what kept the timer from collecting garbage."""
    blocked = call.store.gc.last.blocked
    if not blocked:
        return []
    admin = call.caller is not None and call.caller.admin
    detail = blocked if admin else "Garbage is not collected; an administrator reads here why."
    return [{"reason": "gc-blocked", "detail": detail}]


def _room_reasons(call: Call) -> list[dict[str, object]]:
    try:
        call.store.assets.receive().discard()
    except FullError as error:
        return [_reason(call, "full", error)]
    return []


def _reason(call: Call, name: str, error: CalotypeError) -> dict[str, object]:
    admin = call.caller is not None and call.caller.admin
    return {"reason": name, "detail": error.message} if admin else {"reason": name}
