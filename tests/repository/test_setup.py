"""`tools/setup` says what is missing instead of failing somewhere inside."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TOO_OLD = "#!/bin/sh\nexit 1\n"
# New enough, but as Debian ships it: without venv.
WITHOUT_VENV = """#!/bin/sh
case "$2" in
    *ensurepip*) exit 1 ;;
    *print*) echo 3.12 ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path, repository: Path) -> Path:
    """A checkout with nothing but the script, and a path with only what the script calls."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(repository / "tools/setup", tmp_path / "tools")
    for name in ("bash", "dirname", "id"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    return tmp_path


def setup_with(place: Path, python: str) -> tuple[int, str]:
    """Run the script with a fake interpreter; return its exit code and what it said."""
    program = place / "bin" / "python3"
    program.write_text(python)
    program.chmod(0o755)
    environment = {"PATH": str(place / "bin"), "PYTHON": str(program)}
    run = subprocess.run(
        ["bash", str(place / "tools/setup")], env=environment, capture_output=True, text=True, check=False
    )
    return run.returncode, run.stderr


def test_a_python_that_is_too_old(place: Path) -> None:
    code, said = setup_with(place, TOO_OLD)
    assert code == 1
    assert "No Python of at least 3.11 was found" in said
    assert "PYTHON=" in said


def test_a_python_without_venv(place: Path) -> None:
    code, said = setup_with(place, WITHOUT_VENV)
    assert code == 1
    assert "sudo apt-get install python3.12-venv" in said


def test_nothing_is_left_behind(place: Path) -> None:
    setup_with(place, WITHOUT_VENV)
    assert not (place / ".venv").exists()
