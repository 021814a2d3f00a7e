"""Assets over HTTP: the same interface as over a folder, spoken to a server's API."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Self
from urllib.parse import quote, urljoin

from assets.digest import DIGEST_LENGTH, parse_digest
from metadata.errors import BusyError, NotFoundError, StaleError

from .connection import Connection
from .copies import Copies
from .filenames import safe_name
from .interface import Filters, PutFields, check_names, walk
from .sources import opened
from .views import AssetPage, AssetView, Reference, SignedAddress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path
    from types import TracebackType
    from typing import Unpack

    from .connection import Answer
    from .interface import Data

HAVE_AT_ONCE = 1000
_TRIES = 5

_WIRE = {
    "character_id": "characterId",
    "chat_id": "chatId",
    "message_id": "messageId",
    "mime_type": "mimeType",
    "user_id": "userId",
    "generation_prompt": "generationPrompt",
    "generation_model": "generationModel",
}


class RemoteAssets:
    """The assets of a server, in the name of the token's user; see `Assets`."""

    def __init__(self, connection: Connection, copies: Copies) -> None:
        self._connection = connection
        self._copies = copies

    def put(self, data: Data, /, **fields: Unpack[PutFields]) -> AssetView:
        """Store a file."""
        check_names(fields, PutFields)
        headers: dict[str, str] = {}
        if (expected := fields.get("sha256")) is not None:
            headers["X-SHA-256"] = parse_digest(expected)
        with opened(data) as source:
            name = safe_name(fields.get("filename") or source.name)
            if source.size is not None:
                headers["Content-Length"] = str(source.size)
            said = {name: value for name, value in fields.items() if name not in {"filename", "sha256"}}
            params = [("filename", name), *_params(said)]
            answer = self._connection.send(
                "POST", "/api/assets", params=params, content=source.chunks(), headers=headers
            )
        return _view(answer)

    def get(self, asset_id: str) -> AssetView:
        """Return a record."""
        return _view(self._connection.send("GET", _path(asset_id)))

    def find(self, sha256: str) -> list[AssetView]:
        """Return every record that names a payload, oldest first."""
        return list(walk(self, sha256=parse_digest(sha256)))

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        sort: str | None = None,
        q: str | None = None,
        **filters: Unpack[Filters],
    ) -> AssetPage:
        """Return a page of records."""
        check_names(filters, Filters)
        paging = {"limit": str(limit), "cursor": cursor, "sort": sort, "q": q}
        answer = self._connection.send("GET", "/api/assets", params=_params({**paging, **filters}))
        page = answer.json()
        return AssetPage(
            [AssetView.of(item) for item in page.get("items", ())],
            page.get("nextCursor"),
            page.get("total", 0),
            bool(page.get("totalCapped", False)),
            page.get("unreadable", 0),
        )

    def open(self, sha256: str) -> BinaryIO:
        """Open a payload's bytes, read from the connection as they come."""
        return self._connection.stream(f"/blobs/{parse_digest(sha256)}")

    def read(self, sha256: str) -> bytes:
        """Return a payload's bytes."""
        with self.open(sha256) as file:
            return file.read()

    def variant(self, sha256: str, variant: str, form: str = "webp") -> Path:
        """Return a copy of a smaller picture."""
        name = f"{quote(variant, safe='')}.{quote(form, safe='')}"
        path = f"/blobs/{parse_digest(sha256)}/{name}"
        return self._copies.keep(f"{sha256}-{name}", partial(self._connection.stream, path))

    def delete(self, asset_id: str, *, force: bool = False, purge: bool = False) -> None:
        """Delete a record."""
        wishes = {"force": "1" if force else None, "purge": "1" if purge else None}
        self._connection.send("DELETE", _path(asset_id), params=_params(wishes))

    def restore(self, asset_id: str) -> AssetView:
        """Bring a deleted record back."""
        return _view(self._connection.send("POST", f"{_path(asset_id)}/restore"))

    def have(self, digests: Sequence[str]) -> Sequence[str]:
        """Return those of the digests that none of the token's user's records names."""
        wanted = [str(parse_digest(digest)) for digest in digests]
        missing: list[str] = []
        for start in range(0, len(wanted), HAVE_AT_ONCE):
            asked = {"sha256": wanted[start : start + HAVE_AT_ONCE]}
            missing += self._connection.send("POST", "/api/assets/have", value=asked).json().get("missing", [])
        return missing

    def references(self, key: str) -> Sequence[Reference]:
        """Return what uses a record or a payload."""
        ids = [asset.id for asset in self.find(key)] if len(key) == DIGEST_LENGTH else [key]
        found: dict[Reference, None] = {}
        for asset_id in ids:
            answer = self._connection.send("GET", f"{_path(asset_id)}/references").json()
            found |= dict.fromkeys(Reference(by["kind"], by["id"], by["field"]) for by in answer.get("items", ()))
        return list(found)

    def tag(self, asset_id: str, *tags: str) -> AssetView:
        """Put tags on a record."""
        for _ in range(_TRIES):
            answer = self._connection.send("GET", _path(asset_id))
            wanted = list(dict.fromkeys([*_view(answer).tags, *tags]))
            try:
                return self._patch(asset_id, {"tags": wanted}, answer.headers.get("etag"))
            except StaleError:
                continue  # somebody else changed the record in between
        raise BusyError(f"The asset {asset_id} is being changed all the time; try again.", object=asset_id)

    def sign(self, sha256: str, expires_in: timedelta) -> SignedAddress:
        """Return an address that opens without credentials."""
        found = self.list(sha256=parse_digest(sha256), limit=1).items
        if not found:
            raise NotFoundError(f"There is no payload {sha256}.", object=sha256)
        wanted = {"expiresIn": int(expires_in.total_seconds())}
        answer = self._connection.send("POST", f"{_path(found[0].id)}/sign", value=wanted).json()
        return SignedAddress(urljoin(self._connection.url, answer.get("url", "")), answer.get("expiresAt", ""))

    def untag(self, asset_id: str, tag_id: str) -> AssetView:
        """Take a tag off a record."""
        self._connection.send("DELETE", f"{_path(asset_id)}/tags/{quote(tag_id, safe='')}")
        return self.get(asset_id)

    def _patch(self, asset_id: str, body: Mapping[str, object], etag: str | None) -> AssetView:
        headers = {"Content-Type": "application/merge-patch+json"}
        if etag is not None:
            headers["If-Match"] = etag
        return _view(self._connection.send("PATCH", _path(asset_id), value=body, headers=headers))


class RemoteStore:
    """A connection to a server as the library's door gives it; a context manager, usable from several threads.

    Attributes:
        assets: payloads and their records.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._connection = Connection(url, token)
        self._copies = Copies()
        self.assets = RemoteAssets(self._connection, self._copies)

    def references(self, key: str) -> Sequence[Reference]:
        """Return what uses an asset (by its id) or a payload (by its SHA-256); see `Assets.references`."""
        return self.assets.references(key)

    def close(self) -> None:
        """Close the connections, and remove the copies of smaller pictures."""
        self._connection.close()
        self._copies.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()


def _path(asset_id: str) -> str:
    return f"/api/assets/{quote(asset_id, safe='')}"


def _params(fields: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return query parameters, one for each value of a list; None is left out."""
    params: list[tuple[str, str]] = []
    for name, value in fields.items():
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        params += [(_WIRE.get(name, name), str(each)) for each in values]
    return params


def _view(answer: Answer) -> AssetView:
    version = answer.headers.get("etag", "").strip('"').partition(".")[0]
    return AssetView.of(answer.json(), version)
