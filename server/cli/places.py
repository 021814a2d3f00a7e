"""What a command works on: the data folder, or a server."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import calotype
from metadata.errors import InvalidError, NotFoundError

from ..configuration import load_settings
from ..wiring import open_backups, open_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assets.backup.backups import Backups

    from ..checks import Checks
    from ..interface import Door
    from .output import Output


def open_folder(
    data_dir: Path | None, output: Output, *, create: bool = False, keyless: bool = False
) -> calotype.LocalStore:
    """Open the data folder and say what is odd about it.

    Args:
        data_dir: as given on the command line.
        output: takes the warnings.
        create: whether an empty folder becomes a store; else it is an error.
        keyless: whether it opens although its sealed values have lost their key.

    Raises:
        CalotypeError: it cannot be opened.
    """
    options = ({} if create else {"expect_store": True}) | ({"allow_missing_key": True} if keyless else {})
    try:
        store = calotype.open(data_dir, **options)
    except NotFoundError as error:
        if create:
            raise
        raise _no_store(load_settings(os.environ, {"data_dir": data_dir}).settings.data_dir) from error
    report(store, output)
    return store


@contextmanager
def checks_in(data_dir: Path | None) -> Iterator[Checks]:
    """Open the data folder to check and mend it, however damaged it is; errors as `open_folder`."""
    settings = load_settings(os.environ, {"data_dir": data_dir, "expect_store": True}).settings
    with ExitStack() as stack:
        try:
            checks = stack.enter_context(open_checks(settings))
        except NotFoundError as error:
            raise _no_store(settings.data_dir) from error
        yield checks


@contextmanager
def backups_in(data_dir: Path | None) -> Iterator[Backups]:
    """Open the data folder to take backups of it, however damaged it is; errors as `open_folder`."""
    settings = load_settings(os.environ, {"data_dir": data_dir, "expect_store": True}).settings
    with ExitStack() as stack:
        try:
            backups = stack.enter_context(open_backups(settings))
        except NotFoundError as error:
            raise _no_store(settings.data_dir) from error
        yield backups


def open_assets(
    data_dir: Path | None, url: str | None, token: str | None, output: Output, *, create: bool = False
) -> Door:
    """Open the folder or connect to the server, whichever the options and the environment say; errors as `open_folder`.

    An option wins over the environment: `--data-dir` means the folder even where CALOTYPE_URL is set.
    """
    if url is not None and data_dir is not None:
        raise InvalidError("--url means a server and --data-dir a folder; give one of them.", field="url")
    settings = load_settings(os.environ, {"url": url, "token": token}).settings
    if settings.url is None or data_dir is not None:
        return open_folder(data_dir, output, create=create)
    secret = None if settings.token is None else settings.token.get_secret_value()
    return calotype.connect(settings.url, token=secret)


def report(store: calotype.LocalStore, output: Output) -> None:
    """Say what opening a folder found: warnings, and that it was the original application's."""
    folder = store.inside.folder
    for warning in folder.warnings:
        output.note(warning)
    if folder.adopted:
        output.note(f"{store.settings.data_dir} was the original application's folder; it is a Calotype store now.")


def _no_store(folder: Path) -> NotFoundError:
    return NotFoundError(
        f"There is no store in {folder}. Make one with `calotype init`, or name another folder with --data-dir or "
        "DATA_DIR.",
        path=str(folder),
    )
