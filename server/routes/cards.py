"""Character cards: `POST /api/import/cards` and `GET /api/characters/{id}/export`."""

from __future__ import annotations

import http
import os
import tempfile
import weakref
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from typing import TYPE_CHECKING, BinaryIO, cast

from assets.blobs.window import Window
from assets.cards.errors import DamagedCardError, NotACardError
from assets.library import Upload
from assets.transfer.cards.exporting import CardFile, Form, Spec
from assets.transfer.cards.offers import StagedOffer
from assets.transfer.report import Status
from metadata.errors import CalotypeError, FullError, InternalError, InvalidError, TooLargeError
from metadata.files.trouble import told

from ..calls import Access, Operation
from ..conditional import EntityTag, field_of, not_modified
from ..errors import problem
from ..filenames import DEFAULT_NAME, safe_name
from ..importing import card_export_of, card_import_of
from ..multipart import FormRules
from ..payloads import Payload, payload_answer
from ..queries import Form as Flags
from ..queries import Parameter
from ..responses import json_answer, request_id_of
from ..threads import in_thread
from ..uploads import is_form, receive_form, receive_raw
from .answers import status_of_all
from .receiving import FILE, FILENAME, raw_upload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.responses import Response

    from assets.blobs.base import Staged
    from assets.digest import Digest
    from assets.transfer.cards.outcomes import Outcome
    from metadata.files.filesystem import FileSystem

    from ..calls import Call
    from ..uploads import RawFile

FORM = Parameter("format", "What kind of file: png unless given.", choices=tuple(Form))
SPEC = Parameter(
    "spec", "Which specification a JSON follows, v3 unless given; a PNG has both, a CHARX is v3.", choices=("v2", "v3")
)
OTHERS = Parameter(
    "others", "1 stores a body that cannot be read as a card as an asset, as `POST /api/assets` does.", Flags.FLAG
)
_OTHERS = (NotACardError, DamagedCardError, TooLargeError)
"""How the import says that a file is no card, or none that can be read."""
_STATUSES = {Status.IMPORTED: http.HTTPStatus.CREATED, Status.SAME: http.HTTPStatus.OK}


def operations() -> list[Operation]:
    """Return the operations on cards."""
    return [
        Operation(
            method="POST",
            path="/api/import/cards",
            summary="Make characters of cards: the body is one, or a form with several.",
            access=Access.WRITE,
            stream=receive,
            gives="CardsImported",
            parameters=(FILENAME, OTHERS),
            answers=((201, "Something new was made."), (200, "The caller had them already.")),
        ),
        Operation(
            method="GET",
            path="/api/characters/{id}/export",
            summary="A character as a card.",
            access=Access.READ,
            stream=export,
            parameters=(FORM, SPEC),
            answers=((200, "The bytes."), (206, "The ranges asked for."), (304, "The caller's copy is current.")),
        ),
    ]


async def receive(call: Call) -> Response:
    """Take cards in; one that is no card, or damaged, fails by itself."""
    if not is_form(call.request):
        received = await receive_raw(call.request, call.service.settings.max_upload_bytes, call.store.assets.receive)
        try:
            file = _File(received.filename or DEFAULT_NAME, received.kept, received.expected)
            other = partial(_stored, call, received) if call.arguments.flag(OTHERS.name) else None
            items = await in_thread(partial(_import, call, [file], other))
        finally:
            await in_thread(received.kept.discard)
        return json_answer({"items": items}, status_of_all(items))
    return await _receive_form(call)


async def _receive_form(call: Call) -> Response:
    if call.arguments.given:
        name = call.arguments.given[0]
        raise InvalidError(f"With a form, files have their own names and all are cards; leave {name} out.", field=name)
    settings = call.service.settings
    rules = FormRules(
        files=frozenset({FILE}),
        texts=frozenset(),
        max_file_bytes=settings.max_upload_bytes,
        max_parts=settings.max_form_parts,
    )
    form = await receive_form(call.request, rules, call.store.assets.receive)
    try:
        if not form.files:
            raise InvalidError("The form has no file; send one or more parts named `file`.", field=FILE)
        files = [_File(part.filename, part.outcome, part.expected) for part in form.files]
        items = await in_thread(partial(_import, call, files))
    finally:
        await in_thread(form.discard)
    return json_answer({"items": items}, status_of_all(items))


