"""A whole folder: everything comes, once; what was edited here stays; nothing outside is read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from assets.transfer.report import Status
from metadata.errors import FullError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home, Pick


def files_of(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_everything_comes_and_a_second_run_changes_nothing(home: Home, tavern: Path, pick: Pick) -> None:
    there = files_of(tavern)
    report = home.bring(tavern)
    assert files_of(tavern) == there
    assert {kind: counts[Status.IMPORTED] for kind, counts in report.totals.items()} == {
        "tag": 2,
        "character": 2,
        "persona": 2,
        "asset": 13,
        "chat": 3,
        "message": 9,
        "other": 0,
    }
    assert [item.place for item in pick(report, Status.FAILED)] == [
        "chats/Seraphina/Seraphina - 2023-6-19@16h07m12s.jsonl:5"
    ]
    assert sorted(item.place for item in pick(report, Status.SKIPPED)) == ["backups", "extensions", "secrets.json"]
    before = home.contents()
    again = home.bring(tavern)
    assert home.contents() == before
    assert (again.total(Status.IMPORTED), again.total(Status.SAME)) == (0, report.total(Status.IMPORTED))


def backgrounds(home: Home) -> list[object]:
    tag = home.one("tag", name="backgrounds")["id"]
    return [one for one in home.store.images.find_all() if tag in one.tags]


def test_the_real_files_come_and_a_second_run_changes_nothing(
    home: Home, tmp_path: Path, corpus: Path, folders: ModuleType, pick: Pick
) -> None:
    user = folders.write_real_folder(tmp_path, corpus)
    report = home.bring(tmp_path)
    seraphina = home.one("character", name="Seraphina")
    assert [home.store.tags.get(tag).name for tag in seraphina["tags"]][-1] == "ST Default"
    sprites = [one for one in home.store.images.find_by_character_id(seraphina["id"]) if one.type == "image"]
    assert len(sprites) == 28
    assert [item.place for item in pick(report, Status.FAILED)] == ["chats/default_Seraphina/new.jsonl:4"]
    assert len(backgrounds(home)) == len(list((user / "backgrounds").iterdir()))
    for title in ("new", "old"):
        chat = home.one("chat", title=title)
        assert chat["participants"][0]["characterId"] == seraphina["id"]
        assert [event["content"] for event in home.events(title)] == ["Hi", "Hello", "Ho"]
    before = home.contents()
    assert home.bring(user).total(Status.IMPORTED) == 0
    assert home.contents() == before


def test_a_dry_run_says_the_same_and_stores_nothing(homes: Callable[..., Home], tavern: Path) -> None:
    dry, real = homes(), homes()
    before = dry.contents()
    foreseen = dry.bring(tavern, dry_run=True)
    assert dry.contents() == before
    assert foreseen.totals == real.bring(tavern).totals
    real_again = real.bring(tavern, dry_run=True)
    assert real_again.total(Status.IMPORTED) == 0


def test_what_was_edited_here_is_kept_and_said(home: Home, tavern: Path, pick: Pick, folders: ModuleType) -> None:
    home.bring(tavern)
    store = home.store
    persona, tag = home.one("persona", name="Ada")["id"], home.one("tag", name="Forest")["id"]
    chat, world = home.one("chat", title="First steps")["id"], home.asset("worlds/Eldoria.json")["id"]
    event = home.events("First steps")[0]["id"]
    character = home.one("character", name="Seraphina")["id"]
    store.personas.edit(persona, lambda one: one.replaced(description="Edited."))
    store.chats.edit(chat, lambda one: one.replaced(title="First steps"[::-1]))
    store.tags.rename(tag, "Wood")
    store.images.edit(world, lambda one: one.replaced(tags=[]))
    store.messages.edit_message(chat, event, lambda one: one.replaced(content="Edited."))
    store.characters.edit(character, lambda one: one.replaced(tags=[]))
    before = home.contents()
    again = home.bring(tavern)
    assert home.contents() == before
    assert {item.kind for item in pick(again, Status.SKIPPED) if item.kind != "other"} == {
        *("persona", "chat", "tag", "asset", "message")
    }
    # What is new there comes all the same, into what was edited here.
    with (tavern / folders.OLD_CHAT).open("ab") as log:
        log.write(b"\n" + folders.log([folders.said("Later.")]))
    assert home.bring(tavern).totals["message"][Status.IMPORTED] == 1
    assert [one["content"] for one in home.events("First steps"[::-1])] == ["Edited.", "Gone?", "Later."]


def test_what_was_changed_there_comes_if_nobody_edited_it_here(home: Home, tavern: Path, folders: ModuleType) -> None:
    home.bring(tavern)
    settings = folders.settings()
    settings["power_user"]["persona_descriptions"]["ada.png"]["description"] = "Short."
    settings["tags"][0]["name"] = "Wood"
    (tavern / "settings.json").write_text(json.dumps(settings))
    home.bring(tavern)
    assert home.one("persona", name="Ada")["description"] == "Short."
    assert home.one("tag", name="Wood")["id"] in home.one("character", name="Seraphina")["tags"]


def test_two_folders_do_not_take_each_others_place(
    home: Home, tavern: Path, tmp_path: Path, folders: ModuleType, pick: Pick
) -> None:
    home.bring(tavern)
    other = folders.write_folder(tmp_path / "other", lambda _: b"no card", lambda number: b"other %d" % number)
    report = home.bring(other)
    assert {item.status for item in pick(report, Status.IMPORTED, "asset")} == {Status.IMPORTED}
    assert home.asset_count("User Avatars/ada.png") == 2


def test_it_goes_to_the_user_that_is_named(home: Home, tavern: Path) -> None:
    other = home.store.users.create(email="ben@example.org").id
    home.bring(tavern)
    report = home.bring(tavern, user=other)
    assert report.total(Status.SAME) == 0
    assert len(home.store.characters.find_by_user_id(other)) == 2
    before = home.contents()
    home.bring(tavern, user=other)
    assert home.contents() == before


def test_without_settings_the_rest_comes_and_other_users_are_named(home: Home, tavern: Path, pick: Pick) -> None:
    for name in ("chats", "characters"):
        (tavern.parent / "zoe" / name).mkdir(parents=True)
    (tavern / "settings.json").write_bytes(b"{")
    report = home.bring(tavern.parent)
    assert report.totals["chat"][Status.IMPORTED] == 3
    assert "settings.json" in {item.place for item in pick(report, Status.FAILED)}
    assert "zoe" in {item.place for item in pick(report, Status.SKIPPED)}


def test_nothing_outside_is_read_and_nothing_odd_ends_it(
    homes: Callable[..., Home], tavern: Path, tmp_path: Path, pick: Pick, folders: ModuleType
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("secret.png", "secret.jsonl", "secret.json"):
        (outside / name).write_bytes(b'{"mes": "secret"}')
    (tavern / "characters/out.png").symlink_to(outside / "secret.png")
    (tavern / "backgrounds/out.png").symlink_to(outside / "secret.png")
    (tavern / "chats/Seraphina/out.jsonl").symlink_to(outside / "secret.jsonl")
    (tavern / "characters/Out").symlink_to(outside)
    (tavern / "themes/round.json").symlink_to("round.json")
    (tavern / "movingUI").symlink_to(outside)
    (tavern / "backgrounds/huge.png").write_bytes(b"x" * 300_000)
    (tavern / "backgrounds/empty.png").touch()
    (tavern / "backgrounds/keys.png").symlink_to("../secrets.json")
    (tavern / "backgrounds/settings.png").symlink_to("../settings.json")
    (tavern / "backgrounds/linked.png").symlink_to("../user/images/alone.png")
    os.mkfifo(tavern / "backgrounds/pipe.png")
    os.mkfifo(tavern / "chats/Seraphina/pipe.jsonl")
    (tavern / "backgrounds" / os.fsdecode(b"caf\xe9.png")).write_bytes(b"latin")
    told = ["/secrets.json", "/settings.json", "../../outside/secret.png", "user/../secrets.json", "user/../../../x"]
    lines = [folders.said(url, extra={"image": url}) for url in told]
    (tavern / "chats/Seraphina/nosy.jsonl").write_bytes(folders.log(lines))
    home = homes(max_upload_bytes=200_000)
    report = home.bring(tavern)
    failed = {item.place: item.why for item in pick(report, Status.FAILED)}
    names = ("characters/out.png", "backgrounds/out.png", "chats/Seraphina/out.jsonl", "characters/Out", "movingUI")
    assert {*names, "themes/round.json", "backgrounds/pipe.png", "chats/Seraphina/pipe.jsonl"} <= failed.keys()
    assert sum(item.place == "characters/out.png" for item in report.items) == 1
    assert "keys and passwords" in failed["backgrounds/keys.png"]
    assert "keys and passwords" in failed["backgrounds/settings.png"]
    assert "backgrounds/linked.png" not in failed
    assert {"backgrounds/out.png"} <= failed.keys()
    assert "CALOTYPE_MAX_UPLOAD_BYTES" in failed["backgrounds/huge.png"]
    assert "empty" in failed["backgrounds/empty.png"]
    assert home.asset("backgrounds/caf�.png")["filename"] == "caf�.png"
    assert len([item for item in report.items if item.notes and item.kind == "message" and "nosy" in item.place]) == 5
    stored = home.store.assets
    payloads = [stored.read(one.sha256) for one in home.store.images.find_all()]
    assert not [one for one in payloads if b"secret" in one or b"sk-123" in one or b"open sesame" in one]


def test_a_full_disk_ends_it_and_it_goes_on_later(homes: Callable[..., Home], tavern: Path) -> None:
    full = homes(min_free_bytes=10**18)
    with pytest.raises(FullError):
        full.bring(tavern)
