"""`calotype token`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import calotype
from metadata.errors import InvalidError
from server.cli.tokens import moment_of

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_token_stands_alone_and_works(calo: Invoke, folder: Path) -> None:
    done = calo("token", "create", "--scope", "write", "--name", "laptop", "--expires", "2h")
    assert (done.status, done.err) == (0, "")
    (secret,) = done.out.splitlines()
    with calotype.open(folder) as store:
        token = store.access_tokens.authenticate(secret)
    assert token is not None
    assert (token.name, token.scope.value) == ("laptop", "write")
    assert secret not in (folder / "auth" / "access-tokens.jsonl").read_text()


def test_tokens_are_listed_without_their_texts(calo: Invoke) -> None:
    made = calo("token", "create", "--scope", "read", "--json").json()
    (listed,) = calo("token", "ls", "--json").json()["items"]
    assert listed == {name: value for name, value in made.items() if name != "token"}
    assert "tokenHash" not in listed
    assert calo("token", "ls").out.splitlines()[1].split()[:3] == [made["id"], "read", "read"]


def test_a_revoked_token_is_no_more(calo: Invoke, folder: Path) -> None:
    made = calo("token", "create", "--scope", "read", "--json").json()
    assert calo("token", "revoke", made["id"]).out == f"Revoked {made['id']}\n"
    assert calo("token", "revoke", made["id"]).status == 3
    with calotype.open(folder) as store:
        assert store.access_tokens.authenticate(made["token"]) is None


def test_what_makes_no_token(calo: Invoke) -> None:
    assert calo("token", "create", "--scope", "root").status == 2
    assert calo("token", "create").status == 2
    assert calo("token", "create", "--scope", "read", "--expires", "soon").status == 2
    assert calo("token", "ls", "--json").json() == {"items": []}


@pytest.mark.parametrize(
    ("text", "span"), [("90s", timedelta(seconds=90)), ("5m", timedelta(minutes=5)), ("8w", timedelta(weeks=8))]
)
def test_a_span_counts_from_now(text: str, span: timedelta) -> None:
    assert moment_of(text, NOW) == NOW + span


def test_a_moment_is_taken_as_it_is() -> None:
    assert moment_of("2027-01-31T12:00:00+02:00", NOW) == datetime(2027, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "0d", "1y", "-1d", "2026-01-01T00:00:00Z", "2027-01-31", "999999w"])
def test_what_is_no_time_to_come(text: str) -> None:
    with pytest.raises(InvalidError):
        moment_of(text, NOW)
