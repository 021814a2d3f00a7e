"""Hashing payloads again: in parts, with what was seen written down, and none that was seen lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from assets.digest import digest_of
from assets.fsck.report import Wishes
from assets.fsck.scrub import Part, Scrubbed
from assets.fsck.verifying import last_summary
from assets.library import Upload
from metadata.errors import InvalidError
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.wiring import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of eight payloads."""
    environ = {"DATA_DIR": str(tmp_path / "data"), "CALOTYPE_DURABILITY": "none", "CALOTYPE_MIN_FREE_BYTES": "0"}
    with open_store(load_settings(environ).settings) as opened:
        for number in range(8):
            with opened.assets.receive() as staging:
                staging.write(b"payload %d" % number)
                staged = staging.finish()
            opened.assets.store(staged, Upload(user_id=opened.owner.id, filename="a"))
        yield opened


def run(store: Store, **wishes: Any) -> Scrubbed:
    return store.checks.verifier.run(Wishes(full=True, **wishes)).scrubbed


@pytest.mark.parametrize("of", [1, 2, 3, 7, 256])
def test_every_payload_is_in_one_part(of: int) -> None:
    digests = [digest_of(b"%d" % number) for number in range(200)]
    assert all(sum(Part(number, of).holds(digest) for number in range(1, of + 1)) == 1 for digest in digests)


def test_a_part_is_read() -> None:
    assert Part.parse("2/7") == Part(2, 7)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "-1/2", "1/2/3", "a/b", "²/3", "1/"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="2/7"):
        Part.parse(text)


def test_parts_together_hash_everything_once(store: Store) -> None:
    assert sum(run(store, part=Part(number, 3)).payloads for number in (1, 2, 3)) == 8


def test_what_was_seen_lately_is_left_out(store: Store) -> None:
    assert run(store, part=Part(1, 2)).payloads + run(store, older_than_s=3600.0).payloads == 8
    again = run(store, older_than_s=3600.0)
    assert (again.payloads, again.skipped) == (0, 8)


def test_nothing_is_written_when_that_was_not_asked_for(store: Store) -> None:
    run(store, noting=False)
    assert [fact.body.get("verifiedAt") for fact in store.documents.scan("fact")] == [None] * 8
    assert last_summary(store.engine) is None
    run(store)
    assert (last_summary(store.engine) or {})["sound"] is True


def test_what_was_rotten_is_not_trusted_until_it_is_sound_again(store: Store) -> None:
    fact = next(iter(store.documents.scan("fact")))
    raw = store.engine.paths.resolve(f"binaries/{fact.key}/raw")
    sound = raw.read_bytes()
    raw.write_bytes(sound[:-1] + b"?")
    run(store)
    assert not store.records.facts.trusted(fact.key, 3600)
    raw.write_bytes(sound)
    run(store)
    assert store.records.facts.trusted(fact.key, 3600)
    assert "rottenAt" not in next(iter(store.documents.scan("fact"))).body
