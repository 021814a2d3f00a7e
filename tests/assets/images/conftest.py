"""Pictures made here, and the corpus where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real files; skip where there is none."""
    beside = Path(__file__).parents[4] / "shared" / "corpus"
    folder = Path(os.environ.get("CALOTYPE_CORPUS", beside))
    if not (folder / "images").is_dir():
        pytest.skip("no corpus: set CALOTYPE_CORPUS to a folder holding images/ and tavern/")
    return folder
