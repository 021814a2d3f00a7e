"""References made to name what is here, by the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.transfer.rewriting import rewritten
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = {("tag", "1"): "T", ("tag", "2"): "T", ("persona", "p"): "p", ("character", "c"): "C", ("asset", "a"): "A"}


def resolve(kinds: Sequence[str], record_id: str) -> str | None:
    return next((HERE[kind, record_id] for kind in kinds if (kind, record_id) in HERE), None)


def test_every_reference_of_a_record_is_renamed_and_what_names_nothing_goes() -> None:
    record: dict[str, Any] = {
        "id": "x",
        "userId": "u",
        "defaultImageId": "a",
        "tags": ["1", "gone", "2"],
        "personaLinks": [{"personaId": "p", "isDefault": True}, {"personaId": "gone", "isDefault": False}],
        "avatarOverrides": [{"chatId": "gone", "imageId": "a"}],
        "unknown": ["gone"],
    }
    before = str(record)
    body, notes = rewritten(CATALOG["character"], record, resolve)
    assert body == {
        "id": "x",
        "userId": "u",
        "defaultImageId": "A",
        "tags": ["T"],
        "personaLinks": [{"personaId": "p", "isDefault": True}],
        "avatarOverrides": [],
        "unknown": ["gone"],
    }
    assert len(notes) == 3
    assert all("gone" in note for note in notes)
    assert str(record) == before


def test_an_assets_tags_of_any_kind_are_renamed_with_their_types_and_kept_where_they_name_nothing() -> None:
    record: dict[str, Any] = {
        "tags": ["1", "c", "gone"],
        "_tagTypes": {"c": "CHARACTER", "gone": "PERSONA"},
        "messageId": "m",
    }
    body, notes = rewritten(CATALOG["asset"], record, resolve)
    assert body == {
        "tags": ["T", "C", "gone"],
        "_tagTypes": {"C": "CHARACTER", "gone": "PERSONA"},
        "messageId": "m",
    }
    assert notes == []


def test_a_member_that_names_nothing_is_dropped() -> None:
    body, notes = rewritten(CATALOG["chat"], {"characterId": "c", "personaId": "gone"}, resolve)
    assert body == {"characterId": "C"}
    assert notes == ["personaId named gone, which is not there, and was left out."]
