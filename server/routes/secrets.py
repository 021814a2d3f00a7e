"""What is handed out once or to administrators alone: the plain value of an API key, and a verification token's use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import ConflictError, NotFoundError
from metadata.sealing import Revealed

from ..bodies import JSON_TYPES, check_names, text_of
from ..calls import Access, Operation
from ..responses import json_answer
from .collections import COLLECTIONS, wires

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call


def operations() -> list[Operation]:
    """Return the operations."""
    return [
        Operation(
            method="POST",
            path="/api/api-keys/{id}/reveal",
            summary="The plain value of an API key.",
            access=Access.ADMIN,
            handle=reveal,
            gives="Revealed",
        ),
        Operation(
            method="POST",
            path="/api/verification-tokens/consume",
            summary="Use a verification token up; it works once.",
            access=Access.ADMIN,
            handle=consume,
            media=JSON_TYPES,
            takes="Consumed",
            gives="VerificationToken",
        ),
    ]


def reveal(call: Call) -> Response:
    """Answer with the plain value of an API key."""
    outcome = call.store.records.api_keys.reveal(call.id(), owner=call.owner)
    if not isinstance(outcome, Revealed):
        raise ConflictError(
            "This key cannot be opened and has to be entered again: PATCH it with `key`.", reason=outcome.reason
        )
    return json_answer({"key": outcome.text})


def consume(call: Call) -> Response:
    """Use a verification token up."""
    body = call.content()
    check_names(body, ("identifier", "token"))
    identifier, token = text_of(body, "identifier"), text_of(body, "token")
    found = call.store.records.verification_tokens.consume(identifier, token)
    if found is None:
        raise NotFoundError("There is no such verification token, it was used before, or its time is over.")
    return json_answer(wires(call, COLLECTIONS["verification-tokens"], [found])[0])
