"""Tags by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.errors import ConflictError, InvalidError
from metadata.repositories.tags import TagsRepository

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments


@pytest.fixture
def tags(documents: MemoryDocuments) -> TagsRepository:
    return TagsRepository(documents)


def test_a_name_finds_its_tag_in_any_case_and_only_its_user_s(tags: TagsRepository, make: ModuleType) -> None:
    made = tags.create(user_id=make.USER, name="Straße")
    for name in ("Straße", "STRASSE", "strasse"):
        assert tags.find_by_name(make.USER, name) == made
    assert tags.find_by_name(make.OTHER, "Straße") is None
    assert tags.find_by_name(make.USER, "") is None


def test_missing_tags_are_made_once_each(tags: TagsRepository, make: ModuleType) -> None:
    first = tags.ensure(make.USER, ["a", "B", "A", "c"])
    assert len(first) == 3
    assert tags.ensure(make.USER, ["C", "b"]) == [first[2], first[1]]
    assert tags.list().total == 3
    assert tags.ensure(make.OTHER, ["a"]) != first[:1]


def test_an_imported_tag_is_found_by_its_name_although_it_came_without_the_folded_one(
    tags: TagsRepository, make: ModuleType
) -> None:
    record = make.tag("Stra\u00dfe")
    record.pop("nameLower", None)
    (made,) = tags.import_records([record])
    assert tags.find_by_name(make.USER, "STRASSE") == made
    with pytest.raises(ConflictError):
        tags.create(user_id=make.USER, name="strasse")


def test_ids_stay_and_names_become_ids(tags: TagsRepository, make: ModuleType) -> None:
    made = tags.create(user_id=make.USER, name="a")
    unknown = make.new_id()
    assert tags.resolve(make.USER, [made.id, "A", unknown, "b"])[:2] == [made.id, unknown]
    assert tags.list().total == 2


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_an_empty_name_is_no_name(tags: TagsRepository, make: ModuleType, name: str) -> None:
    with pytest.raises(InvalidError):
        tags.resolve(make.USER, [name])
    with pytest.raises(InvalidError):
        tags.ensure(make.USER, [name])
    assert tags.list().total == 0


def test_names_become_tags_whatever_they_look_like_and_wrong_hints_do_no_harm(
    tags: TagsRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    known, renamed, gone = (tags.create(user_id=make.USER, name=name) for name in ("A", "B", "C"))
    other = tags.create(user_id=make.OTHER, name="D")
    tags.rename(renamed.id, "E")
    tags.delete(gone.id)
    hints = {"a": known.id, "b": renamed.id, "c": gone.id, "d": other.id, "f": make.new_id()}
    looks_like_an_id = make.new_id()
    with tags.naming(make.USER, ["a", "B", "b", "C", "D", "e", looks_like_an_id], hints) as (ids, missing):
        assert (ids["a"], ids["e"]) == (known.id, renamed.id)
        documents.apply(missing)
    found = {tag.name: tag.id for tag in tags.find_all() if tag.user_id == make.USER}
    assert sorted(found) == sorted(["A", "B", "C", "D", "E", looks_like_an_id])
    assert ids == {name.casefold(): key for name, key in found.items()}


def test_missing_tags_belong_to_the_operation_of_their_first_carrier(
    tags: TagsRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    known = tags.create(user_id=make.USER, name="a")
    with tags.resolving(make.USER, ["A", "b", "B", "c", known.id]) as (ids, missing):
        assert (ids[0], len(ids), [change.key for change in missing]) == (known.id, 3, ids[1:])
        assert tags.list().total == 1
        documents.apply(missing)
    assert tags.ensure(make.USER, ["a", "b", "c"]) == ids
    with tags.resolving(make.USER, ["C"]) as (again, missing):
        assert (again, missing) == (ids[2:], [])
    with pytest.raises(InvalidError), tags.resolving(make.USER, [" "]):
        pass


def test_a_tag_that_goes_just_before_the_gate_is_made_again(
    tags: TagsRepository, documents: MemoryDocuments, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tags.create(user_id=make.USER, name="a")
    guard = documents.guard

    def late(*, exclusive: bool = False) -> object:
        if not exclusive:
            monkeypatch.setattr(documents, "guard", guard)
            tags.delete(made.id)
        return guard(exclusive=exclusive)

    monkeypatch.setattr(documents, "guard", late)
    with tags.resolving(make.USER, ["a"]) as (ids, missing):
        assert ids == [change.key for change in missing] != [made.id]
        documents.apply(missing)


def test_who_comes_second_takes_the_first_one_s_tag(
    tags: TagsRepository, make: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the write another process makes the tag."""
    create = TagsRepository.create
    made: list[str] = []

    def late(self: TagsRepository, **fields: object) -> object:
        if not made:
            made.append(create(self, **fields).id)
            raise ConflictError("Another tag has the same name.")
        return create(self, **fields)

    monkeypatch.setattr(TagsRepository, "create", late)
    assert tags.ensure(make.USER, ["x"]) == made
