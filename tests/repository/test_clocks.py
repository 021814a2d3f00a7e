"""No test waits a fixed time or judges a duration: such tests fail on a busy machine and pass on a broken program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DURATIONS = ("elapsed", "duration", "took")


def judged_times(name: str, tree: ast.AST) -> Iterator[str]:
    """Assertions that compare a name of a duration, or the clock itself."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)):
            continue
        words = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        words |= {part.attr for part in ast.walk(node.test) if isinstance(part, ast.Attribute)}
        if words & {*DURATIONS, "monotonic", "perf_counter"}:
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"


def blind_sleeps(name: str, tree: ast.AST) -> Iterator[str]:
    """Calls of sleep outside a loop: inside one, a condition is being polled."""
    looped = {id(part) for loop in ast.walk(tree) if isinstance(loop, ast.While | ast.For) for part in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sleep", "time.sleep"} and id(node) not in looped:
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "line", ["assert elapsed < 1", "assert time.monotonic() - began < 3", "assert result.elapsed <= limit"]
)
def test_a_judged_time_is_found(line: str) -> None:
    assert list(judged_times("t.py", ast.parse(line))) == [f"t.py:1: {line}"]


def test_a_blind_sleep_is_found_and_polling_is_not() -> None:
    text = "import time\ntime.sleep(1)\nwhile not ready():\n    time.sleep(0.01)\n"
    assert list(blind_sleeps("t.py", ast.parse(text))) == ["t.py:2: time.sleep(1)"]


def test_no_test_judges_a_time(repository: Path, python: list[Path]) -> None:
    tests = [path for path in python if path.parts[0] == "tests"]
    assert [hit for path in tests for hit in judged_times(str(path), ast.parse((repository / path).read_text()))] == []


def test_no_test_sleeps_blindly(repository: Path, python: list[Path]) -> None:
    tests = [path for path in python if path.parts[0] == "tests"]
    assert [hit for path in tests for hit in blind_sleeps(str(path), ast.parse((repository / path).read_text()))] == []
