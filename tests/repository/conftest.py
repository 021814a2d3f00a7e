"""What the checks of the repository itself look at: its tracked files and its source."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FLOORS = ("assets", "calotype", "metadata", "server")


@pytest.fixture(scope="session")
def tracked(repository: Path) -> list[Path]:
    """Every file that git tracks or would track, relative to the root."""
    if shutil.which("git") is None or not (repository / ".git").exists():
        pytest.skip("not a git checkout: nothing tells which files are tracked")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=repository, capture_output=True, check=True).stdout.decode()
    return sorted(Path(name) for name in set(listing.split("\0")) if name and (repository / name).is_file())


@pytest.fixture(scope="session")
def source(repository: Path) -> list[Path]:
    """Every module of the four floors, relative to the root."""
    return sorted(path.relative_to(repository) for floor in FLOORS for path in (repository / floor).rglob("*.py"))


@pytest.fixture(scope="session")
def python(tracked: list[Path]) -> list[Path]:
    """Every tracked Python file, tests included, relative to the root."""
    return [path for path in tracked if path.suffix == ".py"]
