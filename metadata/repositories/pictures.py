"""Records that have a picture of their own: characters and personas."""

from __future__ import annotations

from typing import TypeVar

from ..errors import InvalidError
from ..index.query import Query
from ..schemas.base import Entity
from .tagged import TaggedRepository

E = TypeVar("E", bound=Entity)


class Pictured(TaggedRepository[E]):
    """Records with `defaultImageId` and `avatarUrl`."""

    def set_avatar(
        self,
        record_id: str,
        *,
        sha256: str | None = None,
        asset_id: str | None = None,
        owner: str | None = None,
        if_match: str | None = None,
    ) -> E:
        """Make an asset the picture of a record; by its payload's hash, the oldest of its owner's records of it.

        Raises:
            NotFoundError: there is no such record.
            InvalidError: its owner has no such asset, or not exactly one of hash and id was given.
        """
        if (sha256 is None) == (asset_id is None):
            raise InvalidError("Give either the sha256 of a picture or the id of an asset.", field="sha256")
        user = getattr(self.get(record_id, owner=owner), "user_id", None)
        found = self._named(str(asset_id), user) if sha256 is None else self._of_payload(sha256, user)
        fields = {"default_image_id": found, "avatar_url": None}  # a URL beside it would say something else
        return self.edit(record_id, lambda found: found.replaced(**fields), if_match=if_match, owner=owner)

    def clear_avatar(self, record_id: str, *, owner: str | None = None, if_match: str | None = None) -> E:
        """Take a record's picture away; none is no error.

        Raises:
            NotFoundError: there is no such record.
        """
        fields = {"default_image_id": None, "avatar_url": None}
        return self.edit(record_id, lambda found: found.replaced(**fields), if_match=if_match, owner=owner)

    def _of_payload(self, sha256: str, user: str | None) -> str:
        found = self._documents.find("asset", Query(filter={"sha256": sha256}, owner=user, limit=1)).items
        if not found:
            raise InvalidError(f"There is no asset with the hash {sha256[:80]}. Upload it first.", field="sha256")
        return found[0].key

    def _named(self, asset_id: str, user: str | None) -> str:
        found = self._documents.get("asset", asset_id)
        if found is None or (user is not None and found.body.get("userId") != user):
            raise InvalidError(f"There is no asset {asset_id[:80]}. Upload it first.", field="assetId")
        return asset_id
