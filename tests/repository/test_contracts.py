"""The import contracts can fail: a copy of the source with one trespass each breaks exactly the contract meant."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FLOORS = ("assets", "calotype", "metadata", "server")
TRESPASSES = {
    "Floors": ("metadata/files/trespass.py", "import assets\n"),
    "Layers inside metadata": ("metadata/unplaced.py", ""),
    "Layers inside metadata.files": ("metadata/files/unplaced.py", ""),
    "Layers inside assets": ("assets/unplaced.py", ""),
    "Layers inside server": ("server/unplaced.py", ""),
    "No cycles": ("metadata/schemas/first.py", "from . import second\n"),
    "starlette": ("assets/web.py", "import starlette\n"),
    "Pillow": ("server/pictures.py", "from PIL import Image\n"),
    "Pixels": ("server/pixels.py", "from assets.images import derive\n"),
    "filelock": ("metadata/files/other.py", "import filelock\n"),
    "cryptography": ("server/secrets.py", "import cryptography.fernet\n"),
    "sqlite3": ("metadata/repositories/shortcut.py", "import sqlite3\n"),
    "httpx2": ("server/client.py", "import httpx2\n"),
    "Backends": ("server/backend.py", "from metadata.documents import memory\n"),
    "typer": ("assets/terminal.py", "import rich.table\n"),
}


def contracts(folder: Path) -> dict[str, str]:
    """Run lint-imports in a folder; return each contract's name and its verdict."""
    program = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run([program, "--no-cache", "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)
    verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", run.stdout, re.MULTILINE))
    assert verdicts, run.stdout + run.stderr
    return verdicts


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """The source and the contracts, alone."""
    for floor in FLOORS:
        shutil.copytree(repository / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept(copy: Path) -> None:
    assert [name for name, verdict in contracts(copy).items() if verdict != "KEPT"] == []


def test_every_contract_can_be_broken(copy: Path) -> None:
    for path, text in TRESPASSES.values():
        (copy / path).write_text(f'"""A trespass."""\n{text}')
    (copy / "metadata/schemas/second.py").write_text('"""The other half of a cycle."""\nfrom . import first\n')
    verdicts = contracts(copy)
    kept = [
        begin for begin in TRESPASSES if not any(n.startswith(begin) and v == "BROKEN" for n, v in verdicts.items())
    ]
    assert kept == []
    unguarded = [name for name in verdicts if not any(name.startswith(begin) for begin in TRESPASSES)]
    assert unguarded == [], "a contract without a trespass: nothing shows that it can fail"
