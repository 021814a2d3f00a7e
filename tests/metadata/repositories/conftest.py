"""Documents in memory, a clock that stands where it is put, and a store of plain files with somebody to talk to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.memory import MemoryDocuments
from metadata.repositories.container import Repositories
from metadata.store import JsonStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to become a store."""
    return tmp_path / "data"


@pytest.fixture
def store(folder: Path) -> Iterator[Repositories]:
    """Every repository over the folder."""
    opened = Repositories(JsonStore(folder))
    opened.users.ensure_first()
    yield opened
    opened.close()


@pytest.fixture
def who(store: Repositories) -> Any:
    """A character."""
    return store.characters.create(name="Alice", description="d", personality="p", scenario="s", first_message="f")


@pytest.fixture
def talk(store: Repositories, who: Any) -> Any:
    """A chat with the character."""
    profile = store.connections.create(name="c", provider="OPENAI", model_name="m")
    return store.chats.create(title="t", character_id=who.id, connection_profile_id=profile.id)
