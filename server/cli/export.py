"""`calotype export`: the store as the original application would have written it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .backup import INCOMPLETE
from .options import AsJson, DataDir
from .output import Output, counted, size_of
from .places import backups_in
from .reports import Section, show_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.backup.exporting import Exported

Into = Annotated[Path, typer.Argument(metavar="TARGET", help="The folder for it: absent or empty.")]
IncludeSealed = Annotated[
    bool, typer.Option("--include-sealed", help="Keep sealed values, password hashes and sign-ins, too.")
]


def export(
    target: Into, *, include_sealed: IncludeSealed = False, data_dir: DataDir = None, as_json: AsJson = False
) -> int:
    """Write the store in the original's layout into a new folder.

    Secrets are left out. For keeping, take a backup: an export has no list of hashes.
    """
    output = Output(as_json=as_json)
    with backups_in(data_dir) as backups:
        done = backups.export(target.expanduser(), include_sealed=include_sealed)
    sections = [
        Section("Could not be understood, and is not in it", ("name",), [(one,) for one in done.damaged]),
        Section("Missing in the store", ("sha256",), [(one,) for one in done.missing]),
    ]
    show_report(output, done.document(), sections, list(_lines(done)))
    return INCOMPLETE if done.damaged or done.missing else 0


def _lines(done: Exported) -> Iterator[str]:
    others = counted(done.files - done.payloads, "other file")
    yield f"{counted(done.payloads, 'payload')} and {others} ({size_of(done.bytes)}) exported to {done.target}."
    if done.sealed:
        yield f"{counted(done.sealed, 'sealed value')} left out; --include-sealed keeps them, sealed."
