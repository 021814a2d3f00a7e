"""A problem that was sent is the error it was made of."""

from __future__ import annotations

import json

import pytest

from metadata import errors
from metadata.errors import BusyError, CalotypeError, InternalError, InvalidError, NotFoundError, TooLargeError
from server.errors import KINDS, outcome, problem, problem_of_status
from server.faults import error_of

EVERY_KIND = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, CalotypeError) and each != CalotypeError
]


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.__name__)
def test_there_and_back(kind: type[CalotypeError]) -> None:
    error = kind("A sentence.", limit=5, field="x")
    found = error_of(outcome(error).status, json.dumps(problem(error, admin=True)).encode())
    assert type(found) is kind
    if error.kind != "internal":
        assert (found.message, found.details) == ("A sentence.", {"limit": 5, "field": "x"})


def test_every_kind_is_read() -> None:
    assert {each.kind for each in EVERY_KIND} == set(KINDS)


def test_the_request_id_is_told() -> None:
    found = error_of(500, json.dumps(problem(InternalError("secret"), request_id="abc")).encode())
    assert "(request id abc)" in found.message
    assert "secret" not in found.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (404, NotFoundError),
        (413, TooLargeError),
        (502, BusyError),
        (418, InternalError),
        (500, InternalError),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"\xff", b"{}", b"[" * 100_000, b'{"type": 5, "detail": null}']
)
def test_what_stands_between_may_answer_anything(status: int, kind: type[CalotypeError], body: bytes) -> None:
    found = error_of(status, body)
    assert type(found) is kind
    assert str(status) in found.message


def test_a_frameworks_problem_goes_by_its_status() -> None:
    found = error_of(405, json.dumps(problem_of_status(405)).encode())
    assert isinstance(found, InternalError)
    assert "Allow" in found.message


def test_members_cannot_break_the_error() -> None:
    body = {"type": "urn:calotype:problem:conflict", "detail": "D", "message": "M", "self": 1, "a b": 2}
    assert error_of(409, json.dumps(body).encode()).details == {"message": "M", "self": 1, "a b": 2}
