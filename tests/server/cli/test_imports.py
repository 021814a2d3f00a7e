"""`calotype import quilttap` on real folders: its report, its exit status, and what is left of it after kill -9."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

import calotype
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Invoke

DEADLINE_S = 60


@pytest.fixture
def application(tmp_path: Path, original: ModuleType) -> Path:
    """The original's application folder."""
    original.write_folder(tmp_path / "application")
    return tmp_path / "application"


def contents(folder: Path) -> str:
    """Every record of a store as text, without the id of its first user, times made here, and the order of files."""
    with calotype.open(folder) as store:
        first = store.inside.owner.id
        settings = store.chat_settings.of_user(first).id
        found = {
            kind: [_plain(one.body) for one in store.documents.scan(kind)]
            if kind == "message"
            else sorted(_plain(one.body) for one in store.documents.scan(kind))
            for kind in CATALOG
            if kind != "fact"
        }
        payloads = sorted(store.inside.assets.blobs.scan())
    return json.dumps([found, payloads]).replace(first, "FIRST").replace(settings, "SETTINGS")


def _plain(body: dict[str, Any]) -> str:
    ours = body.get("_role") is not None
    return json.dumps({name: "" if ours and name in ("createdAt", "updatedAt") else body[name] for name in body})


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but what says nothing."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_folder_comes_in_and_a_second_run_changes_no_file(calo: Invoke, folder: Path, application: Path) -> None:
    before = files_of(application)
    done = calo("import", "quilttap", application)
    assert done.status == 0
    assert "22 items: 18 imported, 2 remapped, 2 skipped" in done.out
    assert "The recorded hash was not that of the bytes." in done.out
    assert files_of(application) == before
    text = contents(folder)
    again = calo("import", "quilttap", application / "data", "--json").json()
    assert (again["imported"], again["remapped"], again["same"], again["skipped"]) == (0, 0, 20, 2)
    assert contents(folder) == text


def test_what_failed_is_named_first_and_in_the_exit_status(
    calo: Invoke, application: Path, original: ModuleType
) -> None:
    (application / f"data/characters/{original.CHARACTER}.json").write_text("{")
    done = calo("import", "quilttap", application)
    assert done.status == 1
    assert done.out.splitlines()[2].startswith("failed")
    assert f"characters/{original.CHARACTER}.json" in done.out.splitlines()[2]


def test_a_name_without_end_does_not_flood_the_screen(calo: Invoke, application: Path, original: ModuleType) -> None:
    (application / f"data/characters/{original.CHARACTER}.json").write_text(json.dumps({"id": "x" * 100_000}))
    done = calo("import", "quilttap", application)
    assert done.status == 1
    assert "xxx…" in done.out
    assert max(map(len, done.out.splitlines())) < 1_000


def test_a_dry_run_changes_no_record(calo: Invoke, folder: Path, application: Path) -> None:
    refused = calo("import", "quilttap", application, "--dry-run")
    assert refused.status != 0
    assert "calotype init" in refused.err
    assert calo("init").status == 0
    before = contents(folder)
    done = calo("import", "quilttap", application, "--dry-run")
    assert done.status == 0
    assert "dry run" in done.out
    assert contents(folder) == before


def test_everything_goes_to_the_user_that_is_named(calo: Invoke, folder: Path, application: Path) -> None:
    assert calo("init").status == 0
    assert calo("import", "quilttap", application, "--user", "ben@example.org").status != 0
    assert calo("user", "create", "ben@example.org").status == 0
    assert calo("import", "quilttap", application, "--user", "ben@example.org").status == 0
    with calotype.open(folder) as store:
        ben = store.users.find_by_email("ben@example.org")
        assert ben is not None
        assert {character.user_id for character in store.characters.find_all()} == {ben.id}


