"""An import from the command line: how it runs, shows how far it is, reports, and ends."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from assets.transfer.report import Report, Status
from metadata.errors import FullError, InvalidError, NotFoundError

from ..configuration import load_settings
from ..errors import outcome
from .output import Output, counted
from .reports import Section, show_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import calotype
    from assets.transfer.report import Item

_INCOMPLETE = 1
"""The exit status when something could not be imported."""
_NAME = 80
"""Characters of a name that are printed; all of it is in the document."""


def carry_out(items: Iterator[Item], count: int, report: Report, output: Output) -> int:
    """Let an import run, show how far it is, print its report, and return the exit status.

    Args:
        items: what becomes of each item, as it happens.
        count: about how many items there will be.
        report: takes them.
        output: where to.
    """
    status = 0
    try:
        with _progress(count, output) as advance:
            for item in items:
                report.add(item)
                advance(item)
    except FullError as error:
        output.fail(error)
        status = outcome(error).exit_code
    _show(report, output)
    return status or (_INCOMPLETE if report.total(Status.FAILED) else 0)


def user_id(store: calotype.LocalStore, email: str | None) -> str | None:
    """Return the id of the user with this address, None where none is given.

    Raises:
        NotFoundError: nobody has it.
    """
    if email is None:
        return None
    user = store.users.find_by_email(email)
    if user is None:
        raise NotFoundError(f"There is no user {email}; `calotype user create {email}` makes one.", object=email)
    return user.id


def keep_apart(source: Path, data_dir: Path | None) -> None:
    """Refuse to import a folder into itself: opening it as a store would already change it.

    Raises:
        InvalidError: one of the two is in the other.
    """
    target = load_settings(os.environ, {"data_dir": data_dir}).settings.data_dir.resolve()
    source = source.resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        raise InvalidError(
            f"{target} cannot take in {source}: name another data folder with --data-dir or DATA_DIR. (A copy of the "
            "original's data folder can also be served as it is.)",
            path=str(source),
        )


def _show(report: Report, output: Output) -> None:
    worth = sorted(filter(_is_worth_saying, report.items), key=_urgency)
    rows = [(item.status.value, item.kind, _clipped(item.name or item.id), item.place, _said(item)) for item in worth]
    shown = [status for status in Status if report.total(status)]
    totals = [(kind, *(f"{counts[status]:,}" for status in shown)) for kind, counts in report.totals.items() if counts]
    sections = [
        Section("To know:", ("", "kind", "what", "where", "why"), rows),
        Section("In all:", ("kind", *(status.value for status in shown)), totals),
    ]
    items = sum(sum(counts.values()) for counts in report.totals.values())
    said = ", ".join(f"{report.total(status):,} {status.value}" for status in shown) or "nothing to do"
    would = "; nothing was stored, for this was a dry run" if report.dry_run else ""
    show_report(output, report.document(), sections, [f"{counted(items, 'item')}: {said}{would}"])


def _is_worth_saying(item: Item) -> bool:
    return bool(item.why or item.notes) or item.status in (Status.REMAPPED, Status.FAILED)


def _clipped(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _urgency(item: Item) -> bool:
    return item.status is not Status.FAILED


def _said(item: Item) -> str:
    count = f"({counted(item.count, 'time')}) " if item.count > 1 and item.why else ""
    here = [f"It is {item.new_id} here."] if item.new_id else []
    return count + " ".join([*([item.why] if item.why else []), *item.notes, *here])


@contextmanager
def _progress(count: int, output: Output) -> Iterator[Callable[[Item], None]]:
    if output.as_json or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing", total=count)

        def advance(item: Item) -> None:
            bar.update(task, advance=1, description=f"importing {item.kind}")

        yield advance
