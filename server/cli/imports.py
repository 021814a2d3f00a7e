"""`calotype import`: what other programs keep, into a store."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from assets.transfer.intake import Intake
from assets.transfer.quilttap.importer import Options, QuilttapImport
from assets.transfer.quilttap.layout import find_layout
from assets.transfer.report import Report, Status
from metadata.errors import FullError, InvalidError, NotFoundError
from metadata.sealing import Sealer

from ..configuration import load_settings
from ..errors import outcome
from ..sources import opened
from .options import AsJson, DataDir
from .output import Output, counted
from .places import open_folder
from .reports import Section, show_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import calotype
    from assets.transfer.report import Item

_INCOMPLETE = 1
"""The exit status when something could not be imported."""
_NAME = 80
"""Characters of a name that are printed; all of it is in the document."""
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
    _keep_apart(layout.data.root, data_dir)
    with open_folder(data_dir, output, create=not dry_run) as store:
        options = Options(_user_id(store, user), dry_run, newer)
        work = QuilttapImport(layout, store.inside.records, _intake(store), _sealer(store, pepper_file), options)
        return carry_out(work.run(), work.count, Report(dry_run), output)


def carry_out(items: Iterator[Item], count: int, report: Report, output: Output) -> int:
    """Let an import run, show how far it is, print its report, and return the exit status.

    Args:
        items: what becomes of each item, as it happens.
        count: about how many items there will be.
        report: takes them.
        output: where to.
    """
    status = 0
    try:
        with _progress(count, output) as advance:
            for item in items:
                report.add(item)
                advance(item)
    except FullError as error:
        output.fail(error)
        status = outcome(error).exit_code
    _show(report, output)
    return status or (_INCOMPLETE if report.total(Status.FAILED) else 0)


def _show(report: Report, output: Output) -> None:
    worth = sorted(filter(_is_worth_saying, report.items), key=_urgency)
    rows = [(item.status.value, item.kind, _clipped(item.name or item.id), item.place, _said(item)) for item in worth]
    shown = [status for status in Status if report.total(status)]
    totals = [(kind, *(f"{counts[status]:,}" for status in shown)) for kind, counts in report.totals.items() if counts]
    sections = [
        Section("To know:", ("", "kind", "what", "where", "why"), rows),
        Section("In all:", ("kind", *(status.value for status in shown)), totals),
    ]
    items = sum(sum(counts.values()) for counts in report.totals.values())
    said = ", ".join(f"{report.total(status):,} {status.value}" for status in shown) or "nothing to do"
    would = "; nothing was stored, for this was a dry run" if report.dry_run else ""
    show_report(output, report.document(), sections, [f"{counted(items, 'item')}: {said}{would}"])


def _is_worth_saying(item: Item) -> bool:
    return bool(item.why or item.notes) or item.status in (Status.REMAPPED, Status.FAILED)


def _clipped(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _urgency(item: Item) -> bool:
    return item.status is not Status.FAILED


def _said(item: Item) -> str:
    count = f"({counted(item.count, 'time')}) " if item.count > 1 and item.why else ""
    here = [f"It is {item.new_id} here."] if item.new_id else []
    return count + " ".join([*([item.why] if item.why else []), *item.notes, *here])


def _user_id(store: calotype.LocalStore, email: str | None) -> str | None:
    if email is None:
        return None
    user = store.users.find_by_email(email)
    if user is None:
        raise NotFoundError(f"There is no user {email}; `calotype user create {email}` makes one.", object=email)
    return user.id


def _intake(store: calotype.LocalStore) -> Intake:
    inside = store.inside
    return Intake(
        inside.documents,
        inside.assets,
        lambda first_byte: inside.engine.locks.shard(first_byte).hold(),
        inside.records.facts,
        limit=int(store.settings.max_upload_bytes),
    )


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


def _keep_apart(source: Path, data_dir: Path | None) -> None:
    """Refuse to import a folder into itself: opening it as a store would already change it."""
    target = load_settings(os.environ, {"data_dir": data_dir}).settings.data_dir.resolve()
    source = source.resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise InvalidError(
            f"{target} cannot take in {source}: name another data folder with --data-dir or DATA_DIR. (A copy of the "
            "original's data folder can also be served as it is.)",
            path=str(source),
        )


@contextmanager
def _progress(count: int, output: Output) -> Iterator[Callable[[Item], None]]:
    if output.as_json or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing", total=count)

        def advance(item: Item) -> None:
            bar.update(task, advance=1, description=f"importing {item.kind}")

        yield advance
