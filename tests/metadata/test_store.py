"""JsonStore: the seed's promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InvalidError, NotFoundError, UnreadableError
from metadata.store import JsonStore

if TYPE_CHECKING:
    from pathlib import Path

    from metadata.files.lines import Damage


@pytest.fixture
def store(tmp_path: Path) -> JsonStore:
    """A store over an empty folder."""
    return JsonStore(tmp_path)


def test_data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "env"))
    assert JsonStore().get_data_dir() == tmp_path / "env"
    assert JsonStore(str(tmp_path)).get_data_dir() == tmp_path
    monkeypatch.delenv("DATA_DIR")
    monkeypatch.chdir(tmp_path)
    assert JsonStore().get_data_dir() == tmp_path / "data"


def test_json(store: JsonStore) -> None:
    with pytest.raises(NotFoundError):
        store.read_json("settings/theme.json")
    store.write_json("settings/theme.json", {"name": "Zoë", "tags": [1]})
    assert store.read_json("settings/theme.json") == {"name": "Zoë", "tags": [1]}
    text = store.resolve_path("settings", "theme.json").read_text()
    assert text == '{\n  "name": "Zoë",\n  "tags": [\n    1\n  ]\n}\n'


def test_documents_of_the_catalog_carry_a_check_value(store: JsonStore) -> None:
    store.write_json("tags/tags.json", {"version": 1, "tags": []})
    assert '"_crc"' in store.resolve_path("tags/tags.json").read_text()
    assert store.read_json("tags/tags.json") == {"version": 1, "tags": []}
    store.write_json("auth/accounts.json", [])
    assert store.resolve_path("auth/accounts.json").read_text() == "[]\n"


def test_nothing_is_written_over_what_cannot_be_read(store: JsonStore) -> None:
    store.resolve_path("a.json").write_bytes(b'{"half":')
    with pytest.raises(UnreadableError):
        store.write_json("a.json", {})
    with pytest.raises(UnreadableError), store.edit("a.json", default={}):
        pass
    assert store.resolve_path("a.json").read_bytes() == b'{"half":'
    store.resolve_path("a.jsonl").write_bytes(b'{"id":#}\n{"id":"b"}\n')
    with pytest.raises(UnreadableError):
        store.write_jsonl("a.jsonl", [])
    with pytest.raises(UnreadableError), store.edit("a.jsonl"):
        pass
    assert store.resolve_path("a.jsonl").read_bytes() == b'{"id":#}\n{"id":"b"}\n'


def test_jsonl(store: JsonStore) -> None:
    assert store.read_jsonl("notes.jsonl") == []
    store.append_jsonl("notes.jsonl", [{"n": 1}, {"n": 2}])
    store.append_jsonl("notes.jsonl", [])
    store.append_jsonl("notes.jsonl", iter([{"n": 1, "_rev": 9}]))
    assert store.read_jsonl("notes.jsonl") == [{"n": 1}, {"n": 2}, {"n": 1, "_rev": 9}]
    store.write_jsonl("notes.jsonl", [{"n": 3}])
    store.append_jsonl("notes.jsonl", [{"n": 4}])
    assert store.read_jsonl("notes.jsonl") == [{"n": 3}, {"n": 4}]
    bad: Any = [{"n": 5}, 6]
    with pytest.raises(InvalidError):
        store.append_jsonl("notes.jsonl", bad)
    assert len(store.read_jsonl("notes.jsonl")) == 2


def test_lines_supersede_where_the_catalog_gives_a_key(store: JsonStore) -> None:
    store.append_jsonl(
        "chats/index.jsonl",
        [
            {"id": "a", "title": "one"},
            {"id": "b", "title": "foreign"},
            {"id": "c", "title": "gone"},
            {"id": "a", "title": "two", "_rev": 1, "_meta": {"kept": True}},
            {"id": "b", "title": "foreign too"},
            {"id": "a", "title": "late and lower", "_rev": 1},
            {"id": "c", "_deleted": "2026-01-01T00:00:00.000Z", "_rev": 1},
            {"title": "without a key"},
            {"title": "without a key"},
        ],
    )
    assert store.read_jsonl("chats/index.jsonl") == [
        {"id": "a", "title": "two", "_meta": {"kept": True}},
        {"id": "b", "title": "foreign"},
        {"id": "b", "title": "foreign too"},
        {"id": "a", "title": "late and lower"},
        {"title": "without a key"},
        {"title": "without a key"},
    ]
    store.append_jsonl("chats/index.jsonl", [{"id": "c", "title": "back", "_rev": 2}])
    assert store.read_jsonl("chats/index.jsonl")[3]["title"] != "back"
    assert [record["title"] for record in store.read_jsonl("chats/index.jsonl") if record.get("id") == "c"] == ["back"]


def test_keys_of_several_members_and_of_ones_own(tmp_path: Path) -> None:
    store = JsonStore(tmp_path, keys=lambda path: ("x", "y") if path == "own.jsonl" else None)
    store.append_jsonl(
        "own.jsonl", [{"x": "1", "y": "1"}, {"x": "1", "y": "2"}, {"x": "1", "y": "1", "_rev": 1, "z": 3}]
    )
    assert store.read_jsonl("own.jsonl") == [{"x": "1", "y": "1", "z": 3}, {"x": "1", "y": "2"}]


def test_damaged_line_hides_nothing_and_is_reported(store: JsonStore, caplog: pytest.LogCaptureFixture) -> None:
    store.resolve_path("a.jsonl").write_bytes(b'{"id":"a"}\n{"id":#}\n{"id":"b"}\n')
    assert store.read_jsonl("a.jsonl") == [{"id": "a"}, {"id": "b"}]
    assert "byte 11" in caplog.text
    seen: list[Damage] = []
    store.read_jsonl("a.jsonl", on_damage=seen.append)
    assert [(damage.offset, damage.length) for damage in seen] == [(11, 9)]


def test_torn_tail_is_not_lost_by_a_rewrite(store: JsonStore) -> None:
    store.resolve_path("a.jsonl").write_bytes(b'{"id":"a"}\n{"id":"b"}')
    with store.edit("a.jsonl") as records:
        records.append({"id": "c"})
    assert store.read_jsonl("a.jsonl") == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    with store.resolve_path("a.jsonl").open("ab") as file:
        file.write(b'{"id":"torn')
    store.write_jsonl("a.jsonl", [{"id": "d"}])
    assert [path.read_bytes() for path in store.resolve_path("quarantine").iterdir()] == [b'{"id":"torn']


def test_edit(store: JsonStore) -> None:
    with pytest.raises(NotFoundError), store.edit("a.json"):
        pass
    with store.edit("a.json", default={"n": 0}):
        pass
    assert store.read_json("a.json") == {"n": 0}
    before = store.resolve_path("a.json").stat()
    with store.edit("a.json"):
        pass
    assert store.resolve_path("a.json").stat() == before, "an unchanged document is not written"
    with pytest.raises(KeyError), store.edit("a.json") as document:
        document["n"] = document.pop("n") + document["absent"]
    with store.edit("a.json") as document:
        document["n"] += 1
    assert store.read_json("a.json") == {"n": 1}


def test_folders_and_files(store: JsonStore) -> None:
    assert store.list_dir("personas") == []
    assert store.exists("personas") is False
    store.ensure_dir("personas/deep")
    store.ensure_dir("personas/deep")
    assert store.exists("personas/deep")
    store.write_json("personas/b.json", {})
    store.write_json("personas/a.json", {})
    assert store.list_dir("personas") == ["a.json", "b.json", "deep"]
    assert "personas" in store.list_dir()
    store.delete_file("personas/a.json")
    store.delete_file("personas/a.json")
    assert store.exists("personas/a.json") is False
    with pytest.raises(InvalidError):
        store.read_json("../outside.json")


def test_cache(tmp_path: Path) -> None:
    store = JsonStore(tmp_path)
    stats = store.get_cache_stats()
    assert (stats["size"], stats["enabled"]) == (0, True)
    store.clear_cache()
    assert JsonStore(tmp_path, enable_cache=False).get_cache_stats()["enabled"] is False


def test_two_stores_see_each_others_writes_at_once(tmp_path: Path) -> None:
    first, second = JsonStore(tmp_path), JsonStore(tmp_path)
    for number in range(20):
        first.write_json("a.json", {"n": number})
        assert second.read_json("a.json") == {"n": number}
        second.append_jsonl("a.jsonl", [{"n": number}])
        assert len(first.read_jsonl("a.jsonl")) == number + 1


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), (0, False)])
def test_edit_writes_what_python_holds_for_equal(tmp_path: Path, before: object, after: object) -> None:
    store = JsonStore(tmp_path)
    store.write_json("a.json", {"x": before})
    with store.edit("a.json") as value:
        value["x"] = after
    assert json.dumps(store.read_json("a.json")) == json.dumps({"x": after})
