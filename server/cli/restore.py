"""`calotype restore`: from a backup to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.backup.restoring import restore as put_back
from metadata.files.filesystem import FileSystem
from metadata.rotation import ORIGINAL

from .options import AsJson
from .output import Output, counted, size_of
from .reports import Section, show_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.backup.report import Restored

Source = Annotated[Path, typer.Argument(metavar="SOURCE", help="The backup: a folder, or a zip, tar or tar.gz file.")]
Into = Annotated[Path, typer.Argument(metavar="TARGET", help="The data folder to be: absent or empty.")]


def restore(source: Source, target: Into, *, as_json: AsJson = False) -> None:
    """Make a store of a backup, all of it or nothing.

    Every file is compared with the backup's list. Cut off, the folder is refused by whoever opens it.
    """
    output = Output(as_json=as_json)
    done = put_back(FileSystem(), source.expanduser(), target)
    missing = Section("Missing when the backup was taken", ("sha256",), [(one,) for one in done.missing])
    show_report(output, done.document(), [missing], list(_lines(done)))


def _lines(done: Restored) -> Iterator[str]:
    yield (
        f"{counted(done.payloads, 'payload')} and {counted(done.files - done.payloads, 'other file')} "
        f"({size_of(done.bytes)}) restored to {done.target}, each compared with its hash; the store as of {done.at}."
    )
    sealed = {key: count for key, count in done.sealed.items() if key != ORIGINAL}
    if sealed and done.has_key:
        yield f"The master key was in the backup; {counted(sum(sealed.values()), 'sealed value')} can be opened."
    elif sealed:
        yield (
            f"{counted(sum(sealed.values()), 'value is', 'values are')} sealed with key {', '.join(sorted(sealed))}, "
            f"which was not in the backup. Put your copy of it at {done.target}/secrets/master.key, or set "
            "CALOTYPE_MASTER_KEY. Until then the store does not open. If it is lost: `calotype key new --yes`, "
            "and enter the values again."
        )
    if done.sealed.get(ORIGINAL):
        yield "Some values are sealed by the original application; they need ENCRYPTION_MASTER_PEPPER as before."
