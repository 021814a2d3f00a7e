"""An empty index in memory."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from metadata.index.database import Database, create
from metadata.index.tables import statements
from metadata.schemas.catalog import CATALOG

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def database() -> Iterator[Database]:
    """An empty index of the whole catalog, in memory."""
    opened = Database(None, nullcontext)
    with opened.reading() as db:
        create(db, statements(CATALOG), {"fingerprint": "x"})
    yield opened
    opened.close()
