"""The rule that makes an import repeatable."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from assets.transfer.verdict import Verdict, derived_id, is_same_record, judge
from metadata.schemas.catalog import CATALOG

TAG, ACCOUNT, KEY = CATALOG["tag"], CATALOG["account"], CATALOG["apiKey"]
BODY: dict[str, Any] = {
    "id": "c9f0f895-fb98-4b91-9159-c2ce2dbd0a3f",
    "userId": "6f9619ff-8b86-4011-b42d-00c04fc964ff",
    "name": "Forest",
    "nameLower": "forest",
    "createdAt": "2025-11-22T09:30:00.000Z",
    "updatedAt": "2025-11-22T09:30:00.000Z",
}


@pytest.mark.parametrize(
    ("stored", "verdict"),
    [
        (None, Verdict.NEW),
        ({}, Verdict.SAME),
        ({"nameLower": "derived"}, Verdict.SAME),
        ({"name": "Wood"}, Verdict.RENEW),
        ({"name": "Wood", "updatedAt": "2025-11-22T10:30:00.000+01:00"}, Verdict.RENEW),
        ({"name": "Wood", "updatedAt": "2025-11-23T09:30:00.000Z"}, Verdict.KEPT),
    ],
)
def test_a_record_is_judged_by_what_is_here(stored: dict[str, Any] | None, verdict: Verdict) -> None:
    assert judge(TAG, None if stored is None else BODY | stored, BODY) is verdict


@pytest.mark.parametrize(
    ("moment", "verdict"),
    [
        ("2025-11-21T00:00:00.000Z", Verdict.RENEW),
        ("2025-11-23T00:00:00.000Z", Verdict.KEPT),
        ("once", Verdict.KEPT),
    ],
)
def test_the_newer_state_is_taken_when_it_is_asked_for(moment: str, verdict: Verdict) -> None:
    stored = BODY | {"name": "Wood", "updatedAt": moment}
    assert judge(TAG, stored, BODY, newer=True) is verdict
    assert judge(TAG, stored, BODY) is Verdict.KEPT


def test_a_record_without_a_date_of_change_is_never_written_over() -> None:
    account = {"id": BODY["id"], "userId": BODY["userId"], "type": "oauth", "provider": "a", "providerAccountId": "1"}
    assert judge(ACCOUNT, account | {"type": "oidc"}, account) is Verdict.KEPT


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"name": "Wood", "updatedAt": "2026-01-01T00:00:00.000Z"}, True),
        ({"createdAt": "2025-11-22T09:30:00Z"}, True),
        ({"createdAt": "2025-11-22T09:30:00.001Z"}, False),
        ({"createdAt": "yesterday"}, False),
        ({"userId": "another"}, False),
    ],
)
def test_a_record_is_known_by_its_date_of_creation_and_its_owner(change: dict[str, Any], *, same: bool) -> None:
    assert is_same_record(TAG, BODY | change, BODY) is same


def test_a_key_without_an_owner_is_one_with_none() -> None:
    assert is_same_record(KEY, {"createdAt": BODY["createdAt"], "_userId": None}, {"createdAt": BODY["createdAt"]})


def test_a_derived_id_is_always_the_same_and_no_others() -> None:
    first = derived_id("tag", "user", "1")
    assert first == derived_id("tag", "user", "1") == str(uuid.UUID(first))
    assert len({first, derived_id("tag", "user", "2"), derived_id("tag", "other", "1"), derived_id("\ud800")}) == 4
