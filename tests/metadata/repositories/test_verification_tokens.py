"""Verification tokens are used once, by whichever process comes first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from metadata.repositories.container import Repositories
from metadata.store import JsonStore

if TYPE_CHECKING:
    from pathlib import Path

LATER = "2999-01-01T00:00:00.000Z"


def test_a_token_is_used_once(store: Repositories) -> None:
    store.verification_tokens.create(identifier="a@example.org", token="t/1", expires=LATER)  # noqa: S106 - a test's
    assert store.verification_tokens.consume("a@example.org/t", "1") is None
    assert store.verification_tokens.consume("b@example.org", "t/1") is None
    used = store.verification_tokens.consume("a@example.org", "t/1")
    assert used is not None
    assert (used.identifier, used.token) == ("a@example.org", "t/1")
    assert store.verification_tokens.consume("a@example.org", "t/1") is None


def test_one_whose_time_is_over_is_used_up_and_proves_nothing(store: Repositories) -> None:
    past = "2001-01-01T00:00:00.000Z"
    for token in ("1", "2"):
        store.verification_tokens.create(identifier="a", token=token, expires=past)
    assert store.verification_tokens.consume("a", "1") is None
    assert [left.token for left in store.verification_tokens.find_all()] == ["2"]
    assert store.verification_tokens.delete_expired() == 1


@pytest.mark.heavy
def test_of_several_processes_one_gets_each_token(store: Repositories, folder: Path, scale: int) -> None:
    tokens = [str(number) for number in range(30 * scale)]
    for token in tokens:
        store.verification_tokens.create(identifier="a", token=token, expires=LATER)
    children = [_start(folder, number, tokens) for number in range(4)]
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    won = [line for number in range(4) for line in (folder / f"won{number}").read_text().split()]
    assert sorted(won) == sorted(tokens)


def _start(folder: Path, number: int, tokens: list[str]) -> int:
    child = os.fork()
    if child == 0:
        own = Repositories(JsonStore(folder))
        won = [token for token in tokens if own.verification_tokens.consume("a", token) is not None]
        (folder / f"won{number}").write_text("\n".join(won))
        os._exit(0)
    return child
