"""Source files stay under 300 lines and functions under 50; every module says what it holds."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_FILE = 300
LONGEST_FUNCTION = 50


def long_functions(name: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}:{node.lineno} {node.name}: {length} lines"


def test_a_long_function_is_found() -> None:
    text = "def short():\n    pass\n\nasync def long():\n" + "    pass\n" * LONGEST_FUNCTION
    assert list(long_functions("m.py", text)) == ["m.py:4 long: 51 lines"]


def test_no_source_file_is_longer_than_300_lines(repository: Path, source: list[Path]) -> None:
    lengths = {str(path): (repository / path).read_text().count("\n") for path in source}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_50_lines(repository: Path, source: list[Path]) -> None:
    assert [found for path in source for found in long_functions(str(path), (repository / path).read_text())] == []


def test_every_module_has_a_docstring(repository: Path, source: list[Path]) -> None:
    assert [str(path) for path in source if not ast.get_docstring(ast.parse((repository / path).read_text()))] == []


def test_nothing_is_left_to_be_implemented(repository: Path, source: list[Path]) -> None:
    unwritten = "NotImplemented" + "Error"
    assert [str(path) for path in source if unwritten in (repository / path).read_text()] == []


def test_modules_are_named_by_what_they_hold(source: list[Path]) -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [str(path) for path in source if path.stem in vague] == []
