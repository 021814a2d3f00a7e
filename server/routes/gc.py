"""`POST /api/admin/gc`: collect garbage, or say what a collection would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import InvalidError

from ..responses import json_answer
from .admin import admin_operation, wish_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call, Operation

OLDER_THAN_S = 30 * 86_400
"""The age from which records that nothing refers to go, where only `unreferenced` is asked for: 30 days."""

_OPTIONS = {"force": bool, "unreferenced": bool, "graceS": int, "olderThanS": int}


def operations() -> list[Operation]:
    """Return the operations on garbage."""
    return [
        admin_operation(
            "gc",
            "Move payloads that nothing uses to the trash, and empty what was there for long enough.",
            collect,
            takes="CollectionWanted",
            gives="Collected",
        )
    ]


def collect(call: Call) -> Response:
    """Answer with the plan, and with what was done unless it was a dry run."""
    wish, gc = wish_of(call, _OPTIONS), call.store.gc
    older_than_s = wish.number("olderThanS")
    if older_than_s is not None and not wish.flag("unreferenced"):
        raise InvalidError("olderThanS says which records go; it needs `unreferenced`.", field="olderThanS")
    if wish.flag("unreferenced") and older_than_s is None:
        older_than_s = OLDER_THAN_S
    plan = gc.plan(grace_s=wish.number("graceS"), older_than_s=older_than_s)
    done = None if wish.dry_run else gc.execute(plan, force=wish.flag("force")).document()
    return json_answer({"dryRun": wish.dry_run, "plan": plan.document(), "done": done})
