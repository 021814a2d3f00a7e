"""`calotype import`: what other programs keep, into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.transfer.quilttap.importer import Options, QuilttapImport
from assets.transfer.quilttap.layout import find_layout
from assets.transfer.report import Report
from metadata.errors import InvalidError
from metadata.sealing import Sealer

from ..importing import intake_of
from ..sources import opened
from .cards import cards
from .carrying import carry_out, keep_apart, user_id
from .options import AsJson, DataDir
from .output import Output
from .places import open_folder
from .sillytavern import sillytavern

if TYPE_CHECKING:
    import calotype

_LARGEST_PEPPER = 64 * 1024

Source = Annotated[Path, typer.Argument(metavar="FOLDER", help="The application's folder, or its data folder.")]
Public = Annotated[
    Path | None, typer.Option("--public", metavar="DIR", help="Its public/, where that is not beside the data folder.")
]
User = Annotated[
    str | None, typer.Option("--user", metavar="EMAIL", help="Whose everything is to be. [default: found out]")
]
PepperFile = Annotated[
    Path | None,
    typer.Option(
        "--pepper-file", metavar="FILE", help="Holds the original's ENCRYPTION_MASTER_PEPPER. [default: that variable]"
    ),
]
Newer = Annotated[
    bool, typer.Option("--newer", help="Take again what the folder has changed later than it was changed here.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(rich_markup_mode=None, help="Bring in what other programs keep.")
    app.callback()(_every)
    app.command()(quilttap)
    app.command()(cards)
    app.command()(sillytavern)
    return app


def _every() -> None:
    """Bring in what other programs keep."""


def quilttap(
    folder: Source,
    *,
    public: Public = None,
    user: User = None,
    pepper_file: PepperFile = None,
    newer: Newer = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> int:
    """Import a folder of the original application.

    The folder is only read. What is damaged is reported and hinders nothing else; cut off, run it again; run twice, it
    changes nothing. A server may go on running on the store.
    """
    output = Output(as_json=as_json)
    layout = find_layout(folder, public)
    keep_apart(layout.data.root, data_dir)
    with open_folder(data_dir, output, create=not dry_run) as store:
        options = Options(user_id(store, user), dry_run, newer)
        work = QuilttapImport(
            layout, store.inside.records, intake_of(store.inside), _sealer(store, pepper_file), options
        )
        return carry_out(work.run(), work.count, Report(dry_run), output)


def _sealer(store: calotype.LocalStore, pepper_file: Path | None) -> Sealer:
    if pepper_file is None:
        return store.inside.vault.sealer
    with opened(pepper_file) as source:
        text = source.file.read(_LARGEST_PEPPER)
    try:
        pepper = text.decode().strip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidError(f"{pepper_file} is no text.", file=str(pepper_file)) from error
    if not pepper:
        raise InvalidError(f"{pepper_file} is empty.", file=str(pepper_file))
    return Sealer(store.inside.vault.keys, pepper)
