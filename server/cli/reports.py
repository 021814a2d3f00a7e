"""How plans and reports are printed: sentences and short tables for people, the whole of it as JSON for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .output import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .output import Output

SHOWN = 50
"""Rows of a table that a person is shown; the JSON document holds all of them."""


@dataclass(frozen=True, slots=True)
class Section:
    """One table of a report.

    Attributes:
        title: a line above it.
        columns: the heads.
        rows: the cells.
        more: rows that are not even in the document; they are counted only.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: int = 0


def show_report(
    output: Output, document: Mapping[str, object], sections: Sequence[Section], lines: Sequence[str] = ()
) -> None:
    """Print a plan or a report.

    Args:
        output: where to.
        document: the whole of it, as the HTTP interface answers it.
        sections: its tables; one without rows is left out.
        lines: sentences after the tables: totals, refusals, what to do next.
    """
    if output.as_json:
        output.document(dict(document))
        return
    for section in sections:
        if section.rows:
            _show(output, section)
    for line in lines:
        output.line(line)


def _show(output: Output, section: Section) -> None:
    output.line(section.title)
    output.table(section.columns, section.rows[:SHOWN])
    if hidden := len(section.rows) - SHOWN + section.more if len(section.rows) > SHOWN else section.more:
        output.line(f"… and {counted(hidden, 'more row')}; --json lists all that are listed")
    output.line("")
