"""Whoever silences a check says which and why, in the code and in pyproject.toml."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SILENCER = re.compile(r"#\s*(?:noqa|type:\s*ignore|mypy:|ruff:|pragma:|pyright:|fmt: off)")
EXPLAINED = [
    re.compile(r"# noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*(?: -|  #) \S.*"),
    re.compile(r"# type: ignore\[[a-z-]+(?:, ?[a-z-]+)*\]  ?# \S.*"),
]


def unexplained(name: str, text: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and SILENCER.search(token.string):
            begin = SILENCER.search(token.string)
            assert begin is not None
            rest = token.string[begin.start() :]
            if not any(pattern.fullmatch(rest) for pattern in EXPLAINED):
                yield f"{name}:{token.start[0]}: {token.string}"


@pytest.mark.parametrize(
    ("comment", "accepted"),
    [
        ("# noqa: S603 - a real process is the point", True),
        ("# noqa: S603,S607 - a real process is the point", True),
        ("# type: ignore[arg-type] # the stub is wrong", True),
        ("# type: ignore[arg-type] # why  # noqa: S603 - both", True),
        ("# noqa: S603  # a real process is the point", True),
        ("# fmt: skip", True),  # the layout of a table is its own reason
        ("# a plain remark", True),
        ("# noqa: S603", False),
        ("# noqa", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore # because", False),
        ("# mypy: ignore-errors", False),
        ("# fmt: off", False),
    ],
)
def test_a_suppression_needs_a_code_and_a_reason(comment: str, *, accepted: bool) -> None:
    assert (list(unexplained("m.py", f"x = 1  {comment}\n")) == []) is accepted


def test_every_suppression_has_a_reason(repository: Path, python: list[Path]) -> None:
    assert [found for path in python for found in unexplained(str(path), (repository / path).read_text())] == []


def test_every_ignored_rule_has_a_reason(repository: Path) -> None:
    """In the tables of ignored rules, each line that begins with a code carries a comment."""
    lines = (repository / "pyproject.toml").read_text().splitlines()
    codes = [line for line in lines if re.match(r'\s*"[A-Z]+[0-9]*",?', line)]
    assert codes, "no ignored rule found: the pattern is out of step with pyproject.toml"
    assert [line for line in codes if not re.search(r"# \S+ \S+", line)] == []
