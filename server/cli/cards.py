"""`calotype import cards` and `calotype export card`: character cards into a data folder, and out of it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from assets.transfer.cards.exporting import CardFile, Form, Spec
from assets.transfer.cards.finding import offers_in
from assets.transfer.report import Report
from metadata.errors import InvalidError

from ..filenames import safe_name
from ..importing import card_export_of, card_import_of
from .carrying import carry_out, keep_apart, user_id
from .download import save_with
from .options import AsJson, DataDir
from .output import Output, size_of
from .places import open_folder

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Cards (PNG, WebP, JPEG, JSON, CHARX), and folders of them.")
]
User = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose the characters are to be. [default: first user]")
]
CharacterId = Annotated[str, typer.Argument(metavar="ID", help="The character's id.")]
Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write there; - is stdout. [default: the name, here]"),
]
FormOf = Annotated[Form, typer.Option("--format", help="What kind of file.")]
SpecOf = Annotated[
    Spec | None, typer.Option("--spec", help="Which specification a JSON follows; a PNG has both. [default: v3]")
]


def cards(paths: Paths, *, user: User = None, data_dir: DataDir = None, as_json: AsJson = False) -> int:
    """Import character cards, each as a character with its picture, tags, lorebook and assets.

    Every file is kept byte for byte. A card that is here already is known by its hash and left alone; one that is
    damaged is reported and hinders no other. Cut off, run it again; a server may go on running on the folder.
    """
    output = Output(as_json=as_json)
    for path in paths:
        if path.is_dir():
            keep_apart(path, data_dir)
    offers = list(offers_in(paths))
    with open_folder(data_dir, output, create=True) as store:
        work = card_import_of(store.inside, user_id(store, user) or store.inside.owner.id)
        return carry_out((one.item() for one in work.run(offers)), len(offers), Report(), output)


def card(
    character: CharacterId,
    *,
    target: Target = None,
    form: FormOf = Form.PNG,
    spec: SpecOf = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Export a character as a card that other programs read, with what was edited here.

    A PNG has the card as V2 and as V3; a CHARX brings the card's assets along. FILE appears whole or not at all.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        found = card_export_of(store.inside).file(store.characters.get(character), form, spec)
        if target is not None and str(target) == "-":
            _to_stdout(found)
            return
        path = target or _unused(Path(safe_name(found.name)))
        size = save_with(path, lambda file: _written(found, file))
    if as_json:
        output.document({"id": character, "path": str(path), "size": size, "format": form.value})
    else:
        output.note(f"{path}: {size_of(size)}")


def _unused(path: Path) -> Path:
    if path.exists():
        raise InvalidError(f"{path} is there already. Name another file with --output.", field="output")
    return path


def _written(card: CardFile, file: BinaryIO) -> int:
    card.write(file)
    return file.seek(0, os.SEEK_END)


def _to_stdout(card: CardFile) -> None:
    """Write a card to standard output, which cannot be seeked in."""
    with tempfile.TemporaryFile() as file:
        card.write(cast("BinaryIO", file))
        file.seek(0)
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
