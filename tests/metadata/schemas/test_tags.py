"""Tags and the folding of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from metadata.schemas.tags import Tag, fold_name

if TYPE_CHECKING:
    from types import ModuleType


@given(st.text())
def test_letter_case_does_not_count_and_folding_twice_is_folding_once(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)
    assert fold_name(name.upper().lower()) == fold_name(name.upper())


def test_a_new_tag_gets_its_folded_name(original: ModuleType) -> None:
    record = {name: value for name, value in original.tags()[1].items() if name != "nameLower"}
    assert Tag.build(record).name_lower == "strasse"


def test_a_renamed_tag_gets_its_new_folded_name(original: ModuleType) -> None:
    tag = Tag.from_record(original.tags()[0]).replaced(name="WALD")
    assert tag.to_record() == original.tags()[0] | {"name": "WALD", "nameLower": "wald"}


def test_the_original_s_own_folding_is_kept(original: ModuleType) -> None:
    tag = Tag.from_record(original.tags()[1])
    assert tag.name_lower == "straße"
    assert tag.replaced(_meta={"a": 1}).to_record()["nameLower"] == "straße"
