"""What is known to be wrong with the files, collected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..files import quarantine
from ..index.state import Problem, load_problems
from ..schemas.catalog import CATALOG
from ..schemas.homes import Lines

if TYPE_CHECKING:
    from .projection import Projection

_PAYLOAD = re.compile(r"[0-9a-f]{64}\.")
"""A payload that was set aside has been replaced by sound bytes: nothing is missing for it."""


def findings(projection: Projection) -> list[Problem]:
    """Return what the index knows against the files, once it has seen all logs, and what was set aside."""
    for kind in CATALOG.values():
        if isinstance(kind.home, Lines):
            projection.follow(kind.home.path)
    with projection.database.reading() as db:
        found = load_problems(db)
    names = [name for name in projection.engine.list(quarantine.FOLDER) if not name.endswith(quarantine.NOTE)]
    return [*found, *(_set_aside(name) for name in names if not _PAYLOAD.match(name))]


def _set_aside(name: str) -> Problem:
    reason = "damaged bytes were set aside here; look at them, then delete this"
    return Problem(f"quarantine/{name}", -1, "", "", "set-aside", reason)
