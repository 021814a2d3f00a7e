"""No test waits a fixed time or judges a duration: such tests fail on a busy machine and pass on a broken program."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DURATIONS = ("elapsed", "duration", "took")
CLOCKS = ("monotonic()", "perf_counter()", "time.time()")


def judged_times(name: str, tree: ast.AST) -> Iterator[str]:
    """Assertions that compare a duration: by its name, or as a difference from a clock."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare)):
            continue
        parts = list(ast.walk(node.test))
        names = {getattr(part, "id", getattr(part, "attr", "")) for part in parts}
        differences = [
            ast.unparse(part) for part in parts if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub)
        ]
        if names & {*DURATIONS} or any(clock in text for text in differences for clock in CLOCKS):
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"


def blind_sleeps(name: str, tree: ast.AST) -> Iterator[str]:
    """Calls of sleep outside a loop, where a condition is being polled, and a class, which plays a slow part."""
    meant = (ast.While, ast.For, ast.ClassDef)
    excused = {id(part) for node in ast.walk(tree) if isinstance(node, meant) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"sleep", "time.sleep"} and id(node) not in excused:
            yield f"{name}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "line", ["assert elapsed < 1", "assert time.monotonic() - began < 3", "assert result.elapsed <= limit"]
)
def test_a_judged_time_is_found(line: str) -> None:
    assert list(judged_times("t.py", ast.parse(line))) == [f"t.py:1: {line}"]


def test_an_order_of_moments_is_no_judgement() -> None:
    assert list(judged_times("t.py", ast.parse("assert first <= clock.monotonic()"))) == []


def test_a_blind_sleep_is_found_and_polling_is_not() -> None:
    text = "import time\ntime.sleep(1)\nwhile not ready():\n    time.sleep(0.01)\nclass Slow:\n    time.sleep(1)\n"
    assert list(blind_sleeps("t.py", ast.parse(text))) == ["t.py:2: time.sleep(1)"]


def test_no_test_judges_a_time(repository: Path, python: list[Path]) -> None:
    tests = [path for path in python if path.parts[0] == "tests"]
    assert [hit for path in tests for hit in judged_times(str(path), ast.parse((repository / path).read_text()))] == []


def test_no_test_sleeps_blindly(repository: Path, python: list[Path]) -> None:
    tests = [path for path in python if path.parts[0] == "tests"]
    assert [hit for path in tests for hit in blind_sleeps(str(path), ast.parse((repository / path).read_text()))] == []
