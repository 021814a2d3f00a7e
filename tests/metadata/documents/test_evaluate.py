"""What a change comes to, judged before anything is written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.contract import ANY, Change, put, remove
from metadata.documents.evaluate import View, evaluate
from metadata.documents.reading import load_current, no_file
from metadata.errors import ConflictError, InvalidError, NotFoundError, StaleError, UnreadableError
from metadata.index.state import Problem, save_problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments
    from metadata.index.database import Database


@pytest.fixture
def database(memory: MemoryDocuments) -> Database:
    return memory._database  # noqa: SLF001 - the view is judged against it directly


@pytest.fixture
def view(database: Database) -> View:
    return View(database.reading, lambda db, kind, key, _: load_current(db, kind, key, no_file))


def test_a_new_record_a_changed_and_a_removed_one(memory: MemoryDocuments, view: View, make: ModuleType) -> None:
    record = make.asset(1)
    new = evaluate(put("asset", record), view)
    assert (new.before, new.after, new.rev, new.idle) == (None, record, 0, False)
    memory.apply([put("asset", record)])
    fresh = view.fork()
    changed = evaluate(Change("asset", record["id"], lambda body: {**(body or {}), "size": 9}), fresh)
    assert (changed.before, changed.rev) == (record, 1)
    gone = evaluate(remove("asset", record["id"]), fresh)
    assert (gone.before, gone.after, gone.rev) == ({**record, "size": 9}, None, 2)
    again = evaluate(put("asset", record), fresh)
    assert (again.before, again.rev) == (None, 3)


def test_revisions_go_on_after_a_tombstone(memory: MemoryDocuments, view: View, make: ModuleType) -> None:
    record = make.asset(1)
    memory.apply([put("asset", record)])
    memory.apply([remove("asset", record["id"])])
    assert evaluate(put("asset", record), view).rev == 2


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), ({"a": 0}, {"a": False})])
def test_a_change_that_python_holds_for_none_is_one(
    memory: MemoryDocuments, make: ModuleType, before: Any, after: Any
) -> None:
    record = make.asset(1, _meta={"x": before})
    memory.apply([put("asset", record)])
    memory.apply([put("asset", {**record, "_meta": {"x": after}}, ANY)])
    found = memory.get("asset", record["id"])
    assert found is not None
    assert repr(found.body["_meta"]) == repr({"x": after})


def test_an_edit_gets_a_copy_and_one_that_changes_nothing_is_idle(
    memory: MemoryDocuments, view: View, make: ModuleType
) -> None:
    record = make.asset(1, _meta={"deep": [1]})
    memory.apply([put("asset", record)])

    def spoil(body: dict[str, Any] | None) -> dict[str, Any] | None:
        assert body is not None
        kept = {**body, "_meta": {"deep": [1]}}
        body["_meta"]["deep"].append(2)
        return kept

    assert evaluate(Change("asset", record["id"], spoil), view).idle


def test_nothing_is_decided_by_what_fails(view: View, make: ModuleType) -> None:
    record = make.tag("one")
    evaluate(put("tag", record), view)
    for change, error in (
        (put("tag", make.tag("ONE")), ConflictError),
        (put("tag", record), ConflictError),
        (put("tag", {**record, "name": "x"}, "0" * 32), StaleError),
        (remove("tag", make.new_id()), NotFoundError),
        (remove("tag", make.new_id(), "0" * 32), NotFoundError),
    ):
        with pytest.raises(error):
            evaluate(change, view)
    assert evaluate(put("tag", record, ANY), view).idle


def test_a_unique_value_is_free_when_its_holder_goes_in_the_same_batch(
    memory: MemoryDocuments, view: View, make: ModuleType
) -> None:
    first, second = make.tag("one"), make.tag("one")
    memory.apply([put("tag", first)])
    evaluate(remove("tag", first["id"]), view)
    assert evaluate(put("tag", second), view).after == second


def test_a_reference_may_name_what_the_same_batch_makes_and_not_what_it_removes(
    memory: MemoryDocuments, make: ModuleType
) -> None:
    label, record = make.tag("one"), make.asset(1)
    memory.apply([put("tag", label), put("asset", {**record, "tags": [label["id"]]})])
    with pytest.raises(InvalidError):
        memory.apply([remove("tag", label["id"]), put("asset", make.asset(2, tags=[label["id"]]))])
    assert memory.get("tag", label["id"]) is not None


def test_a_tag_s_type_says_what_it_may_name(memory: MemoryDocuments, make: ModuleType) -> None:
    label, who = make.tag("one"), make.character()
    memory.apply([put("tag", label), put("character", who)])
    memory.apply([put("asset", make.asset(1, tags=[who["id"]], _tagTypes={who["id"]: "CHARACTER"}))])
    memory.apply([put("asset", make.asset(1, tags=[who["id"], label["id"]]))])
    for types in ({who["id"]: "PERSONA"}, {who["id"]: "THEME"}):
        with pytest.raises(InvalidError):
            memory.apply([put("asset", make.asset(1, tags=[who["id"]], _tagTypes=types))])


def test_a_message_is_found_in_the_chat_that_the_record_names(memory: MemoryDocuments, make: ModuleType) -> None:
    who = make.character()
    talk, other = make.chat(who["id"]), make.chat(who["id"])
    said = make.message(talk["id"])
    for kind, record in (("character", who), ("chat", talk), ("chat", other), ("message", said)):
        memory.apply([put(kind, record)])
    memory.apply([put("asset", make.asset(1, chatId=talk["id"], messageId=said["id"]))])
    with pytest.raises(InvalidError) as caught:
        memory.apply([put("asset", make.asset(1, chatId=other["id"], messageId=said["id"]))])
    assert caught.value.details["field"] == "messageId"


def test_nothing_is_written_over_what_cannot_be_read(database: Database, view: View, make: ModuleType) -> None:
    key = make.new_id()
    with database.writing() as db:
        save_problem(db, Problem(f"characters/{key}.json", -1, "character", key, "unreadable", "torn"))
    for change in (put("character", make.character(id=key)), remove("character", key)):
        with pytest.raises(UnreadableError):
            evaluate(change, view)
    assert evaluate(put("asset", make.asset(1, characterId=key)), view).after is not None, "it is there, after all"


@pytest.mark.parametrize("depth", [200, 400, 600, 5000])
def test_a_value_too_deep_is_refused_as_input(memory: MemoryDocuments, make: ModuleType, depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    record = make.asset(1)

    @contextmanager
    def refused() -> Iterator[None]:
        try:
            yield
        except InvalidError:
            assert depth > 200

    with refused():
        memory.apply([Change("asset", record["id"], lambda _: {**record, "_meta": {"x": deep}}, None)])
    with refused():
        memory.apply([Change("asset", record["id"], lambda body: {**(body or record), "size": 5})])


def test_what_has_no_json_form_is_refused(memory: MemoryDocuments, make: ModuleType) -> None:
    record = make.asset(1, _meta={"x": float("nan")})
    with pytest.raises(InvalidError):
        memory.apply([put("asset", record)])
    assert memory.get("asset", record["id"]) is None
