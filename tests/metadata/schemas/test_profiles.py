"""API keys and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.errors import InvalidError
from metadata.schemas.profiles import ApiKey, ConnectionProfile, ImageProfile

if TYPE_CHECKING:
    from types import ModuleType


def test_a_key_sealed_by_the_original_has_no_key_id_and_no_owner(original: ModuleType) -> None:
    key = ApiKey.from_record(original.api_key())
    assert (key.key_id, key.user_id) == (None, None)
    assert original.SEALED["ciphertext"] not in repr(key)
    ours = key.replaced(ciphertext="AA==", key_id="k1", user_id=original.USER).to_record()
    assert ours == original.api_key() | {"ciphertext": "AA==", "_keyId": "k1", "_userId": original.USER}


def test_a_provider_may_be_anything_but_nothing(original: ModuleType) -> None:
    assert ImageProfile.from_record(original.image_profile()).provider == "SOME_LATER_PROVIDER"
    with pytest.raises(InvalidError) as caught:
        ConnectionProfile.from_record(original.connection_profile() | {"provider": ""})
    assert caught.value.details["field"] == "provider"


def test_numbers_in_parameters_stay_as_they_were_written(original: ModuleType) -> None:
    record = ConnectionProfile.from_record(original.connection_profile()).replaced(name="x").to_record()
    assert repr(record["parameters"]) == repr(original.connection_profile()["parameters"])


def test_an_image_profile_holds_its_pictures_under_a_name_of_ours(original: ModuleType) -> None:
    profile = ImageProfile.from_record(original.image_profile()).replaced(image_ids=[original.ASSET])
    assert profile.to_record() == original.image_profile() | {"_imageIds": [original.ASSET]}


def test_the_provider_keeps_its_place_in_both_profiles() -> None:
    common = [name for _, name in ConnectionProfile.members()]
    assert [name for _, name in ImageProfile.members()] == [*common, "_imageIds"]
