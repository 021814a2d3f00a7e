"""Schemathesis loads this: paths get the ids of records that are there, so that requests reach more than a 404.

`KNOWN_IDS` names a JSON file: from the name of a path's variable, or the collection before it, to an id.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis

if TYPE_CHECKING:
    from schemathesis import HookContext

KNOWN: dict[str, str] = json.loads(Path(os.environ["KNOWN_IDS"]).read_text(encoding="utf-8"))


@schemathesis.hook
def map_path_parameters(context: HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put known ids into a path, unless it would delete the record they name."""
    operation = context.operation
    if path_parameters is None or operation is None:
        return path_parameters
    parts = operation.path.split("/")
    collection = parts[2] if len(parts) > 2 else ""
    keeps = operation.method.upper() != "DELETE" or not operation.path.endswith(
        ("{id}", "{messageId}", "{participantId}")
    )
    named = {**KNOWN, "id": KNOWN.get(collection, ""), "name": KNOWN.get(parts[1], "")}
    return {name: named.get(name) or value if keeps else value for name, value in path_parameters.items()}
