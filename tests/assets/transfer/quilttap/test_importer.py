"""The whole import: both generations, again, cut off at every write, beside what is here already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.transfer.report import Status
from metadata.documents.memory import MemoryDocuments
from metadata.errors import FullError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    from metadata.documents.contract import Change

    from .conftest import Home, Items

DONE = {Status.IMPORTED, Status.REMAPPED, Status.SKIPPED}


def edit(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def append(path: Path, *lines: str) -> None:
    path.write_text(path.read_text() + "".join(f"{line}\n" for line in lines))


def test_everything_of_the_first_generation_comes_with_its_ids(
    home: Home, application: Path, original: ModuleType
) -> None:
    report = home.bring(application)
    assert report.total(Status.FAILED) == 0
    assert {item.status for item in report.items} == DONE
    mine = {"userId": home.first}
    assert home.body("character", original.CHARACTER) == original.character() | mine
    assert home.body("character", original.CHARACTER_2) == original.plain_character() | mine
    assert home.body("persona", original.PERSONA) == original.persona() | mine
    assert home.body("chat", original.CHAT) == original.chat() | mine
    assert home.body("chat", original.CHAT_2) == original.group_chat() | mine
    assert home.body("connectionProfile", original.CONNECTION) == original.connection_profile() | mine
    assert home.body("imageProfile", original.IMAGE_PROFILE) == original.image_profile() | mine
    assert home.body("tag", original.TAG) == original.tags()[0] | mine
    account = original.account()
    assert home.body("account", account["id"]) == account | mine
    assert home.events == [original.MESSAGE, original.MESSAGE_2, original.SUMMARY, original.STRANGE]
    assert len(list(home.blobs.scan())) == 2
    assert not list(home.documents.scan("session"))


def test_everything_of_the_later_generation_comes_with_its_ids(
    home: Home, later_application: Path, original: ModuleType
) -> None:
    report = home.bring(later_application)
    assert report.total(Status.FAILED) == 0
    assert sorted(one.key for one in home.documents.scan("asset")) == sorted(
        [original.ASSET, original.ASSET_LOST, original.ASSET_FILE]
    )
    assert home.body("character", original.CHARACTER)["defaultImageId"] == original.ASSET
    assert len(list(home.blobs.scan())) == 2


@pytest.mark.parametrize("generation", ["application", "later_application"])
def test_a_second_run_changes_nothing(home: Home, generation: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(generation)
    first = home.bring(folder)
    before = home.everything()
    second = home.bring(folder)
    assert home.everything() == before
    assert {item.status for item in second.items} == {Status.SAME, Status.SKIPPED}
    assert sum(item.count for item in second.items) == sum(item.count for item in first.items)


def test_a_dry_run_stores_nothing_and_says_the_same(home: Home, application: Path) -> None:
    before = home.everything()
    foreseen = home.bring(application, dry_run=True)
    assert home.everything() == before
    assert [(item.kind, item.id, item.status) for item in foreseen.items] == [
        (item.kind, item.id, item.status) for item in home.bring(application).items
    ]
    assert foreseen.document()["dryRun"] is True


class DiedError(BaseException):
    """The process is gone."""


class Dying(MemoryDocuments):
    """Dies before or after a write."""

    left = -1
    after = False
    within = False

    def each(self, changes: Sequence[Change]) -> Any:
        return self._dying(lambda: super(Dying, self).each(changes))

    def apply(self, changes: Sequence[Change]) -> Any:
        return self._dying(lambda: super(Dying, self).apply(changes))

    def _dying(self, write: Callable[[], Any]) -> Any:
        if self.within:
            return write()
        self.left -= 1
        if self.left == 0 and not self.after:
            raise DiedError
        self.within = True
        try:
            made = write()
        finally:
            self.within = False
        if self.left == 0:
            raise DiedError
        return made


@pytest.mark.parametrize("after", [False, True])
def test_cut_off_at_every_write_and_run_again_it_ends_the_same(
    homes: Callable[..., Home], application: Path, *, after: bool
) -> None:
    whole = homes()
    whole.bring(application)
    wanted = whole.everything()
    writes = 0
    while True:
        writes += 1
        documents = Dying()
        home = homes(documents)
        documents.left, documents.after = writes, after
        try:
            home.bring(application)
        except DiedError:
            documents.left = -1
            home.bring(application)
            assert settled(home.everything()) == settled(wanted), writes
        else:
            break
    assert writes > 15


def settled(everything: dict[str, list[tuple[str, Any]]]) -> dict[str, list[tuple[str, Any]]]:
    """Leave out ids and times that are made here, and so differ where a step was done twice."""
    everything["user"] = [(key, {**body, "updatedAt": ""}) for key, body in everything["user"]]
    return everything


def test_no_room_ends_the_run_and_the_next_one_goes_on(
    homes: Callable[..., Home], application: Path, original: ModuleType
) -> None:
    class Full(MemoryDocuments):
        full = False

        def each(self, changes: Sequence[Change]) -> Any:
            if self.full and changes[0].kind == "character":
                raise FullError("The disk is full.")
            return super().each(changes)

    documents = Full()
    home = homes(documents)
    documents.full = True
    with pytest.raises(FullError):
        home.bring(application)
    documents.full = False
    assert home.bring(application).total(Status.FAILED) == 0
    assert home.body("character", original.CHARACTER)["name"] == "Alice"


def test_what_is_damaged_hinders_nothing_else(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    data = application / "data"
    (data / f"characters/{original.CHARACTER_2}.json").write_text('{"id": "')
    (data / "tags/tags.json").write_text("[1")
    append(data / "chats/index.jsonl", "not json", '["list"]')
    edit(data / "image-profiles/image-profiles.json", lambda found: found["profiles"].append(7))
    edit(data / f"personas/{original.PERSONA}.json", lambda found: found.pop("description"))
    report = home.bring(application)
    failed = items(report, Status.FAILED)
    assert [(item.kind, item.place) for item in failed] == [
        ("tag", "tags/tags.json"),
        ("imageProfile", "image-profiles/image-profiles.json:profiles[1]"),
        ("character", f"characters/{original.CHARACTER_2}.json"),
        ("persona", f"personas/{original.PERSONA}.json"),
        ("chat", "chats/index.jsonl:3"),
        ("chat", "chats/index.jsonl:4"),
    ]
    assert all(item.why for item in failed)
    assert home.body("character", original.CHARACTER)["name"] == "Alice"
    (told,) = [item for item in report.items if item.id == original.CHARACTER]
    assert len(told.notes) == 2


def test_what_names_nothing_is_left_out_and_comes_back_with_a_later_run(
    home: Home, application: Path, original: ModuleType
) -> None:
    path = application / f"data/personas/{original.PERSONA}.json"
    text = path.read_text()
    path.write_text("{")
    home.bring(application)
    assert home.body("character", original.CHARACTER)["personaLinks"] == []
    assert "personaId" not in home.body("chat", original.CHAT)
    path.write_text(text)
    assert home.bring(application).total(Status.FAILED) == 0
    assert home.body("character", original.CHARACTER)["personaLinks"] == original.character()["personaLinks"]
    assert home.body("chat", original.CHAT)["personaId"] == original.PERSONA


def test_what_an_earlier_run_brought_is_still_there_when_the_folder_has_it_no_more(
    home: Home, application: Path, original: ModuleType
) -> None:
    path = application / f"data/characters/{original.CHARACTER}.json"
    edit(path, lambda found: found.update({"avatarUrl": f"/uploads/images/{original.USER}/portrait.png"}))
    home.bring(application)
    before = home.everything()
    (application / f"public/uploads/images/{original.USER}/portrait.png").unlink()
    (application / f"data/binaries/{original.PNG_SHA256}/raw").unlink()
    (application / f"data/personas/{original.PERSONA}.json").unlink()
    (application / f"data/characters/{original.CHARACTER_2}.json").write_text("damaged")
    assert home.bring(application).total(Status.FAILED) == 1
    assert home.everything() == before


def test_what_was_changed_here_is_kept(home: Home, application: Path, original: ModuleType, items: Items) -> None:
    home.bring(application)
    home.records.characters.edit(original.CHARACTER, lambda found: found.replaced(name="Alicia"))
    (kept,) = items(home.bring(application), Status.SKIPPED, "character")
    assert kept.id == original.CHARACTER
    assert home.body("character", original.CHARACTER)["name"] == "Alicia"


def test_what_was_changed_there_is_kept_unless_the_newer_state_is_wanted(
    home: Home, application: Path, original: ModuleType
) -> None:
    home.bring(application)
    home.records.personas.edit(original.PERSONA, lambda found: found.replaced(name="Changed here, later"))
    for path in (f"characters/{original.CHARACTER}.json", f"personas/{original.PERSONA}.json"):
        edit(
            application / "data" / path,
            lambda found: found.update({"name": "Changed there", "updatedAt": "2025-12-01T00:00:00.000Z"}),
        )
    home.bring(application)
    assert home.body("character", original.CHARACTER)["name"] == "Alice"
    home.bring(application, newer=True)
    assert home.body("character", original.CHARACTER)["name"] == "Changed there"
    assert home.body("persona", original.PERSONA)["name"] == "Changed here, later"


def test_an_id_that_is_another_records_here_is_changed_wherever_it_is_named(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    other = original.plain_character() | {"createdAt": "2020-01-01T00:00:00.000Z", "userId": home.first}
    home.records.characters.import_record(other | {"id": original.CHARACTER})
    report = home.bring(application)
    (moved,) = items(report, Status.REMAPPED, "character")
    assert moved.id == original.CHARACTER
    assert home.body("character", original.CHARACTER)["name"] == "Bob"
    assert home.body("character", moved.new_id)["name"] == "Alice"
    assert home.body("chat", original.CHAT)["characterId"] == moved.new_id
    assert home.body("persona", original.PERSONA)["characterLinks"] == [moved.new_id]
    assert home.body("asset", original.ASSET)["tags"] == [original.TAG, moved.new_id]
    before = home.everything()
    assert home.bring(application).total(Status.REMAPPED) == 0
    assert home.everything() == before


def test_a_tag_of_a_name_that_is_here_is_the_one_that_is_here(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    ours = home.records.tags.create(user_id=home.first, name="FOREST")
    report = home.bring(application)
    (merged,) = items(report, Status.REMAPPED, "tag")
    assert (merged.id, merged.new_id) == (original.TAG, ours.id)
    assert home.body("character", original.CHARACTER)["tags"] == [ours.id]
    assert home.documents.get("tag", original.TAG) is None


def test_a_folder_for_two_users_is_twice_here(home: Home, application: Path, original: ModuleType) -> None:
    home.bring(application)
    ben = home.records.users.create(email="ben@example.org")
    report = home.bring(application, user=ben.id)
    assert report.total(Status.FAILED) == 1  # an account at another site is one user's alone
    assert len(home.records.characters.find_by_user_id(ben.id)) == 2
    assert len(home.records.images.find_by_user_id(ben.id)) == 3
    (chat,) = [chat for chat in home.records.chats.find_by_user_id(ben.id) if chat.title == "Tea"]
    assert next(home.records.messages.find_by_chat_id(chat.id)).to_record()["id"] == original.MESSAGE
    before = home.everything()
    home.bring(application, user=ben.id)
    assert home.everything() == before


def test_a_second_record_of_one_id_is_told(home: Home, application: Path, original: ModuleType, items: Items) -> None:
    append(application / "data/chats/index.jsonl", json.dumps(original.chat() | {"title": "Twice"}))
    report = home.bring(application)
    (failed,) = items(report, Status.FAILED)
    assert (failed.id, failed.place) == (original.CHAT, "chats/index.jsonl:3")
    assert home.body("chat", original.CHAT)["title"] == "Tea"
