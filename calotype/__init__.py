"""The library's door: open a data folder, or connect to a server, and store pictures by their SHA-256.

    import calotype

    with calotype.open("./mydata") as store:
        asset = store.assets.put(Path("alice.png"), tags=["fantasy"])
        store.assets.read(asset.sha256)

Everything here is defined elsewhere; this package checks that `assets`, `metadata` and `server` are ours, and gives
their public names a home.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING


def _check_origins() -> None:
    """Refuse to start on somebody else's `assets`, `metadata` or `server`.

    Raises:
        ImportError: one of them lies elsewhere and hides ours; the message names the path.
    """
    home = Path(__file__).resolve().parents[1]
    for name in ("assets", "metadata", "server"):
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or [spec.origin or "nowhere"]) if spec is not None else []
        if [Path(place).resolve() for place in places] != [home / name]:
            hiding = ", ".join(places) or "nothing there"
            raise ImportError(
                f"calotype needs its own package {name!r} beside it in {home}, but Python finds {hiding}. Rename or "
                "move that, or take its folder off sys.path."
            )


_check_origins()

from metadata.errors import (  # noqa: E402 - only after the check
    BusyError,
    CalotypeError,
    ConflictError,
    DeniedError,
    FullError,
    InternalError,
    InvalidError,
    NotFoundError,
    StaleError,
    ThrottledError,
    TooLargeError,
    UnauthenticatedError,
    UnreadableError,
    UnsupportedError,
)
from server.configuration import load_settings  # noqa: E402 - only after the check
from server.interface import Assets  # noqa: E402 - only after the check
from server.local import LocalStore  # noqa: E402 - only after the check
from server.remote import RemoteStore  # noqa: E402 - only after the check
from server.views import AssetPage, AssetView, Reference, SignedAddress  # noqa: E402 - only after the check
from server.wiring import open_store  # noqa: E402 - only after the check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = [
    "AssetPage",
    "AssetView",
    "Assets",
    "BusyError",
    "CalotypeError",
    "ConflictError",
    "DeniedError",
    "FullError",
    "InternalError",
    "InvalidError",
    "LocalStore",
    "NotFoundError",
    "Reference",
    "RemoteStore",
    "SignedAddress",
    "StaleError",
    "ThrottledError",
    "TooLargeError",
    "UnauthenticatedError",
    "UnreadableError",
    "UnsupportedError",
    "asgi",
    "connect",
    "open",
]


def open(data_dir: str | os.PathLike[str] | None = None, **settings: object) -> LocalStore:  # noqa: A001 - the door's name
    """Open a data folder; an absent or empty one becomes a store.

    Args:
        data_dir: the folder; None: the variable DATA_DIR, else `data`.
        settings: further settings by their names in lower case without prefix, such as `durability="batch"`; they win
            over the environment.

    Raises:
        InvalidError: the folder is not ours, or a setting is unknown or wrong.
        UnreadableError: the folder cannot be read or written.
        BusyError: another process holds it for too long.
    """
    folder = {} if data_dir is None else {"data_dir": Path(data_dir)}
    return LocalStore(open_store(load_settings(os.environ, {**settings, **folder}).settings))


def connect(url: str, *, token: str | None = None) -> RemoteStore:
    """Connect to a server; nothing is sent before the first question.

    Args:
        url: its address, such as `http://127.0.0.1:8256`.
        token: an access token, from `calotype token create`.

    Raises:
        InvalidError: that is not an address.
        UnauthenticatedError: that cannot be a token.
    """
    return RemoteStore(url, token)


def asgi(store: LocalStore) -> Callable[..., Awaitable[None]]:
    """Return an ASGI application that serves an opened store, to be mounted in another; closing stays the caller's."""
    from server.app import create_app  # noqa: PLC0415 - a program without HTTP need not load it

    return create_app(store.inside)
