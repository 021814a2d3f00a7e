"""`calotype why`: what keeps a payload, or why it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson, DataDir
from .output import Output, size_of
from .places import open_folder
from .reports import Section, show_report

if TYPE_CHECKING:
    from assets.gc.reasons import Use

Sha = Annotated[str, typer.Argument(metavar="SHA256", help="The payload's hash.")]


def why(sha256: Sha, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Say why a payload is kept or not.

    Lists every record that names it, what refers to those, and what mentions its hash.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        found = store.gc.why(sha256)
    lines = [found.verdict, "Its bytes are not stored." if found.size is None else f"It has {size_of(found.size)}."]
    if found.wanted:
        lines.append(f"It was last uploaded at {found.wanted}.")
    show_report(
        output,
        found.document(),
        [
            Section("Used by", ("kind", "id", "how"), [(use.kind, use.key, _how(use)) for use in found.uses]),
            Section("Deleted records that can be restored", ("id", "deleted"), found.deleted),
            Section("In the trash", ("since", "until"), [(one.since, one.until) for one in found.trash]),
        ],
        lines,
    )


def _how(use: Use) -> str:
    if use.how == "names":
        return f"names it as {use.name}"
    return "mentions its hash" if use.how == "mention" else f"refers to {use.of} ({use.how.removeprefix('_')})"
