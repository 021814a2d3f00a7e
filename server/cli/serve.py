"""`calotype serve`: the server, on a folder that is opened, or made, before anybody can connect."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from ..configuration import check_binding, load_settings
from ..local import LocalStore
from ..wiring import open_store
from .options import AsJson, DataDir
from .output import Output
from .places import report
from .serving import Ending, address_of, announce_to_workers, listen, run_server

if TYPE_CHECKING:
    from pathlib import Path

    from ..configuration import Loaded

Host = Annotated[str | None, typer.Option("--host", help="The address to listen on. [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option("--port", help="The port; 0 takes a free one. [default: 8256]")]
Workers = Annotated[int | None, typer.Option("--workers", help="Processes that share the folder. [default: 1]")]
Cors = Annotated[
    list[str] | None,
    typer.Option("--cors", metavar="ORIGIN", help="An origin whose pages may call the API, or *; may be repeated."),
]


def serve(
    *,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    cors: Cors = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> int:
    """Serve the data folder.

    An empty one becomes a store, with an admin token that is printed once.
    """
    output = Output(as_json=as_json)
    origins = tuple(cors) if cors else None
    options = {"host": host, "port": port, "workers": workers, "cors_origins": origins, "data_dir": data_dir}
    loaded = load_settings(os.environ, options)
    settings = loaded.settings
    check_binding(settings)
    ending = Ending()
    with listen(settings.host, settings.port) as listener:
        url = address_of(settings, listener)
        token = _open_once(loaded, output, url)
        if as_json:
            place = str(settings.data_dir.resolve())
            output.document({"url": url, "dataDir": place, "workers": settings.workers, "token": token})
        else:
            _announce(output, url, settings.data_dir, token)
        announce_to_workers(loaded)
        return 0 if ending.asked else run_server(settings, listener, ending)


def _open_once(loaded: Loaded, output: Output, url: str) -> str | None:
    """Open the folder, so that what is wrong with it is said here and once; return the first token of a new store."""
    settings = loaded.settings
    with LocalStore(open_store(settings)) as store:
        report(store, output)
        if not settings.auth:
            return None
        if store.inside.folder.created:
            return store.access_tokens.issue(store.inside.owner.id, "first", "admin")[1]
        if next(store.access_tokens.find_all(), None) is None and not output.as_json:
            output.note(f"There is no access token for {url} yet; `calotype token create --scope admin` makes one.")
        return None


def _announce(output: Output, url: str, folder: Path, token: str | None) -> None:
    if token is not None:
        output.line(
            f"A new store in {folder.resolve()}. Its admin token, shown this once:\n\n    {token}\n\n"
            f"See your pictures in a browser:\n\n    {url}/#token={token}\n\n"
            f'Or try it:\n\n    curl -F file=@picture.png -H "Authorization: Bearer {token}" {url}/api/assets\n'
        )
    output.line(f"Calotype serves {folder.resolve()} at {url} (Ctrl+C ends it)")