def _stored(call: Call, received: RawFile[Staged], outcome: Outcome) -> dict[str, object]:
    """Store as an asset what is no card, or none that can be read, which is told."""
    stored = call.store.assets.store(received.kept, raw_upload(call, received, received.expected))
    call.service.metrics.stored(stored)
    asset = call.service.shown.one(stored.asset, duplicate=stored.duplicate)
    status = http.HTTPStatus.OK if stored.duplicate else http.HTTPStatus.CREATED
    error = outcome.error
    notes = [] if error is None or isinstance(error, NotACardError) else [error.message]
    return {
        "status": status,
        "outcome": "stored",
        "filename": stored.asset.filename,
        "notes": notes,
        "asset": asset,
    }


@dataclass(frozen=True, slots=True)
class _File:
    """A file that came: its name, its bytes or why there are none, and the digest that was announced."""

    name: str
    kept: Staged | CalotypeError
    expected: Digest | None

    def offer(self) -> StagedOffer | CalotypeError:
        """Return it as what may be a card."""
        if isinstance(self.kept, CalotypeError):
            return self.kept
        try:
            Upload(user_id="", filename=self.name, expected=self.expected).check(self.kept.digest, self.kept.size)
        except CalotypeError as error:
            return error
        return StagedOffer(self.kept, self.name)


def _import(
    call: Call, files: Sequence[_File], other: Callable[[Outcome], dict[str, object]] | None = None
) -> list[dict[str, object]]:
    offered = [(file.name, file.offer()) for file in files]
    offers = [offer for _, offer in offered if isinstance(offer, StagedOffer)]
    told: list[dict[str, object]] = []
    full: FullError | None = None
    try:
        outcomes = card_import_of(call.store, call.user.user_id).run(offers)
        told.extend(other(one) if other and isinstance(one.error, _OTHERS) else _item(call, one) for one in outcomes)
    except FullError as error:
        full = error
    told += [_failed(call, one.name, full) for one in offers[len(told) :]]
    rest = iter(told)
    return [_failed(call, name, offer) if isinstance(offer, CalotypeError) else next(rest) for name, offer in offered]


def _item(call: Call, outcome: Outcome) -> dict[str, object]:
    if outcome.error is not None:
        return _failed(call, outcome.offer.name, outcome.error, outcome.name)
    return {
        "status": _STATUSES[outcome.status],
        "outcome": outcome.status.value,
        "filename": outcome.offer.name,
        "name": outcome.name,
        "characterId": outcome.character_id,
        "notes": list(outcome.notes),
    }


def _failed(call: Call, filename: str, error: CalotypeError | None, name: str = "") -> dict[str, object]:
    if error is None:
        raise InternalError("An import ended before its last file.")
    found = problem(error, request_id=request_id_of(call.request), admin=call.user.admin)
    named = {"name": name} if name else {}
    return {"status": found["status"], "outcome": "failed", "filename": filename, **named, "problem": found}


async def export(call: Call) -> Response:
    """Answer with a character as a card; what is made for it waits in a file without a name."""
    card = await in_thread(partial(_card, call))
    tag = EntityTag(card.tag)
    if not_modified(field_of(call.request.headers, "if-none-match"), tag):
        return payload_answer(call.request.headers, _payload(card, None))
    # Pictures may have to be converted, for which all wait in the same place.
    written = await call.service.studio.make(call.request, lambda _: _Written(call, card))
    return payload_answer(call.request.headers, _payload(card, written))


def _card(call: Call) -> CardFile:
    character = call.store.records.characters.get(call.id(), owner=call.owner)
    form = Form(call.arguments.text(FORM.name) or Form.PNG)
    return card_export_of(call.store).file(character, form, cast("Spec | None", call.arguments.text(SPEC.name)))


def _payload(card: CardFile, written: _Written | None) -> Payload:
    stem = safe_name(card.name)
    return Payload(
        size=0 if written is None else written.size,
        media_type=card.form.media_type,
        etag=card.tag,
        open=_nothing if written is None else written.open,
        filename=stem,
        public=False,
        cache="no-cache",
    )


def _nothing(start: int, end: int) -> BinaryIO:
    raise InternalError(f"Bytes {start} to {end} of an answer without bytes.")


class _Written:
    """A card that was written into a file without a name, which goes with the last that reads it.

    Attributes:
        size: bytes.
    """

    def __init__(self, call: Call, card: CardFile) -> None:
        self._fs: FileSystem = call.store.engine.fs
        cache = call.store.settings.cache_dir or call.store.engine.paths.resolve("cache")
        with told("cache", "written"):
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=cache) as file:
                card.write(cast("BinaryIO", file))
                self.size = file.seek(0, os.SEEK_END)
                file.flush()
                self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)

    def open(self, start: int, end: int) -> BinaryIO:
        """Open a range of it."""
        return BufferedReader(Window(self._fs, os.dup(self._descriptor), start, end))
