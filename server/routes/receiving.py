"""Uploads: `POST /api/assets`, as a form with several files or as a body that is the file."""

from __future__ import annotations

import http
from functools import partial
from typing import TYPE_CHECKING

from assets.library import Upload
from metadata.errors import CalotypeError, InvalidError
from metadata.schemas.enums import AssetSource, AssetType

from ..errors import problem
from ..filenames import DEFAULT_NAME
from ..multipart import FormRules
from ..queries import Arguments, Form, Parameter
from ..responses import json_answer, request_id_of
from ..threads import in_thread
from ..uploads import is_form, receive_form, receive_raw
from .answers import asset_answer, status_of_all

if TYPE_CHECKING:
    from starlette.responses import Response

    from assets.blobs.base import Staged
    from assets.digest import Digest

    from ..calls import Call
    from ..multipart import FilePart
    from ..uploads import RawFile

LINKS = ("characterId", "chatId", "messageId")
EXTRA = ("generationPrompt", "generationModel")
FILE = "file"
FILENAME = Parameter("filename", "The file's name, if Content-Disposition does not give it.")
UPLOAD_FIELDS = (
    Parameter("type", "What it is used as; by default chosen from the bytes.", choices=tuple(AssetType)),
    Parameter("source", "Where it came from; upload unless given.", choices=tuple(AssetSource)),
    Parameter("tags", "An id or a name of a tag; may repeat; names are created.", Form.TEXTS),
    Parameter("characterId", "The character it belongs to."),
    Parameter("chatId", "The chat it belongs to."),
    Parameter("messageId", "The message of that chat it belongs to."),
    Parameter("generationPrompt", "What a generated picture was asked for with."),
    Parameter("generationModel", "What generated it."),
)
_NO_DECLARATION = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})
"""Types that say nothing: the one for unknown bytes, and what curl sends when nobody told it."""
_MAX_TYPE = 255


async def upload(call: Call) -> Response:
    """Take files in."""
    if is_form(call.request):
        return await _upload_form(call)
    library = call.store.assets
    received = await receive_raw(call.request, call.service.settings.max_upload_bytes, library.receive)
    try:
        stored = await in_thread(partial(library.store, received.kept, raw_upload(call, received, received.expected)))
    finally:
        received.kept.discard()
    call.service.metrics.stored(stored)
    return asset_answer(call, stored.asset, created=not stored.duplicate, duplicate=stored.duplicate)


def raw_upload(call: Call, received: RawFile[Staged], expected: Digest | None) -> Upload:
    """Return what is said of a body that is a file."""
    return _upload(
        call.user.user_id, call.arguments, received.filename or DEFAULT_NAME, received.declared_type, expected
    )


async def _upload_form(call: Call) -> Response:
    if call.arguments.given:
        name = call.arguments.given[0]
        raise InvalidError(f"With a form, {name} is a part of the form and not a query parameter.", field=name)
    settings = call.service.settings
    rules = FormRules(
        files=frozenset({FILE}),
        texts=frozenset(parameter.name for parameter in UPLOAD_FIELDS),
        max_file_bytes=settings.max_upload_bytes,
        max_parts=settings.max_form_parts,
    )
    form = await receive_form(call.request, rules, call.store.assets.receive)
    try:
        if not form.files:
            raise InvalidError("The form has no file; send one or more parts named `file`.", field=FILE)
        # Browsers send an empty text for a field that was left empty.
        texts = Arguments(((name, value) for name, value in form.texts if value), UPLOAD_FIELDS)
        items = await in_thread(partial(_store_all, call, form.files, texts))
    finally:
        await in_thread(form.discard)
    return json_answer({"items": items}, status_of_all(items))


def _store_all(call: Call, files: list[FilePart[Staged]], texts: Arguments) -> list[dict[str, object]]:
    return [_store_one(call, part, texts) for part in files]


def _store_one(call: Call, part: FilePart[Staged], texts: Arguments) -> dict[str, object]:
    try:
        if isinstance(part.outcome, CalotypeError):
            raise part.outcome
        upload = _upload(call.user.user_id, texts, part.filename, part.declared_type, part.expected)
        stored = call.store.assets.store(part.outcome, upload)
        call.service.metrics.stored(stored)
    except CalotypeError as error:
        found = problem(error, request_id=request_id_of(call.request), admin=call.user.admin)
        return {"status": found["status"], "problem": found}
    status = http.HTTPStatus.OK if stored.duplicate else http.HTTPStatus.CREATED
    return {"status": status, "asset": call.service.shown.one(stored.asset, duplicate=stored.duplicate)}


def _upload(user_id: str, said: Arguments, filename: str, declared: str, expected: Digest | None) -> Upload:
    return Upload(
        user_id=user_id,
        filename=filename,
        type=said.text("type"),
        source=said.text("source") or AssetSource.UPLOAD.value,
        tags=tuple(tag for tag in said.texts("tags") if tag),
        links={name: said.text(name) or None for name in LINKS},
        extra={name: value for name in EXTRA if (value := said.text(name)) is not None},
        declared_type=_declared(declared),
        expected=expected,
    )


def _declared(content_type: str) -> str | None:
    """Return the media type an uploader gave, None where that is nothing they thought of."""
    bare = content_type.partition(";")[0].strip().lower()[:_MAX_TYPE]
    return None if bare in _NO_DECLARATION else bare