def test_the_pepper_is_read_from_a_file(
    calo: Invoke, application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pepper = tmp_path / "pepper"
    pepper.write_text("wrong\n")
    assert "not the one" in calo("import", "quilttap", application, "--pepper-file", pepper).out
    pepper.write_text("\n")
    assert "empty" in calo("import", "quilttap", application, "--pepper-file", pepper).err
    pepper.write_bytes(b"\xff")
    assert "no text" in calo("import", "quilttap", application, "--pepper-file", pepper).err
    assert "There is no file" in calo("import", "quilttap", application, "--pepper-file", tmp_path / "none").err
    monkeypatch.setenv("ENCRYPTION_MASTER_PEPPER", "another")
    assert "not the one" in calo("import", "quilttap", application).out


def test_a_folder_is_not_imported_into_itself(calo: Invoke, folder: Path, application: Path) -> None:
    before = files_of(application)
    for target in (application / "data", application / "data" / "inside"):
        assert "another data folder" in calo("import", "quilttap", application, "--data-dir", target).err
    assert files_of(application) == before
    assert "name its root" in calo("import", "quilttap", folder.parent).err


def test_a_full_disk_ends_it_with_the_report_so_far(
    calo: Invoke, application: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALOTYPE_MIN_FREE_BYTES", str(10**18))
    done = calo("import", "quilttap", application)
    assert "CALOTYPE_MIN_FREE_BYTES" in done.err
    assert done.status not in (0, 1)
    assert "tag" in done.out
    monkeypatch.setenv("CALOTYPE_MIN_FREE_BYTES", "0")
    assert calo("import", "quilttap", application).status == 0


def test_a_terminal_is_shown_how_far_it_is(calo: Invoke, application: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert calo("import", "quilttap", application).status == 0


def enlarge(application: Path, original: ModuleType, count: int) -> None:
    """Give the folder this many more characters and files, and a long chat."""
    index = application / "data/binaries/index.jsonl"
    lines = [index.read_text()]
    for number in range(count):
        one = f"10000000-0000-4000-8000-{number:012d}"
        character = original.plain_character() | {"id": one, "name": f"Number {number}"}
        (application / f"data/characters/{one}.json").write_text(json.dumps(character))
        path = f"uploads/images/{number}.txt"
        (application / "public" / path).write_bytes(b"number %d" % number)
        record = original.assets()[2] | {"id": one, "relativePath": path, "chatId": None, "messageId": None}
        lines.append(json.dumps(record) + "\n")
    index.write_text("".join(lines))
    event = original.events()[0]
    events = [json.dumps(event | {"id": f"20000000-0000-4000-8000-{number:012d}"}) for number in range(count * 40)]
    (application / f"data/chats/{original.CHAT}.jsonl").write_text("\n".join(events) + "\n")


def progress(folder: Path) -> int:
    """How far an import came: files of payloads and characters, and the bytes of the chats."""
    chats = sum(path.stat().st_size for path in folder.glob("chats/*.jsonl")) // 20_000
    return len(list(folder.glob("binaries/*/raw"))) + len(list(folder.glob("characters/*.json"))) + chats


@pytest.mark.heavy
def test_killed_anywhere_and_run_again_beside_a_server_it_ends_the_same(
    calo: Invoke, tmp_path: Path, application: Path, original: ModuleType, serving: ModuleType, scale: int
) -> None:
    enlarge(application, original, 20)
    whole = tmp_path / "whole"
    assert calo("import", "quilttap", application, "--data-dir", whole).status == 0
    wanted, end = contents(whole), progress(whole)
    folder = tmp_path / "killed"
    for round_ in range(scale):
        shutil.rmtree(folder, ignore_errors=True)
        with serving.Server(folder) as server:
            kills = [end * (1 + 5 * n + round_ % 5) // 10 for n in range(2)]
            for kill_at in kills:
                process = subprocess.Popen(
                    [*serving.COMMAND, "import", "quilttap", str(application)],
                    env=serving.environment(folder, {"CALOTYPE_MIN_FREE_BYTES": "0"}),
                    stdout=subprocess.DEVNULL,
                )
                deadline = time.monotonic() + DEADLINE_S
                while process.poll() is None and progress(folder) < kill_at and time.monotonic() < deadline:
                    time.sleep(0.001)
                process.send_signal(signal.SIGKILL)
                process.wait(DEADLINE_S)
            assert serving.run(folder, "import", "quilttap", str(application)).returncode == 0
            with server.client() as client:
                assert len(client.get("/api/characters?limit=100").json()["items"]) == 22
        with calotype.open(folder) as store:
            for token in list(store.access_tokens.find_all()):
                store.access_tokens.delete(token.id)
        assert contents(folder) == wanted
