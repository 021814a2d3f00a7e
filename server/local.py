"""Assets over an opened data folder: the interface for programs in the same process, and for the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from assets.digest import DIGEST_LENGTH, parse_digest
from assets.library import Upload
from metadata.errors import NotFoundError
from metadata.index.query import Query

from .filenames import safe_name
from .interface import Filters, PutFields, check_names
from .negotiation import form_named
from .shown import Shown
from .signing import UrlSigner
from .sinks import too_large
from .sources import opened
from .views import AssetPage, AssetView, Reference, SignedAddress
from .wire import base_of, blob_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from types import TracebackType
    from typing import Unpack

    from assets.blobs.base import Staged
    from assets.gc import Collection
    from metadata.documents.contract import Documents, Referrer
    from metadata.index.clauses import Scalar
    from metadata.schemas.assets import Asset

    from .interface import Data
    from .settings import Settings
    from .wiring import Store

_FIELDS = {
    "character_id": "characterId",
    "chat_id": "chatId",
    "message_id": "messageId",
    "mime_type": "mimeType",
}


class LocalAssets:
    """The assets of a data folder, in the name of its first user, who is an administrator; see `Assets`."""

    def __init__(self, store: Store) -> None:
        self._library = store.assets
        self._images = store.assets.images
        self._documents = store.documents
        self._tags = store.records.tags
        self._owner = store.owner.id
        self._vault = store.vault
        self._clock = store.clock
        self._limit = int(store.settings.max_upload_bytes)
        self._base = base_of(store.settings)
        self._shown = Shown(store.documents, self._base)
        self._prints = store.prints

    def put(self, data: Data, /, **fields: Unpack[PutFields]) -> AssetView:
        """Store a file."""
        check_names(fields, PutFields)
        expected = fields.get("sha256")
        upload = Upload(
            user_id=self._owner,
            filename=safe_name(fields.get("filename") or (data.name if isinstance(data, Path) else None)),
            type=fields.get("type"),
            source=fields.get("source") or "upload",
            tags=tuple(fields.get("tags") or ()),
            links=_given(
                chatId=fields.get("chat_id"),
                characterId=fields.get("character_id"),
                messageId=fields.get("message_id"),
            ),
            extra=_given(
                generationPrompt=fields.get("generation_prompt"), generationModel=fields.get("generation_model")
            ),
            expected=None if expected is None else parse_digest(expected),
        )
        stored = self._library.store(self._stage(data), upload)
        return self._view(stored.asset, duplicate=stored.duplicate)

    def get(self, asset_id: str) -> AssetView:
        """Return a record."""
        return self._view(self._images.get(asset_id))

    def find(self, sha256: str) -> list[AssetView]:
        """Return every record that names a payload, oldest first."""
        return [self._view(asset) for asset in self._images.find_by_sha256(parse_digest(sha256))]

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
        wanted: dict[str, Scalar | Sequence[str]] = {
            _FIELDS.get(name, name): value  # type: ignore[misc] # a TypedDict's values are objects to mypy
            for name, value in filters.items()
            if name not in {"tags", "user_id"}
        }
        if "tags" in filters:
            wanted["tags"] = [self._tag_id(tag) for tag in filters["tags"]]
        owner = filters.get("user_id")
        page = self._images.list(Query(filter=wanted, owner=owner, sort=sort, q=q, limit=limit, cursor=cursor))
        wires = self._shown.many(page.items)
        items = [AssetView.of(wire, asset.version) for asset, wire in zip(page.items, wires, strict=True)]
        return AssetPage(items, page.next_cursor, page.total, page.total_capped, page.unreadable)

    def open(self, sha256: str) -> BinaryIO:
        """Open a payload's bytes."""
        return self._library.open(self._library.find(parse_digest(sha256)).digest)

    def read(self, sha256: str) -> bytes:
        """Return a payload's bytes."""
        with self.open(sha256) as file:
            return file.read()

    def variant(self, sha256: str, variant: str, form: str = "webp") -> Path:
        """Return the file of a smaller picture."""
        wanted = self._prints.variants.parse(variant)
        found = self._library.find(parse_digest(sha256))
        return self._prints.derivatives.get(found.digest, wanted, form_named(form)).path

    def delete(self, asset_id: str, *, force: bool = False, purge: bool = False) -> None:
        """Delete a record."""
        self._library.forget(asset_id, force=force, purge=purge)

    def restore(self, asset_id: str) -> AssetView:
        """Bring a deleted record back."""
        return self._view(self._library.restore(asset_id))

    def have(self, digests: Sequence[str]) -> Sequence[str]:
        """Return those of the digests that none of the first user's records names."""
        return self._library.missing_of([parse_digest(digest) for digest in digests], owner=self._owner)

    def references(self, key: str) -> Sequence[Reference]:
        """Return what uses a record or a payload."""
        if len(key) != DIGEST_LENGTH:
            return _references(self._images.referrers(key))
        found = [by for asset in self.find(key) for by in self._documents.referrers("asset", asset.id)]
        return _references([*found, *self._documents.mentions(parse_digest(key))])

    def tag(self, asset_id: str, *tags: str) -> AssetView:
        """Put tags on a record."""
        asset = self._images.get(asset_id)
        ids = self._tags.resolve(self._owner, tags)
        if not set(ids) <= set(asset.tags):
            asset = self._images.edit(asset_id, lambda now: now.replaced(tags=list(dict.fromkeys([*now.tags, *ids]))))
        return self._view(asset)

    def sign(self, sha256: str, expires_in: timedelta) -> SignedAddress:
        """Return an address that opens without credentials."""
        digest = parse_digest(sha256)
        asset = self._images.first_named(digest)
        if asset is None:
            raise NotFoundError(f"There is no payload {digest}.", object=digest)
        signed = UrlSigner(self._vault.url_key(), self._clock).sign(blob_url(digest, asset.mime_type), expires_in)
        return SignedAddress(self._base + signed.url, signed.expires_at)

    def untag(self, asset_id: str, tag_id: str) -> AssetView:
        """Take a tag off a record."""
        return self._view(self._images.remove_tag(asset_id, tag_id))

    def _stage(self, data: Data) -> Staged:
        with opened(data) as source, self._library.receive() as staging:
            for chunk in source.chunks():
                staging.write(chunk)
                if staging.size > self._limit:
                    raise too_large(self._limit, source.size)
            return staging.finish()

    def _view(self, asset: Asset, *, duplicate: bool | None = None) -> AssetView:
        return AssetView.of(self._shown.one(asset, duplicate=duplicate), asset.version)

    def _tag_id(self, tag: str) -> str:
        """Return a tag's id; a name that no tag has stays as it is, and nothing is found by it."""
        named = self._tags.find_by_name(self._owner, tag)
        return tag if named is None else named.id


