"""Files of both generations: every byte hashed, what is missing told, links and addresses made ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home, Items


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def write_entries(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))


def test_recorded_hashes_and_sizes_are_not_believed(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    index = application / "data/binaries/index.jsonl"
    records = entries(index)
    records[1]["size"] = 7
    write_entries(index, records)
    report = home.bring(application)
    asset = home.body("asset", original.ASSET_LOST)
    assert (asset["sha256"], asset["size"]) == (original.PNG_SHA256, len(original.PNG))
    assert (asset["width"], asset["height"]) == (1, 1)
    assert asset["relativePath"] == f"binaries/{original.PNG_SHA256}/raw"
    (told,) = [item for item in items(report, Status.IMPORTED, "asset") if item.notes]
    assert (told.id, len(told.notes)) == (original.ASSET_LOST, 2)


def test_a_missing_payload_is_told_and_comes_with_a_later_run(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    raw = application / f"data/binaries/{original.PNG_SHA256}/raw"
    aside = raw.rename(application / "aside")
    report = home.bring(application)
    (failed,) = items(report, Status.FAILED)
    assert (failed.kind, failed.id) == ("asset", original.ASSET)
    assert "bytes" in failed.why
    assert "defaultImageId" not in home.body("character", original.CHARACTER)
    assert home.body("message", f"{original.CHAT}/{original.MESSAGE}")["attachments"] == []
    aside.rename(raw)
    again = home.bring(application)
    assert again.total(Status.FAILED) == 0
    character = home.body("character", original.CHARACTER)
    assert character["defaultImageId"] == original.ASSET
    assert character["avatarOverrides"] == original.character()["avatarOverrides"]
    assert home.body("message", f"{original.CHAT}/{original.MESSAGE}")["attachments"] == [original.ASSET]


def test_bytes_that_are_gone_here_come_back(home: Home, application: Path, original: ModuleType) -> None:
    home.bring(application)
    (digest,) = [one for one in home.blobs.scan() if one == original.PNG_SHA256]
    home.blobs.remove(digest)
    home.bring(application)
    assert digest in set(home.blobs.scan())


def test_what_was_deleted_here_comes_again_and_is_told(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    home.bring(application)
    home.records.images.delete(original.ASSET_FILE, force=True)
    for dry_run in (True, False):
        (told,) = items(home.bring(application, dry_run=dry_run), Status.IMPORTED, "asset")
        assert (told.id, told.notes) == (
            original.ASSET_FILE,
            ("It had been deleted here since an earlier import, and is here again.",),
        )
    assert home.body("asset", original.ASSET_FILE)


SECRETS = ["settings/general.json", "binaries/../settings/general.json", "auth/accounts.json", "chats/index.jsonl"]


@pytest.mark.parametrize("path", [*SECRETS, "uploads/general", ".env"])
def test_no_file_of_records_is_taken_for_a_payload(
    home: Home, application: Path, original: ModuleType, items: Items, path: str
) -> None:
    (application / "data/.env").write_text("ENCRYPTION_MASTER_PEPPER=secret")
    (application / "data/uploads").mkdir()
    (application / "data/uploads/general").symlink_to(application / "data/settings/general.json")
    index = application / "data/binaries/index.jsonl"
    records = entries(index)
    records[2]["relativePath"] = path
    write_entries(index, records)
    (failed,) = items(home.bring(application), Status.FAILED)
    assert failed.id == original.ASSET_FILE


@pytest.mark.parametrize("path", ["../../secret", "/etc/hostname", "", "uploads/link"])
def test_a_path_out_of_the_folder_leads_nowhere(
    home: Home, application: Path, original: ModuleType, items: Items, path: str
) -> None:
    (application.parent / "secret").write_text("secret")
    (application / "public/uploads/link").symlink_to(application.parent / "secret")
    index = application / "data/binaries/index.jsonl"
    records = entries(index)
    records[2]["relativePath"] = path
    write_entries(index, records)
    (failed,) = items(home.bring(application), Status.FAILED)
    assert failed.id == original.ASSET_FILE


def test_an_empty_or_wrong_file_is_told(home: Home, application: Path, original: ModuleType, items: Items) -> None:
    (application / f"public/uploads/chat-files/{original.CHAT}/plan.txt").write_bytes(b"")
    index = application / "data/binaries/index.jsonl"
    records = entries(index)
    records[0]["type"] = "hologram"
    write_entries(index, records)
    index.write_text(index.read_text() + "damaged\n")
    failed = items(home.bring(application), Status.FAILED, "asset")
    assert [item.id for item in failed] == [original.ASSET, original.ASSET_FILE, ""]
    assert all(item.why for item in failed)


def test_the_later_generations_links_become_members_and_tags(
    home: Home, later_application: Path, original: ModuleType
) -> None:
    home.bring(later_application)
    picture = home.body("asset", original.ASSET)
    assert (picture["characterId"], picture["type"]) == (original.CHARACTER, "image")
    assert picture["tags"] == [original.TAG, original.CHARACTER, original.PERSONA]
    assert picture["_tagTypes"] == {original.PERSONA: "PERSONA"}
    assert picture["description"] == "As the application described it."
    assert (picture["filename"], picture["source"], picture["category"]) == ("alice.png", "upload", "IMAGE")
    file = home.body("asset", original.ASSET_FILE)
    assert (file["chatId"], file["messageId"], file["type"]) == (original.CHAT, original.MESSAGE, "chat_file")
    assert file["tags"] == [original.CHAT_2]
    assert home.body("asset", original.ASSET_LOST)["sha256"] == original.PNG_SHA256


def test_a_link_to_nothing_is_told_and_a_message_brings_its_chat(
    home: Home, later_application: Path, original: ModuleType, items: Items
) -> None:
    index = later_application / "data/files/files.jsonl"
    records = entries(index)
    records[2]["linkedTo"] = [original.MESSAGE, "0a1b2c3d-0000-4000-8000-000000000000"]
    write_entries(index, records)
    report = home.bring(later_application)
    (told,) = [item for item in items(report, Status.IMPORTED, "asset") if item.id == original.ASSET_FILE]
    assert len(told.notes) == 1
    assert home.body("asset", original.ASSET_FILE)["chatId"] == original.CHAT


def test_a_file_with_records_in_both_generations_comes_once_from_wherever_its_bytes_are(
    home: Home, application: Path, original: ModuleType
) -> None:
    files = application / "public/data/files"
    (files / "storage").mkdir(parents=True)
    index = entries(application / "data/binaries/index.jsonl")
    later = {"originalFilename": "alice.v2.png", "linkedTo": [], "source": "GENERATED", "category": "IMAGE"}
    kept = {name: index[0][name] for name in ("id", "sha256", "userId", "mimeType", "size", "createdAt", "updatedAt")}
    write_entries(files / "files.jsonl", [kept | later, kept | later])
    report = home.bring(application)
    assert report.total(Status.FAILED) == 0
    assert sum(item.id == original.ASSET for item in report.items) == 1
    assert home.body("asset", original.ASSET)["source"] == "generated"


def test_addresses_of_the_original_become_ours(home: Home, application: Path, original: ModuleType) -> None:
    path = application / f"data/characters/{original.CHARACTER_2}.json"
    address = f"/uploads/images/{original.USER}/portrait.png"
    path.write_text(json.dumps(original.plain_character() | {"avatarUrl": address}))
    general = application / "data/settings/general.json"
    document = json.loads(general.read_text())
    document["user"]["image"] = f"/avatars/{original.RANDOM_SHA256}"
    general.write_text(json.dumps(document))
    home.bring(application)
    assert home.body("character", original.CHARACTER_2)["avatarUrl"] == f"/blobs/{original.PNG_SHA256}"
    assert home.body("user", home.first)["image"] == f"/avatars/{original.PNG_SHA256}"
    before = home.everything()
    home.bring(application)
    assert home.everything() == before


def test_a_message_that_is_not_there_is_left_out_of_its_file(
    home: Home, application: Path, original: ModuleType
) -> None:
    (application / f"data/chats/{original.CHAT}.jsonl").unlink()
    home.bring(application)
    assert home.body("asset", original.ASSET_FILE)["messageId"] is None
    assert home.body("asset", original.ASSET_FILE)["chatId"] == original.CHAT
