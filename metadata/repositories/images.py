"""Assets (`binaries/index.jsonl`): records that each name a payload, for one owner and use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..documents.contract import Change, Record, Referrer, put
from ..errors import ConflictError, InvalidError, NotFoundError
from ..index.query import Query
from ..schemas.assets import Asset
from ..schemas.catalog import TAG_TYPES, RefField
from ..schemas.enums import ImageTagType
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LINKS = ("chatId", "characterId", "messageId")
"""The links that, with owner, payload and type, make two uploads the same."""


class ImagesRepository(Repository[Asset]):
    """The assets of all users."""

    model = Asset

    def find_by_sha256(self, sha256: str, *, owner: str | None = None) -> list[Asset]:
        """Return every record that names a payload, oldest first."""
        return list(self.walk({"sha256": sha256}, owner=owner))

    def find_by_type(self, asset_type: str, *, owner: str | None = None) -> list[Asset]:
        """Return every record of a type."""
        return list(self.walk({"type": asset_type}, owner=owner))

    def find_by_chat_id(self, chat_id: str) -> list[Asset]:
        """Return every record linked to a chat."""
        return list(self.walk({"chatId": chat_id}))

    def find_by_message_id(self, message_id: str) -> list[Asset]:
        """Return every record linked to a message."""
        return list(self.walk({"messageId": message_id}))

    def find_by_character_id(self, character_id: str) -> list[Asset]:
        """Return every record linked to a character."""
        return list(self.walk({"characterId": character_id}))

    def find_same(self, user_id: str, sha256: str, asset_type: str, links: Mapping[str, str | None]) -> Asset | None:
        """Return the record that an upload with these links would repeat, None when it is a new one.

        Args:
            user_id: the owner.
            sha256: the payload.
            asset_type: image, chat_file or avatar.
            links: `chatId`, `characterId` and `messageId`, None or missing where there is no such link.
        """
        given = {name: value for name in LINKS if (value := links.get(name)) is not None}
        for asset in self.walk({"sha256": sha256, "type": asset_type, **given}, owner=user_id):
            record = asset.to_record()
            if all(record.get(name) == links.get(name) for name in LINKS):
                return asset
        return None

    def is_live(self, sha256: str) -> bool:
        """Tell whether a record names this payload or a record's text mentions it."""
        return self._documents.is_live(sha256)

    def referrers(self, asset_id: str) -> list[Referrer]:
        """Return what refers to a record, and what mentions its payload's hash."""
        asset = self.get(asset_id)
        return self._documents.referrers("asset", asset_id) + self._documents.mentions(asset.sha256)

    def add_tag(self, asset_id: str, tag_id: str, tag_type: str = "THEME", *, owner: str | None = None) -> Asset:
        """Put a tag on a record; the id may be a character's, a persona's or a chat's if the type says so.

        Raises:
            InvalidError: there is no such tag, or no such type.
        """
        if tag_type not in TAG_TYPES:
            raise InvalidError(f"A tag's type is one of {', '.join(TAG_TYPES)}.", field="tagType")
        wanted = ImageTagType(tag_type)

        def change(asset: Asset) -> Asset:
            types = dict(asset.tag_types or {})
            if wanted is not ImageTagType.THEME:
                types[tag_id] = wanted
            tags = asset.tags if tag_id in asset.tags else [*asset.tags, tag_id]
            return asset.replaced(tags=tags, tag_types=types or None)

        return self.edit(asset_id, change, owner=owner)

    def remove_tag(self, asset_id: str, tag_id: str, *, owner: str | None = None) -> Asset:
        """Take a tag off a record; one that is not there is no error."""

        def change(asset: Asset) -> Asset:
            types = {key: kind for key, kind in (asset.tag_types or {}).items() if key != tag_id}
            return asset.replaced(tags=[tag for tag in asset.tags if tag != tag_id], tag_types=types or None)

        return self.edit(asset_id, change, owner=owner)

    def names(self, sha256: str, *, owner: str | None = None) -> bool:
        """Tell whether a record (of this owner, if given) names this payload."""
        return bool(self.list(Query(filter={"sha256": sha256}, owner=owner, limit=1)).items)

    def first_named(self, sha256: str) -> Asset | None:
        """Return the oldest record that names a payload, None when none does."""
        return next(iter(self.list(Query(filter={"sha256": sha256}, limit=1)).items), None)

    def add(self, record: Record, tags: Sequence[Change] = ()) -> Asset:
        """Store a drafted record, and in the same operation the tags that it is the first to carry.

        Raises:
            InvalidError: it refers to something absent.
        """
        stored = self._documents.apply([*tags, put("asset", record)])[-1]
        return self._entity(self._certain(stored))

    def edit_tagged(
        self,
        asset_id: str,
        change: Callable[[Asset], Asset],
        tags: Sequence[Change],
        *,
        if_match: str | None = None,
        owner: str | None = None,
    ) -> Asset:
        """Change a record as `edit` does, and in the same operation make the tags that it is the first to carry."""
        step = self.edit_step(asset_id, change, if_match=if_match, owner=owner)
        return self._entity(self._certain(self._documents.apply([*tags, step])[-1]))

    def buried(self, asset_id: str, *, owner: str | None = None) -> Record:
        """Return a deleted record, while its tombstone still holds it.

        Raises:
            NotFoundError: nothing of it is left, or it was not this owner's.
            ConflictError: it is not deleted.
        """
        if self.find_by_id(asset_id, owner=owner) is not None:
            raise ConflictError(f"The asset {asset_id} is not deleted.", existing=asset_id)
        body = self._documents.buried("asset", asset_id)
        if body is None or (owner is not None and body.get("userId") != owner):
            raise NotFoundError(f"There is no deleted asset {asset_id[:80]} to restore.", object=asset_id[:80])
        return body

    def restore(self, asset_id: str, *, owner: str | None = None) -> Asset:
        """Bring back a deleted record, without its references to what was deleted since; errors as `bring_back`."""
        return self.bring_back(self.buried(asset_id, owner=owner))

    def bring_back(self, body: Record) -> Asset:
        """Store a record as it was before it was deleted, without its references to what was deleted since.

        Raises:
            NotFoundError: nothing of it is left, or it was not this owner's; see `buried`.
            ConflictError: it is not deleted, or its owner is.
            InvalidError: that is no asset.
        """
        body = Asset.from_record(body).to_record()
        owner = str(body["userId"])
        if self._documents.get("user", owner) is None and self._documents.first("user") is not None:
            raise ConflictError(f"The user whom the asset {body['id']} belonged to is gone.", object=owner)
        for ref in self.kind.refs:
            for target in ref.values(body):
                if ref.path != (self.kind.owner,) and not self._resolves(ref, body, target):
                    body = ref.without(body, target) or body
        (stored,) = self._documents.apply([put("asset", body, trusting=True)])
        return self._entity(self._certain(stored))

    def _resolves(self, ref: RefField, body: Record, target: str) -> bool:
        kinds = ref.targets if (named := ref.target_kind(body, target)) is None else (named,)
        keys = {kind: f"{body.get('chatId')}/{target}" if kind == "message" else target for kind in kinds}
        return any(self._documents.get(kind, key) is not None for kind, key in keys.items())
