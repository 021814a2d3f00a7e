"""`calotype link`: an address of a payload that opens without credentials, for a time."""

from __future__ import annotations

from typing import Annotated

import typer

from metadata.clock import SystemClock

from ..local import LocalStore
from .options import AsJson, DataDir, Token, Url
from .output import Output
from .places import open_assets
from .tokens import moment_of

Sha = Annotated[str, typer.Argument(metavar="SHA256", help="The payload's hash.")]
For = Annotated[str, typer.Option("--for", metavar="WHEN", help="A span (1h, 30d) of at most 30 days, or a moment.")]


def link(
    sha256: Sha,
    *,
    span: For = "1h",
    data_dir: DataDir = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Print an address that opens without credentials.

    It begins with CALOTYPE_PUBLIC_URL if that is set; else with the server's address (--url), or, made on a folder,
    with the host and port that `serve` would use.
    """
    output = Output(as_json=as_json)
    now = SystemClock().now()
    with open_assets(data_dir, url, token, output) as store:
        signed = store.assets.sign(sha256, moment_of(span, now) - now)
        host = _host(store) if isinstance(store, LocalStore) else ""
    if as_json:
        output.document({"url": host + signed.url, "expiresAt": signed.expires_at})
    else:
        output.line(host + signed.url)


def _host(store: LocalStore) -> str:
    settings = store.settings
    return "" if settings.public_url else f"http://{_bracketed(settings.host)}:{settings.port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
