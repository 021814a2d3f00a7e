"""Backups that are damaged, cut short, or made to do harm: no store is made of them, nothing leaves the folder."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from assets.backup.manifest import NAME
from assets.backup.restoring import restore
from metadata.errors import CalotypeError, ConflictError, FullError, InvalidError, NotFoundError, UnreadableError
from metadata.files.filesystem import FileSystem
from metadata.files.folder import MARKER, RESTORING
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.assets.backup.conftest import Keeper
    from tests.assets.conftest import House

Files = dict[str, bytes]

HEAD: dict[str, Any] = {
    "backup": 1,
    "store_id": "s",
    "format_version": 1,
    "taken_at": "2026-01-01T00:00:00.000Z",
    "by": "0.1.0",
    "generation": "0c8a5d0e",
    "sealed": {},
}
MARK = json.dumps({"storeId": "s", "formatVersion": 1}).encode()


def manifest(files: Files, **head: object) -> bytes:
    """Return the list of these files, as if it had been made in good faith."""
    entries = [{"path": path, "size": len(data), "sha256": digest(data)} for path, data in files.items()]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in [HEAD | head, *entries])
    end = {"files": len(files), "bytes": sum(map(len, files.values())), "sha256": digest(body)}
    return body + json.dumps(end).encode() + b"\n"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: Files, **member: Any) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for attribute, value in member.get(name, {}).items():
                setattr(info, attribute, value)
            archive.addfile(info, io.BytesIO(data))
    return path


def refused(place: Path, root: Path, kind: type[CalotypeError], words: str) -> None:
    with pytest.raises(kind, match=words):
        restore(FileSystem(), place, root)
    assert not (root / MARKER).exists()
    if root.exists():
        with pytest.raises(InvalidError, match="not whole"):
            open_store(load_settings({}, {"data_dir": root}).settings)


@pytest.mark.parametrize(
    "path",
    [
        "../outside.json",
        "/etc/outside.json",
        "chats/../../outside.json",
        "chats//x.json",
        "chats/./x.json",
        "chats\\..\\x.json",
        "locks/gate",
        "uploads/x",
        "cache/index.sqlite3",
        "secrets/other",
        "secrets",
        "chats",
        "chats/x.lock",
        "chats/.x.tmp",
        "chats/" + "x/" * 6 + "y",
        "chats/\x1b[2J.json",
        "chats/" + "x" * 256,
        "program.sh",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    files = {MARKER: MARK, path: b"harm"}
    (tmp_path / "in").mkdir()
    for place in (
        zipped(tmp_path / "b.zip", {**files, NAME: manifest(files)}),
        tarred(tmp_path / "b.tar", {**files, NAME: manifest(files)}),
    ):
        refused(place, tmp_path / "in" / f"{place.suffix}-store", InvalidError, "no file of a store")
        unlisted = {MARKER: MARK}
        hidden = {NAME: manifest(unlisted), **files}
        again = zipped(place, hidden) if place.suffix == ".zip" else tarred(place, hidden)
        refused(again, tmp_path / "in" / f"{place.suffix}-other", CalotypeError, "refused|damaged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "b.zip", "in"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    files = {MARKER: MARK, "chats/x.jsonl": b""}
    member = {"chats/x.jsonl": {"type": kind, "linkname": "/etc/passwd"}}
    place = tarred(tmp_path / "b.tar", {**files, NAME: manifest(files)}, **member)
    refused(place, tmp_path / "store", InvalidError, "no plain file")


def test_links_in_a_zip_archive_and_in_a_folder_are_refused(tmp_path: Path, keeper: Keeper) -> None:
    files = {MARKER: MARK, "chats/x.jsonl": b"/etc/passwd"}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, data in {**files, NAME: manifest(files)}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if name.startswith("chats") else 0o100600) << 16
            archive.writestr(info, data)
    refused(tmp_path / "b.zip", tmp_path / "store", InvalidError, "no plain file")
    keeper.take()
    (general,) = keeper.folder.glob("backup/records/*/settings/general.json")
    general.rename(tmp_path / "elsewhere.json")
    general.symlink_to(tmp_path / "elsewhere.json")
    refused(keeper.folder / "backup", tmp_path / "other", InvalidError, "symbolic link")


@pytest.mark.parametrize("form", ["b.zip", "b.tar", "b.tar.gz"])
def test_no_more_is_unpacked_than_the_list_says(tmp_path: Path, form: str) -> None:
    honest = {MARKER: MARK, "chats/x.jsonl": b"little"}
    bomb = {MARKER: MARK, "chats/x.jsonl": bytes(50_000_000), NAME: manifest(honest)}
    place = (zipped if form == "b.zip" else tarred)(tmp_path / form, bomb)
    refused(place, tmp_path / "store", UnreadableError, "not what the backup's list says")
    assert sum(path.stat().st_size for path in (tmp_path / "store").rglob("*") if path.is_file()) < 1000


def test_a_header_that_wants_all_the_memory_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 4_000_000_000
    with gzip.open(tmp_path / "b.tar.gz", "wb") as file:
        file.write(info.tobuf())
    refused(tmp_path / "b.tar.gz", tmp_path / "store", UnreadableError, "header that is too long")


def test_more_than_the_disk_holds_is_not_begun(tmp_path: Path) -> None:
    body = manifest({MARKER: MARK}).splitlines(keepends=True)
    body.insert(1, json.dumps({"path": "chats/x", "size": 1 << 60, "sha256": "0" * 64}).encode() + b"\n")
    lines = b"".join(body[:-1])
    end = {"files": 2, "bytes": (1 << 60) + len(MARK), "sha256": digest(lines)}
    place = zipped(tmp_path / "b.zip", {MARKER: MARK, NAME: lines + json.dumps(end).encode()})
    with pytest.raises(FullError, match="no room"):
        restore(FileSystem(), place, tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_a_file_twice_or_too_few_files(tmp_path: Path) -> None:
    files = {MARKER: MARK, "chats/x.jsonl": b"x"}
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for name, data in [*files.items(), *files.items(), (NAME, manifest(files))]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    refused(tmp_path / "b.tar", tmp_path / "twice", InvalidError, "twice")
    place = zipped(tmp_path / "c.zip", {MARKER: MARK, NAME: manifest(files)})
    refused(place, tmp_path / "few", UnreadableError, "missing in the backup")


def test_a_list_that_is_damaged_newer_or_of_something_else(tmp_path: Path) -> None:
    files = {MARKER: MARK}
    sound = manifest(files)
    cases: list[tuple[bytes, type[CalotypeError], str]] = [
        (sound[:-10], UnreadableError, "damaged"),
        (sound.replace(b'"size": ', b'"size": 1'), UnreadableError, "changed"),
        (b"".join(sound.splitlines(keepends=True)[:-1]), UnreadableError, "cut short"),
        (sound + sound, UnreadableError, "lines follow"),
        (b"", UnreadableError, "cut short"),
        (b"[]\n", UnreadableError, "no object"),
        (b"x" * 70_000_000, UnreadableError, "no end"),
        (manifest(files, format_version=2), InvalidError, "newer Calotype"),
        (manifest(files, backup=2), InvalidError, "newer Calotype"),
        (manifest(files, generation="../.."), UnreadableError, "first line"),
        (manifest(files, surprise=1), UnreadableError, "first line"),
        (manifest(files, sealed=7), UnreadableError, "first line"),
        (manifest({}), UnreadableError, "no backup of a store"),
        (manifest(files, store_id="t"), UnreadableError, "another store"),
    ]
    for number, (text, kind, words) in enumerate(cases):
        place = zipped(tmp_path / f"{number}.zip", {**files, NAME: text})
        refused(place, tmp_path / f"store-{number}", kind, words)


def test_every_byte_of_a_backup_counts(house: House, keeper: Keeper, tmp_path: Path, scale: int) -> None:
    house.put(b"some bytes")
    for form in ("b.zip", "b.tar", "b.tar.gz"):
        keeper.take(form)
        sound = (keeper.folder / form).read_bytes()
        step = max(1, len(sound) // (40 * scale))
        expected = _tree(keeper.restore(form)[0])
        for offset in range(0, len(sound), step):
            place = tmp_path / f"{offset}-{form}"
            place.write_bytes(sound[:offset] + bytes([sound[offset] ^ 0x55]) + sound[offset + 1 :])
            root = tmp_path / f"{offset}-{form}-store"
            try:
                restore(FileSystem(), place, root)
            except CalotypeError:
                assert not (root / MARKER).exists()
            else:  # a date, a mode, the padding of a block: nothing that is a file's
                assert _tree(root) == expected, (form, offset)


def _tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_is_no_backup(tmp_path: Path, keeper: Keeper) -> None:
    (tmp_path / "text").write_text("a letter")
    (tmp_path / "nothing").write_text("")
    (tmp_path / "folder").mkdir()
    zipped(tmp_path / "other.zip", {"a": b"b"})
    tarred(tmp_path / "other.tar", {"a": b"b"})
    refused(tmp_path / "absent", tmp_path / "s", NotFoundError, "no backup at")
    for name in ("text", "nothing"):
        refused(tmp_path / name, tmp_path / "s", UnreadableError, "no backup")
    for name in ("folder", "other.zip", "other.tar"):
        refused(tmp_path / name, tmp_path / "s", NotFoundError, NAME)
    keeper.take("b.tar.gz")
    half = (keeper.folder / "b.tar.gz").read_bytes()[:-200]
    (tmp_path / "half.tar.gz").write_bytes(half)
    refused(tmp_path / "half.tar.gz", tmp_path / "s", CalotypeError, "damaged|cut off")


def test_only_into_an_absent_or_empty_folder(keeper: Keeper, tmp_path: Path) -> None:
    keeper.take()
    keeper.restore()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "letter").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / RESTORING).write_text("")
    for name, kind, words in [("used", ConflictError, "not empty"), ("file", InvalidError, "not a folder")]:
        with pytest.raises(kind, match=words):
            restore(FileSystem(), keeper.folder / "backup", tmp_path / name)
    refused(keeper.folder / "backup", tmp_path / "half", ConflictError, "not whole")
    (tmp_path / "empty").mkdir()
    restore(FileSystem(), keeper.folder / "backup", tmp_path / "empty")
    assert not (tmp_path / "empty" / RESTORING).exists()


def test_a_restored_store_is_sound(house: House, keeper: Keeper, check: Callable[[Path], list[str]]) -> None:
    house.character(default_image_id=house.put().id)
    keeper.take()
    root, _ = keeper.restore()
    assert check(root) == []
