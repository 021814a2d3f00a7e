"""Assets as a program sees them, the same over a folder and over HTTP: the contract; its values are in `views`.

`LocalAssets` and `RemoteAssets` fulfil it; one suite of tests runs over both, and the command line is written against
it alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypedDict

from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta
    from types import TracebackType
    from typing import Self, Unpack

    from .views import AssetPage, AssetView, Reference, SignedAddress

Data = Path | bytes | BinaryIO
"""Where bytes come from: a file, bytes at hand, or something that is read to its end."""


class PutFields(TypedDict, total=False):
    """What may be said of a file that is stored.

    `filename` is by default the path's name; `type` is image, chat_file or avatar, by default chosen from the bytes;
    `source` is upload, import or generated; `tags` are ids or names, names are created; `sha256` is the digest the
    bytes must have.
    """

    filename: str | None
    type: str | None
    source: str
    tags: Sequence[str]
    character_id: str | None
    chat_id: str | None
    message_id: str | None
    generation_prompt: str | None
    generation_model: str | None
    sha256: str | None


class Filters(TypedDict, total=False):
    """What a list may be narrowed to; of several `tags` (ids or names) all must be there. `user_id` is for admins."""

    type: str
    sha256: str
    tags: Sequence[str]
    character_id: str
    chat_id: str
    message_id: str
    source: str
    mime_type: str
    filename: str
    user_id: str


class Assets(Protocol):
    """Payloads and their records. Every method may be called from several threads."""

    def put(self, data: Data, /, **fields: Unpack[PutFields]) -> AssetView:
        """Store a file; the same bytes with the same type and links again are the same record (`duplicate`).

        Raises:
            InvalidError: there are no bytes, or a field is wrong or unknown.
            ConflictError: the bytes have not the digest `sha256`.
            TooLargeError, FullError: over a limit, or no room.
            NotFoundError, UnreadableError: the path is not there, or cannot be read.
        """

    def get(self, asset_id: str) -> AssetView:
        """Return a record.

        Raises:
            NotFoundError: there is none of this id.
        """

    def find(self, sha256: str) -> list[AssetView]:
        """Return every record that names a payload, oldest first; an administrator sees everybody's.

        Raises:
            InvalidError: that is not a digest.
        """

    def list(
        self,
        *,
        limit: int = 50,
        cursor: str | None = None,
        sort: str | None = None,
        q: str | None = None,
        **filters: Unpack[Filters],
    ) -> AssetPage:
        """Return a page of records, oldest first unless `sort` (`field`, `-field`) or `q` (full text) says otherwise.

        Raises:
            InvalidError: an unknown filter or field, or a limit or cursor that is not sound.
        """

    def open(self, sha256: str) -> BinaryIO:
        """Open a payload's bytes.

        Raises:
            NotFoundError: there is no such payload.
            InvalidError: that is not a digest.
        """

    def read(self, sha256: str) -> bytes:
        """Return a payload's bytes; errors as `open`."""

    def variant(self, sha256: str, variant: str, form: str = "webp") -> Path:
        """Return the file of a smaller picture, made if it is not there yet; read it, and leave it as it is.

        From an opened folder it is the store's own, which goes when room is needed for others; from a server it is a
        copy that goes when the connection is closed.

        Args:
            sha256: the original.
            variant: `thumb`, `card`, `avatar`, `full`, `256x256-cover`, `512x`, `x512`, …
            form: `jpg`, `png`, `webp` or `avif`.

        Raises:
            NotFoundError: there is no such payload.
            UnsupportedError: it is no picture that smaller ones can be made of.
            InvalidError: it is damaged or over a limit; no such variant or format; that is not a digest.
            BusyError: too many pictures are being made.
        """

    def delete(self, asset_id: str, *, force: bool = False, purge: bool = False) -> None:
        """Delete a record; its payload goes with the garbage collection, or (`purge`) now if nothing else needs it.

        Raises:
            NotFoundError: there is none of this id.
            ConflictError: it is still used, and `force` was not given.
        """

    def restore(self, asset_id: str) -> AssetView:
        """Bring a deleted record back while its payload is still there.

        Raises:
            NotFoundError: it is gone for good.
            ConflictError: it is not deleted.
        """

    def have(self, digests: Sequence[str]) -> Sequence[str]:
        """Return those of the digests that none of one's own records names.

        Raises:
            InvalidError: one of them is not a digest.
        """

    def references(self, key: str) -> Sequence[Reference]:
        """Return what uses a record (by its id) or a payload (by its SHA-256).

        Raises:
            NotFoundError: there is no record of this id.
        """

    def tag(self, asset_id: str, *tags: str) -> AssetView:
        """Put tags (ids or names; names are created) on a record.

        Raises:
            NotFoundError: there is none of this id.
        """

    def sign(self, sha256: str, expires_in: timedelta) -> SignedAddress:
        """Return an address that opens without credentials for at most 30 days, absolute if the server's is known.

        Raises:
            NotFoundError: no record names this payload.
            InvalidError: that is not a digest, or no such time.
        """

    def untag(self, asset_id: str, tag_id: str) -> AssetView:
        """Take a tag off a record; one that is not there is no error.

        Raises:
            NotFoundError: there is no record of this id.
        """


class Door(Protocol):
    """Something with assets behind it that is closed afterwards: an opened folder, or a connection to a server."""

    @property
    def assets(self) -> Assets:
        """The assets."""

    def close(self) -> None:
        """Let go of it."""

    def __enter__(self) -> Self:
        """Return itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""


def check_names(given: Mapping[str, object], known: type) -> None:
    """Refuse names that a `TypedDict` does not have.

    Raises:
        InvalidError: there is one; `field` names it.
    """
    names = sorted(known.__annotations__)
    for name in given:
        if name not in names:
            raise InvalidError(f"There is no {name!r} here; there are {', '.join(names)}.", field=name)


def walk(
    assets: Assets, *, sort: str | None = None, q: str | None = None, **filters: Unpack[Filters]
) -> Iterator[AssetView]:
    """Yield every record that fits, page after page."""
    cursor: str | None = None
    while True:
        page = assets.list(limit=500, cursor=cursor, sort=sort, q=q, **filters)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
