"""Names are what docs/format.md and records say, and what is not ours is not taken for ours."""

from __future__ import annotations

import os

import pytest

from assets.blobs import layout
from assets.digest import digest_of

DIGEST = digest_of(b"x")


def test_a_payload_lies_where_records_say() -> None:
    assert layout.relative_path(DIGEST) == f"binaries/{DIGEST}/raw"


def test_staged_names_carry_their_owner() -> None:
    owner = layout.new_owner(os.getpid())
    assert owner.startswith(f"{os.getpid()}.")
    assert layout.owner_of(layout.new_staged(owner)) == owner
    assert layout.owner_of(layout.owner_lock(owner)) == owner
    assert layout.new_staged(owner) != layout.new_staged(owner)


@pytest.mark.parametrize(
    "name", ["", "notes.txt", "12.0123abcd", "12.0123abcd.lock.old", "x.0123abcd.lock", "../12.0123abcd.lock"]
)
def test_other_names_have_no_owner(name: str) -> None:
    assert layout.owner_of(name) is None


def test_only_digests_are_payloads() -> None:
    names = ["index.jsonl", "index.jsonl.lock", DIGEST, DIGEST.upper(), f".{DIGEST}.tmp"]
    assert list(layout.digests(names)) == [DIGEST]


def test_two_payloads_set_aside_in_one_second_do_not_meet() -> None:
    assert layout.set_aside(DIGEST, 1) != layout.set_aside(DIGEST, 1)
