"""`calotype link`: an address of a payload that opens without credentials, for a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from assets.digest import parse_digest
from metadata.clock import timestamp
from metadata.errors import NotFoundError

from ..signing import UrlSigner
from ..wire import base_of, blob_url
from .options import AsJson, DataDir
from .output import Output
from .places import open_folder
from .tokens import moment_of

Sha = Annotated[str, typer.Argument(metavar="SHA256", help="The payload's hash.")]
For = Annotated[str, typer.Option("--for", metavar="WHEN", help="A span (1h, 30d) of at most 30 days, or a moment.")]


def link(sha256: Sha, *, span: For = "1h", data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Print an address that opens without credentials.

    It begins with CALOTYPE_PUBLIC_URL if that is set, else with the host and port that `serve` would use.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        digest = parse_digest(sha256)
        asset = next(iter(store.inside.assets.images.find_by_sha256(digest)), None)
        if asset is None:
            raise NotFoundError(f"There is no payload {sha256}; `calotype ls` lists what there is.", object=sha256)
        now = store.inside.clock.now()
        signer = UrlSigner(store.inside.vault.url_key(), store.inside.clock)
        signed = signer.sign(blob_url(digest, asset.mime_type), moment_of(span, now) - now)
        settings = store.settings
    host = "" if settings.public_url else f"http://{_bracketed(settings.host)}:{settings.port}"
    url = host + base_of(settings) + signed.url
    if as_json:
        output.document({"url": url, "expiresAt": timestamp(datetime.fromtimestamp(signed.expires, UTC))})
    else:
        output.line(url)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
