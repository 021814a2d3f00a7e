"""The commands that the pages show exist: Makefile targets, `calotype` commands, the test command of CI."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHELL_BLOCK = re.compile(r"^```sh[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def targets_of(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_make_target_named_in_a_page_exists(repository: Path, pages: list[Path]) -> None:
    targets = targets_of((repository / "Makefile").read_text())
    named = {
        target for page in pages for target in re.findall(r"(?:^|`|\$ )make ([a-z]+)", page.read_text(), re.MULTILINE)
    }
    assert {"run", "test", "check", "setup", "bench", "soak"} <= targets
    assert named - targets == set()


def test_the_makefile_can_say_what_it_offers(repository: Path) -> None:
    # Not as a part of the make that may be running this test.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(["make", "help"], cwd=repository, env=environment, capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in run.stdout.splitlines()} == targets_of((repository / "Makefile").read_text())


def test_every_shell_block_is_shell(pages: list[Path]) -> None:
    for page in pages:
        for block in SHELL_BLOCK.findall(page.read_text()):
            checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
            assert checked.returncode == 0, f"{page.name}: {checked.stderr}\n{block}"


def test_the_readme_has_two_commands_and_ci_runs_the_second(repository: Path) -> None:
    first, second = SHELL_BLOCK.findall((repository / "README.md").read_text())
    script = (repository / ".ci/run").read_text().splitlines()
    assert first == "make run\n"
    assert second == "make test\n"
    assert script[-1] == f"exec {second.strip()}"
    assert (repository / ".ci/run").stat().st_mode & 0o111


@pytest.mark.parametrize("script", [".ci/run", "tools/setup"])
def test_our_scripts_are_shell(repository: Path, script: str) -> None:
    subprocess.run(["bash", "-n", str(repository / script)], check=True)


def test_the_readme_says_what_it_must(repository: Path) -> None:
    readme = (repository / "README.md").read_text()
    for words in (
        "PocketBase",
        "SeaweedFS",
        "a plain folder",
        "Back up",
        "Never run the original application",
        "Linux and macOS",
    ):
        assert words in readme
    assert readme.index("Back up") < readme.index("## Further")
    assert "DATA_DIR ?= var/data" in (repository / "Makefile").read_text()
