"""`calotype config` and `calotype version`: what the program is told, and what it is."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

from ..configuration import effective, load_settings
from .options import AsJson, DataDir
from .output import Output


def config(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every setting.

    Each with its value, where that came from, and what it means.
    """
    rows = effective(load_settings(os.environ, {"data_dir": data_dir}))
    output = Output(as_json=as_json)
    if as_json:
        output.document({"items": [asdict(row) for row in rows]})
        return
    output.table(
        ("setting", "value", "origin", "meaning"), [(row.name, row.value, row.origin, row.meaning) for row in rows]
    )


def version(*, as_json: AsJson = False) -> None:
    """Show the version."""
    try:
        number = installed_version("calotype")
    except PackageNotFoundError:
        number = "not installed"
    output = Output(as_json=as_json)
    if as_json:
        output.document({"calotype": number, "python": platform.python_version()})
        return
    output.line(f"calotype {number} (Python {platform.python_version()})")
