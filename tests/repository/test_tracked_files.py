"""Tracked files name no machine, no package registry's host and no unfinished work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Written in pieces, so that this file does not find itself.
MACHINE = re.compile(
    r"(?<![\w.])/(?:" + "|".join(["wor" + "k", "far" + "m", "roo" + "t", "home/[a-z]+", "Users/[A-Za-z]+"]) + r")/"
)
REGISTRY = re.compile(
    "|".join(["py" + r"pi\.org", "pythonhosted" + r"\.org", "npm" + r"js\.", "deb" + r"ian\.org", "/opt/" + "pypi"])
)
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
LARGEST = 400_000


def findings(repository: Path, files: list[Path], pattern: re.Pattern[str]) -> Iterator[str]:
    for path in files:
        data = (repository / path).read_bytes()
        if len(data) > LARGEST or b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
            if pattern.search(line):
                yield f"{path}:{number}: {line.strip()[:100]}"


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE, "open('/" + "work/main/x')"),
        (MACHINE, "see /" + "home/alice/notes"),
        (REGISTRY, "https://py" + "pi.org/simple"),
        (UNFINISHED, "# TO" + "DO: later"),
    ],
)
def test_the_patterns_find_what_they_are_for(tmp_path: Path, pattern: re.Pattern[str], line: str) -> None:
    (tmp_path / "file.txt").write_text(f"one\n{line}\n")
    (name,) = [path.relative_to(tmp_path) for path in tmp_path.iterdir()]
    assert list(findings(tmp_path, [name], pattern)) == [f"file.txt:2: {line}"]


@pytest.mark.parametrize("line", ["/network/", "a/root/b", "./root/x", "/root", "/homes/"])
def test_ordinary_paths_are_left_alone(line: str) -> None:
    assert MACHINE.search(line) is None


def test_no_path_of_a_machine(repository: Path, tracked: list[Path]) -> None:
    assert list(findings(repository, tracked, MACHINE)) == []


def test_no_host_of_a_package_registry(repository: Path, tracked: list[Path]) -> None:
    assert list(findings(repository, tracked, REGISTRY)) == []


def test_no_markers_of_unfinished_work(repository: Path, tracked: list[Path]) -> None:
    assert list(findings(repository, tracked, UNFINISHED)) == []
