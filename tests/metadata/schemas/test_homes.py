"""Which paths hold which records."""

from __future__ import annotations

import pytest

from metadata.schemas.homes import InArray, InMember, Lines, LinesPerParent, OwnFile

ID = "6f9619ff-8b86-4011-b42d-00c04fc964ff"


def test_a_file_of_its_own_is_named_by_the_id() -> None:
    home = OwnFile("characters")
    assert home.path(ID) == f"characters/{ID}.json"
    assert home.match(home.path(ID)) == ID


@pytest.mark.parametrize(
    "path",
    [
        "characters/.lock",
        "characters/x.json",
        f"characters/a/{ID}.json",
        f"personas/{ID}.json",
        f"characters/{ID}.json.tmp",
    ],
)
def test_what_lies_beside_is_no_record(path: str) -> None:
    assert OwnFile("characters").match(path) is None


def test_a_journal_per_parent_is_not_the_index_beside_it() -> None:
    home = LinesPerParent("chats", "chatId")
    assert home.match(home.path(ID)) == ID
    assert home.match("chats/index.jsonl") is None
    assert home.match(f"chats/{ID}.json") is None


def test_the_first_user_has_another_file_than_the_others() -> None:
    home = InMember("settings/general.json", "user", also="settings/users")
    assert home.match("settings/general.json") == ""
    assert home.match(home.path_of(ID)) == ID
    assert home.match("settings/connection-profiles.json") is None


def test_fixed_files_match_themselves_only() -> None:
    assert Lines("binaries/index.jsonl").match("binaries/index.jsonl") == ""
    assert Lines("binaries/index.jsonl").match("chats/index.jsonl") is None
    assert InArray("tags/tags.json", "tags").match("tags/tags.json") == ""
    assert InArray("tags/tags.json", "tags").match("tags/tags.json.lock") is None
