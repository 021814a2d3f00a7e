"""`calotype put`: files into a folder or onto a server, each stored once."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn

from metadata.schemas.enums import AssetType

from ..errors import outcome
from .options import AsJson, DataDir, Token, Url
from .output import Output, counted, problem_of, sentence, size_of
from .places import open_assets
from .uploading import Status, Uploader, found_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metadata.errors import CalotypeError

    from .uploading import Found, Outcome

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files; with --recursive also folders.")]
Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Take everything below a folder.")]
Kind = Annotated[AssetType | None, typer.Option("--type", help="What they are. [default: told from the bytes]")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag's name, made if it is new; may be repeated.")]


def put(
    files: Files,
    *,
    recursive: Recursive = False,
    kind: Kind = None,
    tags: Tags = None,
    url: Url = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> int:
    """Store files, each once.

    Those that are stored already are not sent again, and one that fails does not stop the others.
    """
    output = Output(as_json=as_json)
    found = list(found_files(files, recursive=recursive))
    outcomes: list[Outcome] = []
    with open_assets(data_dir, url, token, output, create=True) as door, _progress(found, output) as advance:
        uploader = Uploader(door.assets, kind=None if kind is None else kind.value, tags=tags or ())
        for each in uploader.run(found):
            outcomes.append(each)
            advance(each)
            if each.error is not None and not as_json:
                output.note(_complaint(each.path, each.error))
            elif not recursive and not as_json:
                output.line(f"{each.status.value:<9}  {'' if each.asset is None else each.asset.sha256}  {each.path}")
    _summarise(outcomes, output)
    return next((outcome(each.error).exit_code for each in outcomes if each.error is not None), 0)


def _summarise(outcomes: Sequence[Outcome], output: Output) -> None:
    by_status = {status: [each for each in outcomes if each.status is status] for status in Status}
    new, duplicates, failed = (by_status[status] for status in (Status.NEW, Status.DUPLICATE, Status.FAILED))
    saved = sum(each.size for each in duplicates)
    if output.as_json:
        output.document(
            {
                "items": [_wire(each) for each in outcomes],
                "new": len(new),
                "duplicates": len(duplicates),
                "failed": len(failed),
                "bytesStored": sum(each.size for each in new),
                "bytesSaved": saved,
            }
        )
        return
    output.line(
        f"{counted(len(outcomes), 'file')}: {len(new):,} new, {counted(len(duplicates), 'duplicate')}, "
        f"{len(failed):,} failed; {size_of(saved)} saved"
    )


def _complaint(path: Path, error: CalotypeError) -> str:
    said = sentence(error)
    return said if str(path) in said else f"{path}: {said}"


def _wire(each: Outcome) -> dict[str, object]:
    wire: dict[str, object] = {"path": str(each.path), "status": each.status.value, "size": each.size}
    if each.asset is not None:
        wire["asset"] = dict(each.asset.wire)
    if each.error is not None:
        wire["problem"] = problem_of(each.error)
    return wire


@contextmanager
def _progress(found: Sequence[Found], output: Output) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar on a terminal while files are stored; bytes, since files differ."""
    if output.as_json or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("storing", total=sum(each.size for each in found))
        yield lambda each: bar.advance(task, each.announced)
