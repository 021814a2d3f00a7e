"""`calotype export`: the store as the original application would have written it, and characters as cards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .backup import INCOMPLETE
from .cards import card
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


class _FolderUnlessNamed(TyperGroup):
    """A group whose arguments are those of `folder` unless the first names a command: `calotype export TARGET`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer has no public name for them
        """Return the name of the command, the command, and its arguments."""
        return super().resolve_command(ctx, args if args and args[0] in self.commands else ["folder", *args])


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(
        cls=_FolderUnlessNamed,
        rich_markup_mode=None,
        context_settings={"ignore_unknown_options": True},  # they are the folder's
        help="Write the store, or a character, for other programs.",
    )
    app.callback()(_every)
    app.command()(folder)
    app.command()(card)
    return app


def _every() -> None:
    """Write the store, or a character, for other programs: `calotype export TARGET` is the folder."""


def folder(
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
