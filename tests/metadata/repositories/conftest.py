"""Documents in memory and a clock that stands where it is put."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from metadata.documents.memory import MemoryDocuments

if TYPE_CHECKING:
    from collections.abc import Iterator


class StandingClock:
    """Shows one moment until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def go(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock() -> StandingClock:
    """A clock at the beginning of 2026."""
    return StandingClock()


@pytest.fixture
def documents() -> Iterator[MemoryDocuments]:
    """An empty store in memory."""
    store = MemoryDocuments()
    yield store
    store.close()
