"""Assets and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InvalidError
from metadata.schemas.assets import Asset, ChatFile, Fact, Image
from metadata.schemas.enums import AssetSource, AssetType

if TYPE_CHECKING:
    from types import ModuleType


def test_the_path_follows_from_the_hash_unless_the_original_says_otherwise(original: ModuleType) -> None:
    first, lost, _ = original.assets()
    fields = {name: value for name, value in first.items() if name != "relativePath"}
    assert Asset.build(fields).relative_path == f"binaries/{first['sha256']}/raw"
    assert Asset.from_record(fields).to_record() == fields
    assert Asset.from_record(lost).relative_path == lost["relativePath"]


def test_members_of_ours_are_written_under_names_of_ours(original: ModuleType) -> None:
    record = original.assets()[0]
    asset = Asset.from_record(record).replaced(
        tag_types={original.CHARACTER: "CHARACTER"}, image_profile_id=original.IMAGE_PROFILE, meta={"k": 1}
    )
    ours = {
        "_meta": {"k": 1},
        "_tagTypes": {original.CHARACTER: "CHARACTER"},
        "_imageProfileId": original.IMAGE_PROFILE,
    }
    assert asset.to_record() == record | ours


def test_an_asset_is_an_upload_unless_it_says_otherwise(original: ModuleType) -> None:
    fields = {name: value for name, value in original.assets()[0].items() if name != "source"}
    assert Asset.build(fields).source is AssetSource.UPLOAD


def test_images_and_chat_files_are_told_apart_by_their_type(original: ModuleType) -> None:
    image, avatar, file = original.assets()
    assert Image.from_record(image) != Asset.from_record(image)
    assert Image.from_record(avatar).type is AssetType.AVATAR
    assert ChatFile.from_record(file).type is AssetType.CHAT_FILE
    for model, record in ((Image, file), (ChatFile, image)):
        with pytest.raises(InvalidError) as caught:
            model.from_record(record)
        assert caught.value.details["field"] == "type"


@pytest.mark.parametrize(
    ("member", "value"), [("sha256", "A" * 64), ("size", -1), ("size", "7"), ("tags", ["x"]), ("type", "video")]
)
def test_a_wrong_value_is_refused_by_name(original: ModuleType, member: str, value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        Asset.from_record(original.assets()[0] | {member: value})
    assert str(caught.value.details["field"]).split(".")[0] == member


def test_a_fact_needs_no_more_than_hash_and_size(records: dict[str, list[dict[str, Any]]]) -> None:
    fact = records["fact"][0]
    assert Fact.from_record(fact).to_record() == fact
    assert Fact.build({"sha256": fact["sha256"], "size": 0}).to_record() == {"sha256": fact["sha256"], "size": 0}
