"""The program: its commands in one table, and what becomes of errors.

A person never sees a traceback: our errors are sentences, everything else a short message, unless `--debug` is given.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from metadata.errors import CalotypeError, InternalError, InvalidError
from metadata.files.trouble import as_ours

from ..errors import outcome
from . import (
    about,
    assets,
    backup,
    export,
    folder,
    gc,
    imports,
    key,
    link,
    put,
    restore,
    serve,
    tokens,
    trash,
    user,
    variants,
    verify,
    why,
)
from .output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType

_INTERRUPTED = 130
_TERMINATED = 128 + signal.SIGTERM


def program() -> typer.Typer:
    """Return the program with all its commands."""
    app = typer.Typer(
        name="calotype",
        add_completion=False,
        rich_markup_mode=None,
        help="Store every picture once under its SHA-256 and serve it by that hash.",
    )
    app.callback()(_general)
    for command in (
        folder.init,
        serve.serve,
        put.put,
        assets.get,
        assets.ls,
        assets.show,
        assets.rm,
        link.link,
        about.config,
        folder.compact,
        folder.reindex,
        gc.gc,
        why.why,
        backup.backup,
        restore.restore,
        verify.verify,
        verify.repair,
        about.version,
    ):
        app.command()(command)
    app.add_typer(tokens.group(), name="token")
    app.add_typer(trash.group(), name="trash")
    app.add_typer(variants.group(), name="variants")
    app.add_typer(key.group(), name="key")
    app.add_typer(user.group(), name="user")
    app.add_typer(imports.group(), name="import")
    app.add_typer(export.group(), name="export")
    return app


def run(arguments: Sequence[str]) -> int:
    """Run the program and return its exit status.

    Args:
        arguments: without the program's name.
    """
    before_names = list(takewhile(lambda word: word != "--", arguments))
    output = Output(as_json="--json" in before_names)
    debug = "--debug" in before_names
    _prepare(output, debug=debug)
    rest = [word for word in before_names if word != "--debug"] + list(arguments[len(before_names) :])
    try:
        # Not by calling the program: typer would put its own traceback in place of our short message.
        status = get_command(program())(args=rest or ["--help"], prog_name="calotype", standalone_mode=False)
    except CalotypeError as error:
        output.fail(error)
        return outcome(error).exit_code
    except typer.TyperException as error:
        message = error.format_message()
        stop = "" if message.endswith((".", "?")) else "."
        output.fail(InvalidError(f"{message}{stop} `calotype --help` says more."))
        return error.exit_code
    except OSError as error:
        if debug:
            raise
        return _refused(error, output)
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED
    return status if isinstance(status, int) else 0


def _refused(error: OSError, output: Output) -> int:
    """Say what the operating system refused."""
    if error.filename is None:
        # Most likely standard output: what waits there must not be tried again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    ours = as_ours(error, str(error.filename or "The output"), "used")
    output.fail(ours)
    return outcome(ours).exit_code


def _general(
    *, debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of unexpected errors.")] = False
) -> None:
    """Store every picture once under its SHA-256 and serve it by that hash."""
    del debug  # taken out of the arguments before they come here: it may stand anywhere


def _prepare(output: Output, *, debug: bool) -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no reason to fail
    # As with Ctrl+C, what a command has begun is cleared up.
    signal.signal(signal.SIGTERM, _leave)
    if not debug:
        sys.excepthook = _Unexpected(output)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(_TERMINATED)


class _Unexpected:
    """Says that something unforeseen went wrong, without a traceback."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        del trace
        (reason, *_) = traceback.format_exception_only(kind, error)
        self._output.fail(
            InternalError(f"Something unexpected went wrong: {reason.strip()}. Repeat it with --debug to see where.")
        )
