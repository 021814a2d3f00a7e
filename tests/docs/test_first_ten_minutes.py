"""docs/first-ten-minutes.md, run as it stands against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.heavy
def test_the_first_ten_minutes(walk: Callable[[str], list[str]], repository: Path) -> None:
    printed = walk((repository / "docs" / "first-ten-minutes.md").read_text())
    assert len(printed) > 10
