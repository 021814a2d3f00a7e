"""What stands before the routes: the order of it, request ids, path prefixes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    Ask = Callable[..., httpx2.Response]


def test_every_answer_has_the_common_fields(ask: Ask) -> None:
    answers = [ask(), ask(url="http://localhost/locked"), ask("POST", origin="https://evil.example")]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert len(answer.headers["x-request-id"]) == 16
        assert "server" not in answer.headers
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_a_trusted_proxy_hands_its_request_id_down_and_nobody_else(ask: Ask) -> None:
    assert ask(x_request_id="abc-12345").headers["x-request-id"] == "abc-12345"
    assert ask(x_request_id="abc 12345").headers["x-request-id"] != "abc 12345"
    assert ask(x_request_id="abc-12345", client="10.0.0.9").headers["x-request-id"] != "abc-12345"


@pytest.mark.parametrize("path", ["/api/x", "/sub/api/x"])
def test_a_prefix_stripped_or_not(ask: Ask, path: str) -> None:
    answer = ask(url=f"http://localhost{path}", environ={"ROOT_PATH": "/sub"})
    assert answer.json() == {"client": "127.0.0.1", "url": "http://localhost/sub/api/x", "root": "/sub"}
