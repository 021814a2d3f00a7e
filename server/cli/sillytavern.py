"""`calotype import sillytavern`: a user's folder of SillyTavern into a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assets.transfer.report import Report
from assets.transfer.sillytavern.importer import Options, SillyTavernImport
from assets.transfer.sillytavern.layout import find_layout

from ..importing import card_import_of, intake_of
from .carrying import carry_out, keep_apart, user_id
from .options import AsJson, DataDir
from .output import Output
from .places import open_folder

Source = Annotated[Path, typer.Argument(metavar="FOLDER", help="SillyTavern's folder, or a user's folder in it.")]
User = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose everything is to be. [default: first user]")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def sillytavern(
    folder: Source, *, user: User = None, dry_run: DryRun = False, data_dir: DataDir = None, as_json: AsJson = False
) -> int:
    """Import a folder of SillyTavern: characters, chats, personas, tags, and all pictures.

    The folder is only read. What is damaged is reported and hinders nothing else; cut off, run it again; run twice, it
    changes nothing, and what was edited here is kept. Keys and passwords stay where they are. A server may go on
    running on the store.
    """
    output = Output(as_json=as_json)
    layout = find_layout(folder)
    keep_apart(layout.folder.root, data_dir)
    with open_folder(data_dir, output, create=not dry_run) as store:
        owner = user_id(store, user) or store.inside.owner.id
        cards = card_import_of(store.inside, owner)
        options = Options(owner, dry_run)
        work = SillyTavernImport(layout, store.inside.records, intake_of(store.inside), cards, options)
        return carry_out(work.run(), work.count, Report(dry_run), output)
