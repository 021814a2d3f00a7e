"""`calotype init`, `compact` and `reindex`: the data folder itself."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ..configuration import load_settings
from ..local import LocalStore
from ..wiring import open_store
from .options import AsJson, DataDir
from .output import Output, size_of
from .places import open_folder, report

GitPrivate = Annotated[bool, typer.Option("--git-private", help="Keep chats and settings out of version control too.")]


def init(*, data_dir: DataDir = None, git_private: GitPrivate = False, as_json: AsJson = False) -> None:
    """Make a store in an empty folder.

    A store that is there already stays as it is.
    """
    output = Output(as_json=as_json)
    settings = load_settings(os.environ, {"data_dir": data_dir}).settings
    with LocalStore(open_store(settings, git_private=git_private)) as store:
        report(store, output)
        found = store.inside.folder
        place = str(settings.data_dir.resolve())
        if as_json:
            output.document(
                {"dataDir": place, "storeId": found.store_id, "created": found.created, "adopted": found.adopted}
            )
        elif found.created:
            output.line(f"Made a store in {place}. Next: calotype serve")
        else:
            output.line(f"There is a store in {place}.")


def compact(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Rewrite every log to its shortest form."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        saved = store.documents.compact()
    if as_json:
        output.document({"bytesSaved": saved})
    else:
        output.line(f"{size_of(saved)} saved")


def reindex(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make the index anew from the files.

    Files edited by hand show at once.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        store.inside.documents.rebuild()
        health = store.documents.health()
    if as_json:
        output.document({"findings": list(health.findings), "unfinished": health.unfinished})
        return
    for found in health.findings:
        output.note(f"{found.get('path')}: {found.get('problem')}: {found.get('reason')}")
    output.line(f"The index is new; {len(health.findings)} findings")
