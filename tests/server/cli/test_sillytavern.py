"""`calotype import sillytavern` on real folders: its report, its exit status, and what is left of it after kill -9."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import calotype
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .conftest import Invoke

DEADLINE_S = 60
LINES = 300


@pytest.fixture(scope="session")
def folders(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """Write folders of SillyTavern."""
    return load_beside(Path(__file__).parents[2] / "assets/transfer/sillytavern/folder.py")


@pytest.fixture
def tavern(tmp_path: Path, folders: ModuleType, load_beside: Callable[[Path], ModuleType]) -> Path:
    """An installation."""
    building = load_beside(Path(__file__).parents[2] / "assets/cards/building.py")
    data = building.V2_DATA
    root = tmp_path / "tavern"
    folders.write_folder(
        root,
        lambda name: building.card_png({**building.V2, "data": {**data, "name": name}}),
        lambda number: building.png(colour=number),
    )
    return root


def contents(folder: Path) -> dict[str, list[str]]:
    """Every record of a store without its journals' bookkeeping, and every payload."""
    with calotype.open(folder) as store:
        found = {kind: [str(one.body) for one in store.documents.scan(kind)] for kind in CATALOG}
        ordered = {kind: bodies if kind == "message" else sorted(bodies) for kind, bodies in found.items()}
        return {**ordered, "payloads": sorted(store.inside.assets.blobs.scan())}


def test_a_folder_comes_in_and_a_second_run_changes_nothing(calo: Invoke, folder: Path, tavern: Path) -> None:
    done = calo("import", "sillytavern", tavern)
    assert done.status == 1
    assert done.out.splitlines()[2].startswith("failed")
    assert "35 items: 31 imported, 3 skipped, 1 failed" in done.out
    assert "oai_settings.proxy_password" in done.out
    before = contents(folder)
    again = calo("import", "sillytavern", tavern / "data/default-user", "--json").json()
    assert (again["imported"], again["same"], again["skipped"], again["failed"]) == (0, 31, 3, 1)
    assert contents(folder) == before
    assert calo("verify").status == 0


def test_a_dry_run_needs_a_store_and_changes_none(calo: Invoke, folder: Path, tavern: Path) -> None:
    assert "calotype init" in calo("import", "sillytavern", tavern, "--dry-run").err
    assert calo("init").status == 0
    before = contents(folder)
    assert "dry run" in calo("import", "sillytavern", tavern, "--dry-run").out
    assert contents(folder) == before


def test_what_cannot_be_imported_is_refused(calo: Invoke, folder: Path, tavern: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "data/default-user" in calo("import", "sillytavern", tmp_path / "empty").err
    inside = calo("import", "sillytavern", tavern, "--data-dir", tavern / "data/default-user/assets")
    assert "another data folder" in inside.err
    assert not folder.exists()
    assert "calotype user create" in calo("import", "sillytavern", tavern, "--user", "ben@example.org").err


def came(folder: Path) -> int:
    """How far an import came: files of payloads, and the bytes of the chats."""
    return 8 * len(list(folder.glob("binaries/*/raw"))) + sum(
        path.stat().st_size // 2_000 for path in folder.glob("chats/*.jsonl")
    )


@pytest.mark.heavy
def test_stopped_anywhere_and_run_again_all_is_there_and_none_twice(
    calo: Invoke,
    folder: Path,
    tavern: Path,
    folders: ModuleType,
    serving: ModuleType,
    scale: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CALOTYPE_DURABILITY", "none")  # of what runs in this process and is not killed
    user = tavern / "data/default-user"
    (user / "chats/Bob").mkdir()
    (user / "chats/Bob/Long.jsonl").write_bytes(folders.long_log(LINES * scale))
    for number in range(10 * scale):
        (user / f"worlds/{number}.json").write_bytes(b"[%d]" % number)
    whole = folder.with_name("whole")
    wanted = calo("import", "sillytavern", tavern, "--data-dir", whole, "--json").json()
    counts = {kind: len(found) for kind, found in contents(whole).items()}
    end = came(whole)
    for round_ in range(scale):
        shutil.rmtree(folder, ignore_errors=True)
        stops = [(2 + round_ % 3, signal.SIGKILL), (6 + round_ % 3, signal.SIGKILL), (9, signal.SIGINT)]
        for part, number in stops if scale > 1 else stops[:2]:
            wanted_now = max(end * part // 10, came(folder) + 1)  # at least something of its own
            process = subprocess.Popen(
                [*serving.COMMAND, "import", "sillytavern", str(tavern)],
                env=serving.environment(folder, {"CALOTYPE_MIN_FREE_BYTES": "0"}),
                stdout=subprocess.DEVNULL,
            )
            deadline = time.monotonic() + DEADLINE_S
            while process.poll() is None and came(folder) < wanted_now and time.monotonic() < deadline:
                time.sleep(0.005)
            process.send_signal(number)
            process.wait(DEADLINE_S)
        again = calo("import", "sillytavern", tavern, "--json").json()
        assert (again["imported"] + again["same"], again["failed"]) == (wanted["imported"], wanted["failed"])
        assert {kind: len(found) for kind, found in contents(folder).items()} == counts
