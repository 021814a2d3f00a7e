"""The built wheel holds the four packages, typed, and nothing else; the program starts by its console script."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FLOORS = ("assets", "calotype", "metadata", "server")


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names in a wheel built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_four_packages_alone(wheel: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(FLOORS)


def test_every_module_is_in_the_wheel(wheel: list[str], source: list[Path]) -> None:
    assert {path.as_posix() for path in source} <= set(wheel)


@pytest.mark.parametrize("floor", FLOORS)
def test_every_package_is_typed(wheel: list[str], floor: str) -> None:
    assert f"{floor}/py.typed" in wheel


def test_every_folder_of_source_is_a_package(repository: Path, source: list[Path]) -> None:
    folders = {path.parent for path in source}
    assert [str(folder) for folder in folders if not (repository / folder / "__init__.py").is_file()] == []


def test_the_licence_goes_along(wheel: list[str]) -> None:
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)


def test_the_changelog_has_the_version(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    changelog = (repository / "CHANGELOG.md").read_text()
    assert f"## [{project['version']}]" in changelog or "## [Unreleased]" in changelog
    assert project["scripts"] == {"calotype": "server.cli:main"}
