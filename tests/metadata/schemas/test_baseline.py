"""The committed `data/` is the baseline, and both are the seed's nine files."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from metadata.schemas.baseline import FOLDERS, JOURNALS, baseline
from metadata.schemas.users import first_user

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

COMMITTED = "2025-11-22T00:00:00.000Z"
SEED = """settings/general.json settings/connection-profiles.json auth/accounts.json auth/sessions.jsonl
auth/verification-tokens.jsonl tags/tags.json image-profiles/image-profiles.json chats/index.jsonl
binaries/index.jsonl"""


def test_the_baseline_is_the_seed_s_nine_files_and_the_marker() -> None:
    files = baseline(COMMITTED)
    assert set(files) == {*SEED.split(), ".gitkeep"}
    assert all(files[path] == b"" for path in (*JOURNALS, ".gitkeep"))
    assert {path.split("/")[0] for path in files} - {".gitkeep"} <= set(FOLDERS)


def test_the_committed_folder_is_the_baseline(repository: Path) -> None:
    if not (repository / ".git").exists():
        pytest.skip("not a checkout: no list of committed files")
    run = subprocess.run(
        ["git", "ls-files", "-z", "--", "data"], cwd=repository, capture_output=True, check=True, text=True
    )
    names = [name.removeprefix("data/") for name in run.stdout.split("\0") if name]
    committed = {name: (repository / "data" / name).read_bytes() for name in names}
    assert committed == dict(baseline(COMMITTED))


def test_the_settings_are_filled_with_the_first_user(original: ModuleType) -> None:
    user, settings = first_user(original.USER, original.SETTINGS, COMMITTED)
    general = json.loads(baseline(COMMITTED, user=user, chat_settings=settings)["settings/general.json"])
    assert list(general) == ["version", "user", "chatSettings", "createdAt", "updatedAt"]
    assert (general["user"], general["chatSettings"]) == (user, settings)


def test_the_documents_are_readable_in_a_diff() -> None:
    text = baseline(COMMITTED)["tags/tags.json"].decode()
    assert text.startswith('{\n  "version": 1,\n  "tags": [],\n')
    assert text.endswith("}\n")
