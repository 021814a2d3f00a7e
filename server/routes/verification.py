"""`POST /api/admin/verify`: check the store while it serves, and take over what was changed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.fsck.pace import SLOWEST
from assets.fsck.report import Wishes
from assets.fsck.scrub import Part
from metadata.errors import InvalidError

from ..responses import json_answer
from .admin import Wish, admin_operation, wish_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call, Operation

_OPTIONS = {"mode": str, "part": str, "rateBytesPerS": int, "olderThanS": int, "accept": bool}
_MODES = ("quick", "full")
_LONGEST_S = 1_000_000_000


def operations() -> list[Operation]:
    """Return the operation."""
    return [
        admin_operation(
            "verify",
            "Check files, records, references and payloads; the report is the command line's.",
            verify,
            takes="VerificationWanted",
            gives="Verification",
        )
    ]


def verify(call: Call) -> Response:
    """Check the store and answer with what was found; with dryRun nothing is written down or taken over."""
    wish = wish_of(call, _OPTIONS)
    verifier = call.store.checks.verifier
    report = verifier.run(_wishes(wish))
    if wish.flag("accept") and not wish.dry_run:
        _, report = verifier.accept(report)
    return json_answer(report.document())


def _wishes(wish: Wish) -> Wishes:
    mode, part, rate = wish.options.get("mode", "quick"), wish.options.get("part"), wish.number("rateBytesPerS")
    if mode not in _MODES:
        raise InvalidError("mode is quick or full.", field="mode")
    if rate is not None and rate < SLOWEST:
        raise InvalidError(f"rateBytesPerS is at least {SLOWEST}.", field="rateBytesPerS", limit=SLOWEST)
    older_than_s = wish.number("olderThanS")
    if older_than_s is not None and not 0 <= older_than_s <= _LONGEST_S:
        raise InvalidError(f"olderThanS is from 0 to {_LONGEST_S}.", field="olderThanS", limit=_LONGEST_S)
    return Wishes(
        full=mode == "full",
        part=Part.parse(str(part)) if part is not None else Part(),
        rate=rate,
        older_than_s=older_than_s,
        noting=not wish.dry_run,
    )
