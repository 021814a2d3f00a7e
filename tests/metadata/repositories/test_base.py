"""What every repository does, seen through the tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import put
from metadata.errors import ConflictError, InvalidError, NotFoundError, StaleError, UnreadableError
from metadata.index.query import Query
from metadata.repositories.images import ImagesRepository
from metadata.repositories.tags import TagsRepository

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments


@pytest.fixture
def tags(documents: MemoryDocuments, clock: Any) -> TagsRepository:
    return TagsRepository(documents, clock=clock)


def test_ids_and_dates_are_ours_whatever_is_given(tags: TagsRepository, make: ModuleType) -> None:
    made = tags.create(id="mine", createdAt="x", updated_at="y", user_id=make.USER, name="Wald")
    assert made.id != "mine"
    assert made.created_at == made.updated_at == "2026-01-01T00:00:00.000Z"
    assert made.version
    assert tags.get(made.id) == made


def test_what_is_wrong_is_refused_with_its_field(tags: TagsRepository, make: ModuleType) -> None:
    for fields, field in (({"name": 5}, "name"), ({"nonsense": 1, "name": "x"}, "nonsense"), ({}, "name")):
        with pytest.raises(InvalidError) as caught:
            tags.create(user_id=make.USER, **fields)
        assert caught.value.details["field"] == field
    assert tags.list().total == 0


def test_every_change_has_a_time_of_its_own(tags: TagsRepository, make: ModuleType, clock: Any) -> None:
    made = tags.create(user_id=make.USER, name="one")
    first = tags.edit(made.id, lambda tag: tag.replaced(name="two"))
    second = tags.edit(made.id, lambda tag: tag.replaced(name="one"))
    assert [tag.updated_at[-4:] for tag in (made, first, second)] == ["000Z", "001Z", "002Z"]
    assert len({made.version, first.version, second.version}) == 3
    clock.go(days=1)
    assert tags.edit(made.id, lambda tag: tag.replaced(name="four")).updated_at == "2026-01-02T00:00:00.000Z"
    unchanged = tags.edit(made.id, lambda tag: tag)
    assert unchanged.updated_at == "2026-01-02T00:00:00.000Z"


def test_a_record_that_was_changed_at_the_end_of_time_can_be_changed_again(
    tags: TagsRepository, documents: MemoryDocuments, make: ModuleType
) -> None:
    late = "9999-12-31T23:59:59.999Z"
    made = make.tag("late", updatedAt=late)
    documents.apply([put("tag", made)])
    edited = tags.edit(made["id"], lambda tag: tag.replaced(name="later"))
    assert (edited.name, edited.updated_at) == ("later", late)


def test_an_edit_cannot_move_the_id_or_the_date_of_birth(tags: TagsRepository, make: ModuleType) -> None:
    made = tags.create(user_id=make.USER, name="one")
    edited = tags.edit(made.id, lambda tag: tag.replaced(id=make.new_id(), created_at=make.T0, name="two"))
    assert (edited.id, edited.created_at, edited.name) == (made.id, made.created_at, "two")


def test_a_stale_version_and_an_absent_record(tags: TagsRepository, make: ModuleType) -> None:
    made = tags.create(user_id=make.USER, name="one")
    tags.edit(made.id, lambda tag: tag.replaced(name="two"), if_match=made.version)
    with pytest.raises(StaleError):
        tags.edit(made.id, lambda tag: tag.replaced(name="three"), if_match=made.version)
    with pytest.raises(StaleError):
        tags.delete(made.id, if_match=made.version)
    with pytest.raises(NotFoundError):
        tags.edit(make.new_id(), lambda tag: tag)
    assert tags.delete(make.new_id()) is False
    assert tags.delete(made.id) is True
    assert tags.find_by_id(made.id) is None


@pytest.mark.parametrize("version", [None, "0" * 32])
def test_another_s_record_is_as_absent_as_none(tags: TagsRepository, make: ModuleType, version: str | None) -> None:
    """A version that does not fit must not tell that there is something."""
    made = tags.create(user_id=make.USER, name="one")
    for key in (made.id, make.new_id()):
        assert tags.find_by_id(key, owner=make.OTHER) is None
        with pytest.raises(NotFoundError):
            tags.edit(key, lambda tag: tag, owner=make.OTHER, if_match=version)
        assert tags.delete(key, owner=make.OTHER, if_match=version) is False


def test_lists_scans_and_walks(tags: TagsRepository, make: ModuleType, documents: MemoryDocuments) -> None:
    documents.apply([put("tag", make.tag(f"{number:04}")) for number in range(1100)])
    page = tags.list(Query(limit=3, sort="name"))
    assert ([tag.name for tag in page.items], page.total, page.unreadable) == (["0000", "0001", "0002"], 1100, 0)
    assert len(list(tags.find_all())) == len(tags.find_by_user_id(make.USER)) == 1100
    assert tags.find_by_user_id(make.OTHER) == []


def test_a_record_that_no_model_takes_hides_itself_alone(
    tags: TagsRepository, make: ModuleType, documents: MemoryDocuments
) -> None:
    """Whoever writes lines through the file engine gives them check values too; those say nothing of their sense."""
    good, bad = make.tag("good"), {**make.tag("bad"), "name": 5}
    documents.apply([put("tag", good), put("tag", bad)])
    page = tags.list()
    assert ([tag.id for tag in page.items], page.unreadable) == ([good["id"]], 1)
    assert [tag.id for tag in tags.find_all()] == [good["id"]]
    with pytest.raises(UnreadableError):
        tags.find_by_id(bad["id"])


def test_a_unique_value_is_refused(tags: TagsRepository, make: ModuleType) -> None:
    made = tags.create(user_id=make.USER, name="one")
    with pytest.raises(ConflictError) as caught:
        tags.create(user_id=make.USER, name="ONE")
    assert caught.value.details["existing"] == made.id


def test_free_json_that_python_holds_for_equal_is_changed(documents: MemoryDocuments, make: ModuleType) -> None:
    images = ImagesRepository(documents)
    record = make.asset(1, _meta={"x": 1})
    documents.apply([put("asset", record)])
    edited = images.edit(record["id"], lambda asset: asset.replaced(_meta={"x": True}))
    assert edited.meta == {"x": True}
    assert edited.updated_at != record["updatedAt"]
