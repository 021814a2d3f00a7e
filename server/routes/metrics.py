"""What Prometheus asks: `GET /metrics`, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from metadata.index.query import Query

from ..calls import Access, Operation, Strictness
from ..metrics import CONTENT_TYPE
from ..responses import JSON_POLICY

if TYPE_CHECKING:
    from ..calls import Call


def operations() -> list[Operation]:
    """Return the operation."""
    return [
        Operation(
            method="GET",
            path="/metrics",
            summary="Counters and levels in Prometheus' text format, for all workers together.",
            access=Access.ADMIN,
            handle=answer,
            unknown=Strictness.IGNORE,
            answers=((200, "Metrics."),),
        )
    ]


def answer(call: Call) -> Response:
    """Answer with what was counted, and with how much is stored."""
    documents, last, prints = call.store.documents, call.store.gc.last, call.store.prints.ledger.read()
    levels = {
        "payloads": ("Payloads stored.", documents.find("fact", Query(limit=1)).total),
        "payload_bytes": ("Bytes of payloads stored.", documents.total("fact", "size")),
        "assets": ("Asset records.", documents.find("asset", Query(limit=1)).total),
        "missing_payloads": ("Recorded payloads that were asked for and not there.", call.store.assets.missing),
        "gc_blocked": ("1 when something keeps the timer from collecting garbage.", float(bool(last.blocked))),
        "gc_last_seconds": ("When garbage was last collected or tried to, unix seconds; 0 for never.", last.moment),
        "findings": ("Damaged or altered files and lines found.", len(documents.health().findings)),
    }
    levels |= {
        "derived_pictures": ("Derived pictures kept.", prints.files),
        "derived_bytes": ("Bytes of derived pictures kept.", prints.size),
        "derived_computed_total": ("Derived pictures made.", prints.computed),
        "derived_refused_total": ("Derived pictures that could not be made.", prints.refused),
        "derived_evicted_total": ("Derived pictures that had to make room.", prints.evicted),
        "decoders_killed_total": ("Decoding processes that a picture, or the machine, ended.", prints.killed),
        "decoder_peak_bytes": ("The most memory a decoding process had.", prints.peak_bytes),
    }
    fields = {"Cache-Control": "no-store", "Content-Security-Policy": JSON_POLICY}
    return Response(call.service.metrics.text(levels), 200, fields, CONTENT_TYPE)
