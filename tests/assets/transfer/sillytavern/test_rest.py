"""Pictures of characters, files that are kept as they are, and what stays behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Brought, Home, Pick


def test_pictures_say_what_they_are_for(brought: Brought) -> None:
    home = brought.home
    seraphina = home.one("character", name="Seraphina")["id"]
    names = {tag.id: tag.name for tag in home.store.tags.find_all()}

    def tags(path: str) -> list[str]:
        return [names.get(tag, "Seraphina") for tag in home.asset(path)["tags"]]

    sprite = home.asset("characters/Seraphina/joy.png")
    assert (sprite["characterId"], sprite["type"], sprite["filename"]) == (seraphina, "image", "joy.png")
    assert sprite["_tagTypes"] == {seraphina: "CHARACTER"}
    assert sprite["_meta"]["expression"] == "joy"
    assert home.asset("characters/Seraphina/winter/joy-1.png")["characterId"] == seraphina
    assert tags("characters/Seraphina/joy.png") == ["sprites", "Seraphina"]
    assert tags("backgrounds/forest.png") == ["backgrounds"]
    assert tags("user/images/alone.png") == ["images"]
    assert tags("user/images/Seraphina/1.png") == ["images", "Seraphina"]
    assert home.asset("user/images/Seraphina/1.png")["characterId"] == seraphina
    assert "messageId" in home.asset("user/images/Seraphina/1.png")
    assert tags("User Avatars/unused.png") == ["User Avatars"]
    assert tags("characters/ordinary.png") == ["characters"]
    assert tags("worlds/Eldoria.json") == ["worlds"]
    assert home.asset("worlds/Eldoria.json")["type"] == "chat_file"


def test_settings_are_kept_without_what_lets_somebody_in(home: Home, tavern: Path, pick: Pick) -> None:
    (tavern / "OpenAI Settings").mkdir()
    (tavern / "OpenAI Settings/Mine.json").write_text('{"temp": 1, "proxy_password": "x"}')
    (tavern / "NovelAI Settings").mkdir()
    (tavern / "NovelAI Settings/Old.settings").write_text('{"temp": 2, "api_key": "x"}')
    (tavern / "themes/broken.json").write_text("{")
    report = home.bring(tavern)
    names = ("settings.json", "themes/Dark.json")
    stored = {name: home.store.assets.read(home.asset(name)["sha256"]) for name in names}
    assert json.loads(stored["settings.json"])["oai_settings"] == {"temp": 1}
    assert stored["themes/Dark.json"] == (tavern / "themes/Dark.json").read_bytes()
    mine = home.asset("OpenAI Settings/Mine.json")
    assert json.loads(home.store.assets.read(mine["sha256"])) == {"temp": 1}
    old = home.asset("NovelAI Settings/Old.settings")
    assert json.loads(home.store.assets.read(old["sha256"])) == {"temp": 2}
    assert mine["tags"] == [home.one("tag", name="OpenAI Settings")["id"]]
    assert home.asset("settings.json")["tags"] == []
    notes = {item.place: item.notes for item in pick(report, Status.IMPORTED, "asset") if item.notes}
    assert notes["OpenAI Settings/Mine.json"] == ("Left out, because they may let somebody in: proxy_password.",)
    assert [item.place for item in pick(report, Status.FAILED, "asset")] == ["themes/broken.json"]
    again = home.bring(tavern)
    assert again.total(Status.IMPORTED) == 0
    assert any(item.place == "settings.json" and item.notes for item in pick(again, Status.SAME))


def test_what_stays_behind_is_named_and_counted(home: Home, tavern: Path, pick: Pick) -> None:
    (tavern / "chats/Seraphina/notes.txt").write_bytes(b"x")
    (tavern / "characters/notes.txt").write_bytes(b"x")
    (tavern / "strange.bin").write_bytes(b"x")
    (tavern / ".gitkeep").touch()
    (tavern / "extensions/mine/style.css").write_bytes(b"x")
    told = {(item.place, item.count) for item in pick(home.bring(tavern), Status.SKIPPED)}
    assert told == {
        *(("backups", 1), ("characters", 1), ("chats", 1), ("extensions", 2), ("secrets.json", 1), ("strange.bin", 1))
    }
