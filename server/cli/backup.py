"""`calotype backup`: a copy of the store that can be trusted."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.backup.archives import STREAM
from assets.backup.taking import Wishes
from metadata.errors import InvalidError

from .options import AsJson, DataDir
from .output import Output, counted, size_of
from .places import backups_in
from .reports import Section, show_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from assets.backup.report import Taken

INCOMPLETE = 14
"""The exit code when the store is damaged, and so the backup, as of `verify`."""

Where = Annotated[
    str,
    typer.Argument(metavar="TARGET", help="A folder, a file ending in .zip, .tar or .tar.gz, or - for a tar stream."),
]
Incremental = Annotated[
    bool, typer.Option("--incremental", help="Bring the backup in this folder up to date, or begin one.")
]
IncludeKey = Annotated[bool, typer.Option("--include-key", help="Take the master key and the key of signed URLs, too.")]
Verify = Annotated[
    bool, typer.Option("--verify", help="With --incremental: hash the payloads that are there already, too.")
]


def backup(
    target: Where,
    *,
    incremental: Incremental = False,
    include_key: IncludeKey = False,
    verify: Verify = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> int:
    """Take a backup, while servers go on using the store.

    What was written is read again and compared. The exit status is 14 when the store itself has lost payloads or
    holds damaged files: the backup then is no better.
    """
    if verify and not incremental:
        raise InvalidError("--verify is about payloads that are there already; it needs --incremental.", field="verify")
    stream = _stream(as_json=as_json) if target == STREAM else None
    output = Output(as_json=as_json)
    place = None if stream is not None else Path(target).expanduser()
    with backups_in(data_dir) as backups:
        taken = backups.take(target, place, Wishes(incremental, include_key, verify), stream)
    if stream is not None:
        for line in _lines(taken, key_wanted=include_key):
            output.note(line)
    else:
        show_report(
            output, {"dryRun": False, **taken.document()}, _sections(taken), list(_lines(taken, key_wanted=include_key))
        )
    return 0 if taken.whole else INCOMPLETE


def _stream(*, as_json: bool) -> IO[bytes]:
    if as_json:
        raise InvalidError("Standard output is taken by the backup, so --json has no place.", field="json")
    if os.isatty(sys.stdout.fileno()):
        raise InvalidError("The backup would go to the terminal. Redirect it: calotype backup - > backup.tar")
    return sys.stdout.buffer


def _sections(taken: Taken) -> list[Section]:
    return [
        Section("Missing in the store, and so in the backup", ("sha256",), [(one,) for one in taken.missing]),
        Section("Damaged in the store, and so in the backup", ("name",), [(one,) for one in taken.damaged]),
        Section("Passed over: no plain files of a store", ("name",), [(one,) for one in taken.passed_over]),
    ]


def _lines(taken: Taken, *, key_wanted: bool) -> Iterator[str]:
    rate = taken.copied_bytes / taken.seconds if taken.seconds else 0
    yield (
        f"{counted(taken.payloads, 'payload')} and {counted(taken.files - taken.payloads, 'other file')} "
        f"({size_of(taken.bytes)}) as of {taken.at}."
    )
    reused = f", {counted(taken.reused, 'payload')} had been there" if taken.reused else ""
    paused = f"writers waited {taken.paused_s * 1000:.0f} ms"
    yield f"{size_of(taken.copied_bytes)} copied in {taken.seconds:.1f} s ({size_of(int(rate))}/s){reused}; {paused}."
    if taken.sealed and not taken.includes_key:
        yield (
            f"{counted(taken.sealed, 'value is', 'values are')} sealed, and the master key is not in the backup: keep "
            "a copy of secrets/master.key elsewhere."
        )
    if taken.includes_key:
        yield "The master key is in it: whoever has this backup can open what is sealed."
    elif key_wanted:
        yield "There is no secrets/master.key; a key from CALOTYPE_MASTER_KEY is never written anywhere."
    if taken.missing:
        yield f"{counted(len(taken.missing), 'payload')} could not be had: see `calotype verify --full`."
    if taken.damaged:
        yield f"{counted(len(taken.damaged), 'file')} could not be understood: see `calotype verify`."
    yield (
        "Read again and compared: all is well."
        if taken.verified
        else "A stream cannot be read again here: a restore of it into an empty folder compares every file."
    )
