"""The two-sided link between image profiles and assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import put
from metadata.documents.memory import MemoryDocuments
from metadata.errors import NotFoundError
from metadata.repositories.image_profiles import ImageProfilesRepository

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.contract import Record


class Fixture:
    """A repository over memory, with an asset and two profiles."""

    def __init__(self, make: ModuleType) -> None:
        self.documents = MemoryDocuments()
        self.profiles = ImageProfilesRepository(self.documents)
        self.asset = self.keep("asset", make.asset())
        self.first, self.second = (self.keep("imageProfile", self.profile(make, name)) for name in ("first", "second"))
        self.owner = make.USER
        self.other = make.OTHER

    def profile(self, make: ModuleType, name: str) -> Record:
        """Return a profile."""
        rest = {"provider": "OPENAI", "modelName": "m", "parameters": {}, "isDefault": False, "tags": []}
        return {"id": make.new_id(), "userId": make.USER, "name": name, **rest, **make.DATES}

    def keep(self, kind: str, record: Record) -> str:
        """Store a record and return its id."""
        self.documents.apply([put(kind, record)])
        return str(record["id"])

    def read(self, kind: str, key: str) -> Record:
        """Return a record."""
        stored = self.documents.get(kind, key)
        assert stored is not None
        return stored.body


@pytest.fixture
def kept(make: ModuleType) -> Fixture:
    """The fixture."""
    return Fixture(make)


def test_both_sides_know(kept: Fixture) -> None:
    asset = kept.profiles.add_image(kept.first, kept.asset, owner=kept.owner)
    assert (asset.image_profile_id, asset.version) != (None, "")
    assert kept.read("asset", kept.asset)["_imageProfileId"] == kept.first
    assert kept.read("imageProfile", kept.first)["_imageIds"] == [kept.asset]


def test_a_change_is_dated_and_a_repetition_is_none(kept: Fixture) -> None:
    kept.profiles.add_image(kept.first, kept.asset)
    asset, profile = kept.read("asset", kept.asset), kept.read("imageProfile", kept.first)
    assert asset["updatedAt"] != asset["createdAt"]
    kept.profiles.add_image(kept.first, kept.asset)
    assert (kept.read("asset", kept.asset), kept.read("imageProfile", kept.first)) == (asset, profile)


def test_an_asset_leaves_the_profile_it_was_linked_with(kept: Fixture) -> None:
    kept.profiles.add_image(kept.first, kept.asset)
    kept.profiles.add_image(kept.second, kept.asset)
    assert kept.read("imageProfile", kept.first)["_imageIds"] == []
    assert kept.read("imageProfile", kept.second)["_imageIds"] == [kept.asset]


def test_taking_the_link_away_leaves_another_link_alone(kept: Fixture) -> None:
    kept.profiles.add_image(kept.second, kept.asset)
    kept.profiles.remove_image(kept.first, kept.asset)
    assert kept.read("asset", kept.asset)["_imageProfileId"] == kept.second
    kept.profiles.remove_image(kept.second, kept.asset)
    assert "_imageProfileId" not in kept.read("asset", kept.asset)
    assert kept.read("imageProfile", kept.second)["_imageIds"] == []


def test_what_is_not_there_or_anothers_is_not_linked(kept: Fixture, make: ModuleType) -> None:
    foreign = kept.keep("asset", make.asset(2, user=make.OTHER))
    pairs = [(kept.first, make.new_id()), (make.new_id(), kept.asset), (kept.first, foreign)]
    for profile, asset in pairs:
        for change in (kept.profiles.add_image, kept.profiles.remove_image):
            with pytest.raises(NotFoundError):
                change(profile, asset, owner=kept.owner)
    with pytest.raises(NotFoundError):
        kept.profiles.add_image(kept.first, kept.asset, owner=kept.other)
    assert "_imageIds" not in kept.read("imageProfile", kept.first)
