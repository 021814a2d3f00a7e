"""`calotype import cards` on real files: its report, its exit status, and what is left of it after kill -9."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import calotype

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .conftest import Invoke

DEADLINE_S = 60
# Not `ru_maxrss`, which a child inherits from the process that started it.
WITH_STATUS = """
import atexit, os, pathlib
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: pathlib.Path(os.environ["STATUS_TO"]).write_text(status.read_text()))
from server.cli import main
main()
"""
MOST_MIB = 300
"""Of memory, for any file that is hostile; a process that does nothing has 60."""


@pytest.fixture(scope="session")
def building(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """Make files with cards."""
    return load_beside(Path(__file__).parents[2] / "assets" / "cards" / "building.py")


@pytest.fixture(scope="session")
def hostile(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """Make files that are made to harm."""
    return load_beside(Path(__file__).parents[2] / "assets" / "transfer" / "cards" / "hostile.py")


@pytest.fixture
def cards(tmp_path: Path, building: ModuleType) -> Path:
    """A folder with two cards, a damaged one, and what is no card."""
    folder = tmp_path / "cards"
    write_cards(folder, building, 2)
    (folder / "damaged.png").write_bytes(building.png(after=[building.text("chara", b"!!!")]))
    (folder / "picture.png").write_bytes(building.png())
    return folder


def write_cards(folder: Path, building: ModuleType, count: int) -> None:
    """Write cards, each with a name, a picture and tags of its own, and every second of them with an asset."""
    folder.mkdir()
    for number in range(count):
        data = building.V2_DATA | {"name": f"Number {number}", "tags": ["all", f"tag {number % 7}"]}
        chunks = [building.text("chara", building.encoded({**building.V2, "data": data}))]
        if number % 2:
            chunks.append(building.text("chara-ext-asset_:note", b"bm90ZQ=="))
        colour = building.text("Comment", b"picture %d" % number)
        (folder / f"{number:04}.png").write_bytes(building.png(before=[colour], after=chunks))


def contents(folder: Path) -> dict[str, list[str]]:
    """The records of a store without its own times, and its payloads."""
    with calotype.open(folder) as store:
        characters = store.characters.find_all()
        names = {tag.id: tag.name for tag in store.tags.find_all()}
        assets = {asset.id: asset for asset in store.images.find_all()}
        return {
            "characters": sorted(
                f"{one.name} {sorted(names[tag] for tag in one.tags)} {assets[str(one.default_image_id)].sha256}"
                for one in characters
            ),
            "assets": sorted(
                f"{store.characters.get(str(one.character_id)).name} {one.filename} {one.sha256}"
                for one in assets.values()
            ),
            "tags": sorted(names.values()),
            "payloads": sorted(store.inside.assets.blobs.scan()),
        }


def test_files_and_folders_come_in_and_a_second_run_changes_nothing(calo: Invoke, folder: Path, cards: Path) -> None:
    done = calo("import", "cards", cards, "--json")
    report = done.json()
    assert done.status == 1
    assert (report["imported"], report["same"], report["skipped"], report["failed"]) == (2, 0, 1, 1)
    before = contents(folder)
    again = calo("import", "cards", cards, cards / "0001.png")
    assert "5 items: 3 same, 1 skipped, 1 failed" in again.out
    assert "damaged" in again.out
    assert contents(folder) == before
    assert calo("verify").status == 0


def test_what_is_named_and_is_no_card_fails(calo: Invoke, cards: Path, tmp_path: Path) -> None:
    assert calo("import", "cards", cards / "0000.png").status == 0
    for wrong in (cards / "picture.png", tmp_path / "absent.png"):
        done = calo("import", "cards", wrong)
        assert (done.status, done.out.splitlines()[2].split()[0]) == (1, "failed")


def test_the_characters_are_the_users_that_is_named(calo: Invoke, folder: Path, cards: Path) -> None:
    assert calo("init").status == 0
    assert "calotype user create" in calo("import", "cards", cards, "--user", "ben@example.org").err
    assert calo("user", "create", "ben@example.org").status == 0
    calo("import", "cards", cards, "--user", "ben@example.org")
    with calotype.open(folder) as store:
        ben = store.users.find_by_email("ben@example.org")
        assert ben is not None
        assert {one.user_id for one in store.characters.find_all()} == {ben.id}


def test_a_store_is_not_imported_into_itself(calo: Invoke, folder: Path, cards: Path) -> None:
    calo("import", "cards", cards)
    assert "another data folder" in calo("import", "cards", folder / "binaries").err


def test_a_character_goes_out_as_a_file(
    calo: Invoke, cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (item,) = calo("import", "cards", cards / "0001.png", "--json").json()["items"]
    done = calo("export", "card", item["newId"])
    assert (done.status, done.out) == (0, "")
    assert "Number 1.png" in done.err
    again = calo("export", "card", item["newId"])
    assert "--output" in again.err
    named = calo("export", "card", item["newId"], "-o", "it.charx", "--format", "charx", "--json").json()
    assert named == {"id": item["newId"], "path": "it.charx", "size": named["size"], "format": "charx"}
    out = calo("export", "card", item["newId"], "--format", "json", "--spec", "v2", "-o", "-")
    assert json.loads(out.bytes)["spec"] == "chara_card_v2"
    (tmp_path / "it.json").write_bytes(out.bytes)
    report = calo("import", "cards", "Number 1.png", "it.charx", "--json").json()
    assert [one["newId"] for one in report["items"] if one["status"] == "same"] == [item["newId"]] * 2
    assert calo("export", "card", "nobody").status == 3
    assert calo("export", "card", item["newId"], "--format", "charx", "--spec", "v2").status == 2


def test_what_is_hostile_is_refused_in_little_memory_and_leaves_nothing(
    tmp_path: Path, serving: ModuleType, hostile: ModuleType
) -> None:
    files, folder = tmp_path / "files", tmp_path / "data"
    files.mkdir()
    for number, make in enumerate(hostile.HOSTILE.values()):
        (files / f"{number}.png").write_bytes(make())
    environ = serving.environment(folder, {"STATUS_TO": str(tmp_path / "status")})
    command = [sys.executable, "-c", WITH_STATUS, "import", "cards", str(files), "--json"]
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"] == len(hostile.HOSTILE)
    lines = (tmp_path / "status").read_text().splitlines()
    assert next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")) < MOST_MIB
    assert not [path for path in folder.glob("uploads/*") if path.is_dir()]
    assert not list(folder.glob("binaries/*/raw"))
    assert {path.name for path in tmp_path.iterdir()} == {"files", "data", "status"}


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_killed_anywhere_and_run_again_it_ends_the_same(
    calo: Invoke, tmp_path: Path, building: ModuleType, serving: ModuleType, scale: int
) -> None:
    cards = tmp_path / "cards"
    write_cards(cards, building, 60)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert calo("import", "cards", cards, "--data-dir", whole).status == 0
    wanted, end = contents(whole), came(whole)
    died = 0
    for round_ in range(scale):
        shutil.rmtree(killed, ignore_errors=True)
        for kill_at in (end * (1 + 5 * n + round_ % 5) // 10 for n in range(2)):
            process = subprocess.Popen(
                [*serving.COMMAND, "import", "cards", str(cards)],
                env=serving.environment(killed, {"CALOTYPE_MIN_FREE_BYTES": "0"}),
                stdout=subprocess.DEVNULL,
            )
            deadline = time.monotonic() + DEADLINE_S
            while process.poll() is None and came(killed) < kill_at and time.monotonic() < deadline:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            died += process.wait() == -signal.SIGKILL
            assert calo("verify", "--data-dir", killed).status == 0
        again = calo("import", "cards", cards, "--data-dir", killed, "--json").json()
        assert again["imported"] + again["same"] == 60
        assert contents(killed) == wanted
        with calotype.open(killed) as store:
            store.inside.assets.blobs.sweep_staging()
            assert store.inside.assets.blobs.abandoned() == []
    assert died > 0


def came(folder: Path) -> int:
    """How far an import came."""
    return len(list(folder.glob("binaries/*/raw"))) + len(list(folder.glob("characters/*.json")))
