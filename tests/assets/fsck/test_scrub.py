"""Hashing payloads again: in parts, with what was seen written down, and none that was seen lately."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from assets.digest import digest_of
from assets.fsck.report import Wishes
from assets.fsck.scrub import Part, Scrubbed
from assets.fsck.verifying import last_summary
from assets.library import Upload
from metadata.clock import SystemClock
from metadata.errors import InvalidError
from metadata.files.filesystem import FileSystem
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.wiring import Store


class Disk(FileSystem):
    """A disk with files that cannot be read any more."""

    def __init__(self) -> None:
        self.bad: set[int] = set()

    def pread(self, descriptor: int, length: int, offset: int) -> bytes:
        """Read, unless the file is a bad one."""
        if os.fstat(descriptor).st_ino in self.bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().pread(descriptor, length, offset)


class Clock(SystemClock):
    """A clock by which each look takes so many seconds."""

    step = 0.0
    _passed = 0.0

    def monotonic(self) -> float:
        """Return the seconds."""
        self._passed += self.step
        return self._passed


@pytest.fixture
def disk() -> Disk:
    """The disk that the store lies on."""
    return Disk()


@pytest.fixture
def clock() -> Clock:
    """The store's clock."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, disk: Disk, clock: Clock) -> Iterator[Store]:
    """A store of eight payloads."""
    environ = {"DATA_DIR": str(tmp_path / "data"), "CALOTYPE_DURABILITY": "none", "CALOTYPE_MIN_FREE_BYTES": "0"}
    with open_store(load_settings(environ).settings, fs=disk, clock=clock) as opened:
        for number in range(8):
            put(opened, b"payload %d" % number)
        yield opened


def put(store: Store, data: bytes) -> None:
    with store.assets.receive() as staging:
        staging.write(data)
        staged = staging.finish()
    store.assets.store(staged, Upload(user_id=store.owner.id, filename="a"))


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


def noted(store: Store) -> int:
    return sum("verifiedAt" in fact.body for fact in store.documents.scan("fact"))


def test_a_scrub_that_was_interrupted_goes_on(store: Store) -> None:
    def interrupt(_: str, done: Scrubbed) -> None:
        if done.payloads == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.checks.verifier.run(Wishes(full=True), interrupt)
    rest = run(store, older_than_s=3600.0)
    assert (rest.skipped, rest.payloads) == (3, 5)
    assert rest.total_bytes == rest.bytes, "what is left out is not waited for"


def test_a_slow_scrub_that_is_killed_has_noted_what_it_did(store: Store, clock: Clock) -> None:
    seen = []
    clock.step = 6.0
    store.checks.verifier.run(Wishes(full=True), lambda _, done: seen.append((done.payloads, noted(store))))
    assert len(seen) > 8
    assert all(payloads - many <= 3 for payloads, many in seen)


def test_what_the_disk_does_not_read_is_found_told_again_and_healed(store: Store, disk: Disk) -> None:
    digest = digest_of(b"payload 3")
    disk.bad.add(store.engine.paths.resolve(f"binaries/{digest}/raw").stat().st_ino)
    for wishes in (Wishes(full=True), Wishes()):
        report = store.checks.verifier.run(wishes)
        assert [(found.kind, found.about) for found in report.findings] == [("payload-unreadable", digest)]
        assert "Input/output error" in report.findings[0].evidence
    assert store.checks.verifier.accept(report)[1].findings == report.findings
    put(store, b"payload 3")
    kinds = [finding.kind for finding in store.checks.verifier.run(Wishes(full=True)).findings]
    assert kinds == ["set-aside"]
