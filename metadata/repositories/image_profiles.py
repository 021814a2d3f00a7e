"""Image profiles, and their two-sided link with assets: the profile's sample pictures, the asset's origin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..clock import timestamp
from ..documents.contract import Change, Record
from ..errors import NotFoundError
from ..schemas.assets import Asset
from ..schemas.profiles import ImageProfile
from .profiles import ProfilesRepository

if TYPE_CHECKING:
    from ..documents.contract import Edit


class ImageProfilesRepository(ProfilesRepository[ImageProfile]):
    """The image profiles of all users.

    A profile lists the ids of its pictures in `_imageIds`; an asset names its one profile in `_imageProfileId`. Both
    are changed in one operation, so that either side tells the same.
    """

    model = ImageProfile

    def find_by_image_id(self, asset_id: str) -> list[ImageProfile]:
        """Return every profile that has an asset among its pictures."""
        return list(self.walk({"_imageIds": [asset_id]}))

    def images(self, profile_id: str, *, owner: str | None = None) -> list[Asset]:
        """Return a profile's pictures in its order; the first is its thumbnail.

        Raises:
            NotFoundError: there is no such profile.
        """
        found = [self._documents.get("asset", key) for key in self.get(profile_id, owner=owner).image_ids]
        return [Asset.from_record(one.body, version=one.version) for one in found if one is not None]

    def thumbnail(self, profile_id: str, *, owner: str | None = None) -> Asset | None:
        """Return a profile's first picture, None when it has none; errors as `images`."""
        return next(iter(self.images(profile_id, owner=owner)), None)

    def add_image(self, profile_id: str, asset_id: str, *, owner: str | None = None) -> Asset:
        """Link an asset and a profile and return the asset; it leaves the profile it was linked with before.

        Raises:
            NotFoundError: one of them does not exist, or is not this owner's.
        """
        with self._documents.guard(exclusive=True):
            self.get(profile_id, owner=owner)
            asset = self._asset(asset_id, owner)
            before = asset.get("_imageProfileId")
            changes = [
                self._change("asset", asset_id, partial(_with_profile, profile_id)),
                self._change("imageProfile", profile_id, partial(_with_image, asset_id)),
            ]
            if isinstance(before, str) and before != profile_id and self.find_by_id(before) is not None:
                changes.append(self._change("imageProfile", before, partial(_without_image, asset_id)))
            stored = self._certain(self._documents.apply(changes)[0])
        return Asset.from_record(stored.body, version=stored.version)

    def remove_image(self, profile_id: str, asset_id: str, *, owner: str | None = None) -> None:
        """Take the link between an asset and a profile away; one that is not there is no error.

        Raises:
            NotFoundError: one of them does not exist, or is not this owner's.
        """
        with self._documents.guard(exclusive=True):
            self.get(profile_id, owner=owner)
            self._asset(asset_id, owner)
            self._documents.apply(
                [
                    self._change("asset", asset_id, partial(_without_profile, profile_id)),
                    self._change("imageProfile", profile_id, partial(_without_image, asset_id)),
                ]
            )

    def _asset(self, asset_id: str, owner: str | None) -> Record:
        stored = self._documents.get("asset", asset_id)
        if stored is None or (owner is not None and stored.body.get("userId") != owner):
            raise NotFoundError(f"There is no asset {asset_id[:80]}.", object=asset_id[:80])
        return stored.body

    def _change(self, kind: str, key: str, edit: Edit) -> Change:
        """Return the change that makes this edit and dates the record, unless the edit leaves it as it is."""

        def dated(record: Record | None) -> Record | None:
            after = edit(None if record is None else dict(record))
            if after is not None and record is not None and after != record:
                after["updatedAt"] = self._later_than(record.get("updatedAt", timestamp(self._clock.now())))
            return after

        return Change(kind, key, dated)


def _with_profile(profile_id: str, asset: Record | None) -> Record | None:
    return None if asset is None else {**asset, "_imageProfileId": profile_id}


def _without_profile(profile_id: str, asset: Record | None) -> Record | None:
    if asset is not None and asset.get("_imageProfileId") == profile_id:
        del asset["_imageProfileId"]
    return asset


def _with_image(asset_id: str, profile: Record | None) -> Record | None:
    if profile is None or asset_id in _images(profile):
        return profile
    return {**profile, "_imageIds": [*_images(profile), asset_id]}


def _without_image(asset_id: str, profile: Record | None) -> Record | None:
    if profile is None or asset_id not in _images(profile):
        return profile
    return {**profile, "_imageIds": [image for image in _images(profile) if image != asset_id]}


def _images(profile: Record) -> list[object]:
    images = profile.get("_imageIds")
    return images if isinstance(images, list) else []
