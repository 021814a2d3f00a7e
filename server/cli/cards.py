"""`calotype import cards`: character cards, one or many, into a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assets.transfer.cards.finding import offers_in
from assets.transfer.report import Report

from ..importing import card_import_of
from .carrying import carry_out, keep_apart, user_id
from .options import AsJson, DataDir
from .output import Output
from .places import open_folder

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Cards (PNG, WebP, JPEG, JSON, CHARX), and folders of them.")
]
User = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose the characters are to be. [default: first user]")
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
