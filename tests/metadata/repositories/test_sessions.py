"""Sessions: what lies on disk cannot be used to sign in, and the original's sessions go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metadata.documents.contract import put
from metadata.errors import BusyError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from metadata.repositories.container import Repositories

NEVER = datetime(2999, 1, 1, tzinfo=UTC)
PAST = datetime(2001, 1, 1, tzinfo=UTC)


def of_the_original(store: Repositories, token: str) -> str:
    """Store a session as the original does, with its token as it is; return its id."""
    user = store.users.ensure_first().id
    record = {"id": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "sessionToken": token, "userId": user}
    store.documents.apply([put("session", {**record, "expires": "2999-01-01T00:00:00.000Z"})])
    return str(record["id"])


def test_only_the_hash_of_a_token_lies_on_disk(store: Repositories, folder: Path) -> None:
    session, token = store.sessions.open(store.users.ensure_first().id, NEVER)
    assert session.session_token.startswith("sha256:")
    assert token not in (folder / "auth/sessions.jsonl").read_text()
    assert store.sessions.find_by_token(token) == session
    assert store.sessions.find_by_token(session.session_token) is None
    assert store.sessions.find_by_token("") is None


def test_an_application_brings_tokens_of_its_own(store: Repositories) -> None:
    session, token = store.sessions.open(store.users.ensure_first().id, NEVER, token="mine")  # noqa: S106 - a test's
    assert token == "mine"  # noqa: S105 - the same
    assert store.sessions.find_by_token("mine") == session


def test_a_plain_token_of_the_original_is_accepted_and_kept_as_its_hash_from_then_on(
    store: Repositories, folder: Path
) -> None:
    session_id = of_the_original(store, "plain")
    for _ in range(2):
        found = store.sessions.find_by_token("plain")
        assert found is not None
        assert found.id == session_id
    kept = store.sessions.get(session_id).session_token
    assert kept.startswith("sha256:")
    assert store.sessions.find_by_token(kept) is None
    store.documents.compact()
    assert "plain" not in (folder / "auth/sessions.jsonl").read_text()


def test_a_store_that_cannot_be_written_signs_nobody_out(store: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    of_the_original(store, "plain")

    def refuse(_: object) -> None:
        raise BusyError("not now")

    monkeypatch.setattr(store.documents, "apply", refuse)
    assert store.sessions.find_by_token("plain") is not None


def test_a_session_ends_at_its_time_or_when_it_is_ended(store: Repositories) -> None:
    user = store.users.ensure_first().id
    _, over = store.sessions.open(user, PAST)
    _, token = store.sessions.open(user, NEVER)
    assert store.sessions.find_by_token(over) is None
    assert store.sessions.prolong(over, NEVER) is None
    longer = store.sessions.prolong(token, NEVER + timedelta(days=1))
    assert longer is not None
    assert longer.expires == "2999-01-02T00:00:00.000Z"
    assert store.sessions.delete_expired() == 1
    assert store.sessions.delete_by_token(token)
    assert not store.sessions.delete_by_token(token)
    assert store.sessions.find_by_token(token) is None
    store.sessions.open(user, NEVER)
    assert store.sessions.delete_by_user_id(user) == 1
