"""`POST /api/admin/backup`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from assets.backup.restoring import restore
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.conftest import Api

URL = "/api/admin/backup"


@pytest.fixture
def backing(open_api: Callable[..., Api], tmp_path: Path) -> Api:
    """A server with a folder for backups."""
    return open_api(BACKUP_DIR=str(tmp_path / "backups"))


def test_a_dry_run_says_what_a_run_does(backing: Api, tmp_path: Path) -> None:
    backing.upload()
    tried = backing.ask("POST", URL, json={"target": "nightly", "dryRun": True}, token=backing.admin).json()
    assert (tried["dryRun"], tried["payloads"], tried["verified"]) == (True, 1, False)
    assert not (tmp_path / "backups").exists()
    done = backing.ask("POST", URL, json={"target": "nightly", "incremental": True}, token=backing.admin).json()
    assert (done["dryRun"], done["payloads"], done["verified"], done["target"]) == (False, 1, True, "nightly")
    again = backing.ask(
        "POST", URL, json={"target": "nightly", "incremental": True, "verify": True}, token=backing.admin
    ).json()
    assert again["reused"] == 1
    assert restore(FileSystem(), tmp_path / "backups" / "nightly", tmp_path / "restored").payloads == 1
    assert backing.ask("POST", URL, json={"target": "nightly"}, token=backing.admin).status_code == 409
    assert backing.ask("POST", URL, json={"target": "one.zip"}, token=backing.admin).json()["verified"]


def test_it_is_an_admins(backing: Api) -> None:
    assert backing.ask("POST", URL, json={"target": "x"}).status_code == 403
    assert backing.ask("POST", URL, json={"target": "x"}, token=None).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"target": "../x"},
        {"target": "/srv/x"},
        {"target": ".."},
        {"target": ".hidden"},
        {"target": "-"},
        {"target": "a/b"},
        {"target": "a\n"},
        {"target": ""},
        {"target": "x" * 101},
        {"target": 7},
        {},
        {"target": "x", "verify": True},
        {"target": "x.zip", "incremental": True},
        {"target": "x", "includeKey": True},
    ],
)
def test_wishes_that_are_refused(backing: Api, body: dict[str, Any], tmp_path: Path) -> None:
    assert backing.ask("POST", URL, json=body, token=backing.admin).status_code == 422
    assert not (tmp_path / "backups").exists()


def test_without_a_folder_it_says_which_setting(api: Api) -> None:
    answer = api.ask("POST", URL, json={"target": "x"}, token=api.admin)
    assert (answer.status_code, answer.json()["setting"]) == (422, "CALOTYPE_BACKUP_DIR")
