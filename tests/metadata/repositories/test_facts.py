"""Facts about payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from metadata.errors import InvalidError
from metadata.repositories.facts import FactsRepository

if TYPE_CHECKING:
    from types import ModuleType

    from metadata.documents.memory import MemoryDocuments


def test_the_first_time_stays_and_the_last_one_moves(documents: MemoryDocuments, make: ModuleType, clock: Any) -> None:
    facts = FactsRepository(documents, clock=clock)
    first = facts.note_upload(make.sha(1), {"size": 5, "mediaType": "image/png"})
    clock.go(days=1)
    again = facts.note_upload(make.sha(1), {"size": 5, "width": 3})
    assert first.first_stored_at == again.first_stored_at == "2026-01-01T00:00:00.000Z"
    assert again.last_upload_at == "2026-01-02T00:00:00.000Z"
    assert (again.media_type, again.width) == ("image/png", 3)
    assert facts.get(make.sha(1)) == again
    assert facts.list().total == 1


def test_nonsense_is_no_fact(documents: MemoryDocuments, make: ModuleType) -> None:
    facts = FactsRepository(documents)
    with pytest.raises(InvalidError):
        facts.note_upload(make.sha(1), {"size": "many"})
    assert facts.find_by_id(make.sha(1)) is None


def test_facts_go_together_and_come_back_one_by_one(documents: MemoryDocuments, make: ModuleType, clock: Any) -> None:
    facts = FactsRepository(documents, clock=clock)
    one, two = (facts.note_upload(make.sha(number), {"size": 5}) for number in (1, 2))
    facts.forget_all([])
    facts.forget_all([one.sha256, two.sha256, make.sha(3)])
    assert facts.list().total == 0
    facts.revive(one.to_record())
    assert facts.get(one.sha256) == one
    clock.go(days=1)
    newer = facts.note_upload(one.sha256, {"size": 5})
    facts.revive(one.to_record())
    assert facts.get(one.sha256) == newer
    with pytest.raises(InvalidError):
        facts.revive({"sha256": make.sha(3), "size": "many"})


def test_a_payload_is_trusted_for_a_while_after_it_was_hashed(
    documents: MemoryDocuments, make: ModuleType, clock: Any
) -> None:
    facts = FactsRepository(documents, clock=clock)
    assert not facts.trusted(make.sha(1), 60), "nothing is known of it"
    facts.note_upload(make.sha(1), {"size": 5})
    assert facts.trusted(make.sha(1), 60)
    clock.go(seconds=61)
    facts.note_upload(make.sha(1), {"size": 5})
    assert not facts.trusted(make.sha(1), 60), "that it was wanted again says nothing of the stored copy"
    facts.note_upload(make.sha(1), {"size": 5}, hashed=True)
    assert facts.trusted(make.sha(1), 60)


def test_what_was_found_rotten_is_not_trusted_until_it_is_hashed_again(
    documents: MemoryDocuments, make: ModuleType, clock: Any
) -> None:
    facts = FactsRepository(documents, clock=clock)
    facts.note_upload(make.sha(1), {"size": 5, "rottenAt": "2026-01-01T00:00:00.000Z"})
    assert facts.rotten(make.sha(1))
    assert not facts.trusted(make.sha(1), 60)
    facts.note_upload(make.sha(1), {"size": 5}, hashed=True)
    assert not facts.rotten(make.sha(1))
    assert facts.trusted(make.sha(1), 60)
    assert not facts.rotten(make.sha(2))
