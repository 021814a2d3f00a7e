"""The table of errors, and the bodies made from it."""

from __future__ import annotations

import pytest

from metadata import errors as kinds
from metadata.errors import (
    BusyError,
    CalotypeError,
    InternalError,
    TooLargeError,
    UnauthenticatedError,
    UnreadableError,
    UnwrittenError,
)
from server.errors import KINDS, headers_of, outcome, problem, problem_of_status

EVERY_KIND = [each for each in vars(kinds).values() if isinstance(each, type) and issubclass(each, CalotypeError)]
STATUSES = {
    "internal": 500, "invalid": 422, "not-found": 404, "conflict": 409, "stale": 412, "unauthenticated": 401,
    "denied": 403, "throttled": 429, "too-large": 413, "unsupported": 415, "unreadable": 500, "unwritten": 500,
    "busy": 503, "full": 507,
}  # fmt: skip


def test_every_kind_has_its_row_and_every_row_a_kind() -> None:
    assert {each.kind for each in EVERY_KIND} == set(KINDS)
    assert {kind: row.status for kind, row in KINDS.items()} == STATUSES


def test_exit_codes_differ_and_are_not_success() -> None:
    codes = [row.exit_code for row in KINDS.values()]
    assert len(set(codes)) == len(codes)
    assert 0 not in codes


def test_details_become_members_but_do_not_replace_ours() -> None:
    body = problem(TooLargeError("Too big.", limit=5, actual=6, status=200, setting="S"))
    assert body == {
        "type": "urn:calotype:problem:too-large", "title": "Too large", "status": 413, "detail": "Too big.",
        "limit": 5, "actual": 6, "setting": "S",
    }  # fmt: skip


def test_the_inside_stays_inside() -> None:
    body = problem(InternalError("/srv/data broke", path="/srv/data", hint="x"), request_id="r1", admin=True)
    assert "srv" not in repr(body)
    assert "hint" not in body
    assert body["requestId"] == "r1"


@pytest.mark.parametrize(
    "error",
    [
        UnreadableError("a/b.json broke", path="a/b.json", id="7"),
        UnwrittenError("a/b.json broke", path="a/b.json"),
        BusyError("a/b", path="a/b"),
    ],
)
def test_paths_are_for_administrators(error: CalotypeError) -> None:
    assert "a/b" not in repr(problem(error))
    assert "a/b" in repr(problem(error, admin=True))


def test_an_unreadable_record_is_named_and_has_a_type_of_its_own() -> None:
    body = problem(UnreadableError("x", id="7"))
    assert (body["type"], body["id"]) == ("urn:calotype:problem:unreadable", "7")


def test_headers() -> None:
    assert headers_of(UnauthenticatedError("Who?")) == {"WWW-Authenticate": 'Bearer realm="calotype"'}
    assert headers_of(BusyError("Later.", retryAfterSeconds=7)) == {"Retry-After": "7"}
    assert headers_of(BusyError("Later.")) == {"Retry-After": "1"}


def test_a_kind_of_a_later_time_is_internal() -> None:
    class OddError(CalotypeError):
        kind = "odd"

    assert outcome(OddError("x")).status == 500
    assert problem(OddError("x"))["type"] == "urn:calotype:problem:internal"


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 416, 422, 431, 599])
def test_statuses_of_the_framework(status: int) -> None:
    body = problem_of_status(status)
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert str(body["detail"]).endswith(".")
