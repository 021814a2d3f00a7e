"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="The data folder. [default: DATA_DIR, else ./data]"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="Work on this server, not on a folder. [default: CALOTYPE_URL]"),
]
Token = Annotated[
    str | None, typer.Option("--token", metavar="TOKEN", help="The server's access token. [default: CALOTYPE_TOKEN]")
]
