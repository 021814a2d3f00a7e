"""`calotype trash`: what garbage collection took, and having it back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from .options import AsJson, DataDir
from .output import Output, counted, size_of
from .places import open_folder
from .reports import Section, show_report

Sha = Annotated[str, typer.Argument(metavar="SHA256", help="The payload's hash.")]
Shas = Annotated[list[str] | None, typer.Argument(metavar="[SHA256]...", help="Only these payloads. [default: all]")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. It cannot be undone.")]


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(rich_markup_mode=None, help="List, restore and purge what garbage collection took.")
    for command in (ls, restore, purge):
        app.command()(command)
    return app


def ls(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List what is in the trash."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        found = store.gc.trashed()
    rows = [(one.sha256, size_of(one.size or 0), one.since, one.until) for one in found]
    total = sum(one.size or 0 for one in found)
    show_report(
        output,
        {"items": [asdict(one) for one in found], "bytes": total},
        [Section("In the trash", ("sha256", "size", "there since", "goes after"), rows)],
        [f"{counted(len(found), 'payload')}, {size_of(total)}"],
    )


def restore(sha256: Sha, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Bring a payload back, with the deleted records that named it."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        done = store.gc.restore(sha256)
    lines = [f"Restored {done.sha256}", *(f"Restored its record {one}" for one in done.records)]
    if not done.records:
        lines.append("No record names it: the next garbage collection after the grace takes it again.")
    lines += [f"Its record {one} stays deleted: {reason}" for one, reason in done.refused]
    refused = [{"id": one, "detail": reason} for one, reason in done.refused]
    show_report(output, {"sha256": done.sha256, "records": list(done.records), "refused": refused}, [], lines)


def purge(digests: Shas = None, *, yes: Yes = False, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Say what would leave the trash for good; with --yes remove it now."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        if yes:
            report = store.gc.purge(digests or None)
            lines = [f"{counted(report.purged, 'payload')} ({size_of(report.purged_bytes)}) removed for good"]
            if report.rescued:
                lines.append(f"{counted(report.rescued, 'payload')} brought back: used again")
            show_report(output, {"dryRun": False, "items": None, "done": report.document()}, [], lines)
            return
        found = store.gc.trashed(digests or None)
    total = size_of(sum(one.size or 0 for one in found))
    show_report(
        output,
        {"dryRun": True, "items": [asdict(one) for one in found], "done": None},
        [Section("Would go for good", ("sha256", "size"), [(one.sha256, size_of(one.size or 0)) for one in found])],
        [f"{counted(len(found), 'payload')}, {total}. Nothing was changed. --yes does it."],
    )
