"""The files of our own pages."""

from __future__ import annotations

import pytest

from metadata.errors import NotFoundError
from server.webfiles import WebFiles

POLICY = "default-src 'none'"


@pytest.fixture
def page() -> WebFiles:
    """A page of two files."""
    return WebFiles(POLICY, {"index.html": "docs", "start.js": "docs"})


def test_a_file_has_its_type_the_policy_and_a_tag(page: WebFiles) -> None:
    answer = page.answer("start.js", None)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-cache"  # a newer release shows at the next visit
    assert answer.headers["etag"] != page.answer("index.html", None).headers["etag"]


def test_what_the_caller_has_is_not_sent_again(page: WebFiles) -> None:
    again = page.answer("start.js", page.answer("start.js", None).headers["etag"])
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize("name", ["swagger-ui.css", "../docs/start.js", "", "start"])
def test_only_what_is_listed_is_served(page: WebFiles, name: str) -> None:
    with pytest.raises(NotFoundError, match="no file"):
        page.answer(name, None)