class LocalStore:
    """An opened data folder as the library's door gives it; a context manager, usable from several threads.

    Attributes:
        assets: payloads and their records.
        characters, personas, chats, messages, tags, users, connections, images, image_profiles, api_keys, accounts,
            sessions, verification_tokens, access_tokens, chat_settings: the records of every kind.
        inside: everything else of the opened folder; what `calotype.asgi` serves.
    """

    def __init__(self, store: Store) -> None:
        self.inside = store
        self.assets = LocalAssets(store)
        records = store.records
        self.characters = records.characters
        self.personas = records.personas
        self.chats = records.chats
        self.messages = records.messages
        self.tags = records.tags
        self.users = records.users
        self.connections = records.connections
        self.images = records.images
        self.image_profiles = records.image_profiles
        self.api_keys = records.api_keys
        self.accounts = records.accounts
        self.sessions = records.sessions
        self.verification_tokens = records.verification_tokens
        self.access_tokens = records.access_tokens
        self.chat_settings = records.chat_settings

    @property
    def settings(self) -> Settings:
        """What the folder was opened with."""
        return self.inside.settings

    @property
    def documents(self) -> Documents:
        """Raw records of every kind."""
        return self.inside.documents

    @property
    def gc(self) -> Collection:
        """The garbage collection: `plan` says what would go and why, `execute` does it."""
        return self.inside.gc

    def references(self, key: str) -> Sequence[Reference]:
        """Return what uses an asset (by its id) or a payload (by its SHA-256); see `Assets.references`."""
        return self.assets.references(key)

    def close(self) -> None:
        """Let go of files, locks and the index."""
        self.inside.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _references(referrers: Sequence[Referrer]) -> list[Reference]:
    return list(
        dict.fromkeys(Reference(by.kind, by.key.rpartition("/")[2], by.field.removeprefix("_")) for by in referrers)
    )
