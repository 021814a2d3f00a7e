"""Records without their references to what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metadata.documents.settling import settled
from metadata.index.gone import Gone
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

ASSET = CATALOG["asset"]


def test_a_reference_follows_the_rule_of_its_field(make: ModuleType) -> None:
    record = make.asset(1, chatId="c", messageId="m", characterId="p", tags=["t", "p"], _tagTypes={"p": "CHARACTER"})
    found = {("chat", "c"): Gone(forced=False), ("character", "p"): Gone(forced=False)}
    after = settled(ASSET, record, found)
    assert after["tags"] == ["t"]
    assert after["_tagTypes"] == {}
    assert not {"chatId", "messageId", "characterId"} & after.keys()
    assert settled(ASSET, after, found) == after


def test_what_is_of_another_kind_is_another_thing(make: ModuleType) -> None:
    record = make.asset(1, chatId="c")
    assert settled(ASSET, record, {("character", "c"): Gone(forced=False)}) is record


def test_an_heir_takes_the_place_once(make: ModuleType) -> None:
    record = make.asset(1, tags=["a", "b", "c"])
    found = {("tag", "a"): Gone(forced=False, heir="c"), ("tag", "b"): Gone(forced=False, heir="gone")}
    found[("tag", "gone")] = Gone(forced=False)
    assert settled(ASSET, record, found)["tags"] == ["c"]


def test_a_reference_that_forbids_gives_way_to_force_alone(make: ModuleType) -> None:
    record: dict[str, Any] = make.character(defaultImageId="a")
    assert settled(CATALOG["character"], record, {("asset", "a"): Gone(forced=False)}) == record
    assert "defaultImageId" not in settled(CATALOG["character"], record, {("asset", "a"): Gone(forced=True)})
