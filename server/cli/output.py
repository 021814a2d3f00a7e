"""What the command line prints: tables and sentences for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from ..errors import problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metadata.errors import CalotypeError

_UNBOUNDED = 10_000
"""Columns that a table may take: nothing is cut, and a narrow terminal wraps by itself."""


class Output:
    """Standard output for results, standard error for everything else.

    Args:
        as_json: results are one JSON document, errors problem objects.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    def document(self, value: object) -> None:
        """Print a result for programs; lone surrogates, which UTF-8 cannot hold, are escaped."""
        text = json.dumps(value, ensure_ascii=False, indent=2)
        try:
            text.encode()
        except UnicodeEncodeError:
            text = json.dumps(value, indent=2)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def line(self, text: str) -> None:
        """Print one line of a result for people."""
        sys.stdout.write(printable(text) + "\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a sentence beside the result."""
        sys.stderr.write(printable(text) + "\n")
        sys.stderr.flush()

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table for people, a line a row: an id cut in two by a column's edge could not be copied."""
        table = Table(box=None, pad_edge=False)
        for column in columns:
            table.add_column(Text(column), no_wrap=True)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        Console(width=_UNBOUNDED).print(table, soft_wrap=True)

    def fail(self, error: CalotypeError) -> None:
        """Print an error to standard error."""
        if self.as_json:
            sys.stderr.write(json.dumps(problem_of(error), indent=2) + "\n")
        else:
            self.note(sentence(error))


def problem_of(error: CalotypeError) -> dict[str, object]:
    """Return an error as a problem object; who sits at the folder may read everything."""
    body = problem(error, admin=True)
    return {**body, "detail": sentence(error)}


def sentence(error: CalotypeError) -> str:
    """Return what an error says to a person."""
    referrers = error.details.get("referrers")
    if not isinstance(referrers, list):
        return error.message
    places = [f"{by.get('kind')} {by.get('id')} ({by.get('field')})" for by in referrers if isinstance(by, dict)]
    return "\n  ".join([error.message, *places])


def printable(text: str) -> str:
    """Return text without anything that a terminal would obey, line breaks excepted."""
    return "".join(
        char if char == "\n" or char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def size_of(count: int) -> str:
    """Return a number of bytes for people, such as `52.7 kB`."""
    return decimal(count)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 file`, `2 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
