"""The answers of one worker that are kept: what may be, for how long, and in how much memory."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from metadata.errors import UnwrittenError
from server.accesslog import Visit
from server.answercache import AnswerCache, Entry, Filling
from server.sending import Source

LINES = {200: b"HTTP/1.1 200 OK\r\n", 206: b"HTTP/1.1 206 Partial Content\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}
VISIT = Visit("", "", "GET", "/blobs/x", 200, 5, 0.1, "id", "/blobs/{name}")
FOREVER = b"public, max-age=31536000, immutable"


class Page:
    """The page of epochs."""

    def __init__(self) -> None:
        self.values = memoryview(bytearray(2048)).cast("Q")


@pytest.fixture
def page() -> Page:
    return Page()


def cache_of(page: Page, budget: int = 1 << 20) -> AnswerCache:
    return AnswerCache(budget, lambda: page.values)


def head(number: int = 0, agent: str = "a", method: str = "GET") -> bytes:
    return f"{method} /blobs/ab{number:062x} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\n\r\n".encode()


def answered(
    filling: Entry | Filling | None,
    body: bytes = b"hello",
    *,
    status: int = 200,
    control: bytes = FOREVER,
    length: int | None = None,
    source: Source | None = None,
    visit: Visit = VISIT,
) -> Entry | None:
    assert isinstance(filling, Filling)
    size = str(len(body) if length is None else length).encode()
    fields = [(b"Content-Length", size), (b"X-Request-Id", b"1" * 16), (b"cache-control", control), (b"ETag", b'"e"')]
    filling.start(status, fields)
    filling.take(body)
    return filling.entry(visit, source, LINES)


def kept(cache: AnswerCache, number: int = 0, body: bytes = b"hello") -> None:
    entry = answered(cache.find(head(number)), body)
    assert entry is not None
    cache.keep(entry)


def test_an_answer_is_given_again(page: Page) -> None:
    cache = cache_of(page)
    kept(cache)
    found = cache.find(head())
    assert isinstance(found, Entry)
    assert found.start == LINES[200]
    assert found.before == b"content-length: 5\r\nx-request-id: "
    assert found.after == b'\r\ncache-control: public, max-age=31536000, immutable\r\netag: "e"\r\n\r\n'
    assert found.body == b"hello"


def test_another_browser_gets_the_same_and_another_method_does_not(page: Page) -> None:
    cache = cache_of(page)
    kept(cache)
    assert cache.find(head(agent="b")) is cache.find(head())
    assert isinstance(cache.find(head(method="HEAD")), Filling)
    assert cache.find(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") is None


def test_what_changed_is_not_told_any_more(page: Page) -> None:
    cache = cache_of(page)
    kept(cache)
    page.values[0xAC] += 1
    assert isinstance(cache.find(head()), Entry)
    page.values[0xAB] += 1
    assert isinstance(cache.find(head()), Filling)
    assert cache.held == 0


def test_what_changed_while_it_was_made_is_not_told_either(page: Page) -> None:
    cache = cache_of(page)
    filling = cache.find(head())
    page.values[0xAB] += 1
    entry = answered(filling)
    assert entry is not None
    cache.keep(entry)
    assert isinstance(cache.find(head()), Filling)


def test_another_page_means_that_nothing_is_known(page: Page) -> None:
    cache = cache_of(page)
    kept(cache)
    cache.look()
    assert isinstance(cache.find(head()), Entry)
    page.values = memoryview(bytearray(2048)).cast("Q")
    cache.look()
    assert isinstance(cache.find(head()), Filling)


def test_while_the_page_cannot_be_had_nothing_is_known(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    def values() -> memoryview:
        if lost:
            raise UnwrittenError("No page.")
        return page.values

    lost: list[bool] = []
    cache = AnswerCache(1 << 20, values)
    kept(cache)
    late = answered(cache.find(head(1)))
    lost.append(True)
    for _ in range(2):
        cache.look()
        assert cache.find(head()) is None
    assert caplog.messages == ["Nothing is answered from memory: No page."]
    lost.clear()
    cache.look()
    assert isinstance(cache.find(head()), Filling)
    assert late is not None


@pytest.mark.parametrize(
    "control", [b"no-store", b"private, max-age=31536000, immutable", b"public, max-age=300", b"public", b""]
)
def test_what_not_everybody_may_keep_for_a_day_is_not_kept(page: Page, control: bytes) -> None:
    assert answered(cache_of(page).find(head()), control=control) is None


@pytest.mark.parametrize("status", [404, 416, 422, 500])
def test_what_went_wrong_is_not_kept(page: Page, status: int) -> None:
    assert answered(cache_of(page).find(head()), status=status) is None


def test_what_did_not_come_whole_is_not_kept(page: Page) -> None:
    assert answered(cache_of(page).find(head()), b"hel", length=5) is None


def test_answers_without_content_are_kept(page: Page) -> None:
    assert answered(cache_of(page).find(head()), b"", status=304, length=5) is not None
    assert answered(cache_of(page).find(head(method="HEAD")), b"", length=5) is not None


def test_of_what_is_large_only_the_head_is_kept(page: Page) -> None:
    source = Source(Path("/nowhere"), 0)
    large = b"x" * (1 << 20)
    assert answered(cache_of(page).find(head()), large) is None
    entry = answered(cache_of(page).find(head()), large, source=source)
    assert entry is not None
    assert (entry.body, entry.source) == (None, source)
    small = answered(cache_of(page).find(head()), source=source)
    assert small is not None
    assert (small.body, small.source) == (b"hello", source)


def test_of_what_is_not_asked_for_the_content_goes_first_and_comes_back(page: Page, tmp_path: Path) -> None:
    cache = cache_of(page, 150_000)
    for number in range(40):
        file = tmp_path / str(number)
        file.write_bytes(b"-" + str(number).encode() * 1000)
        content = file.read_bytes()[1:]
        visit = replace(VISIT, bytes=len(content))
        entry = answered(cache.find(head(number)), content, source=Source(file, 1), visit=visit)
        assert entry is not None
        cache.keep(entry)
    found = [cache.find(head(number)) for number in range(40)]
    assert all(isinstance(each, Entry) for each in found)
    bodies = [each.body is None for each in found if isinstance(each, Entry)]
    assert 0 < sum(bodies) < 40
    for number, each in enumerate(found):
        assert isinstance(each, Entry)
        assert cache.read(each) == str(number).encode() * 1000
        assert cache.held <= 150_000
    (tmp_path / "5").write_bytes(b"short")
    (tmp_path / "6").unlink()
    for number in (5, 6):
        gone = found[number]
        assert isinstance(gone, Entry)
        gone.body = None
        assert cache.read(gone) is None


def test_memory_has_its_bound_and_what_is_asked_for_stays(page: Page) -> None:
    cache = cache_of(page, 100_000)
    for number in range(200):
        kept(cache, number, b"x" * 5000)
        assert isinstance(cache.find(head(0)), Entry), number
        assert cache.held <= 100_000
    assert isinstance(cache.find(head(1)), Filling)
    assert isinstance(cache.find(head(199)), Entry)


def test_long_requests_count_before_they_are_asked_again(page: Page) -> None:
    cache, most = cache_of(page, 1 << 20), (1 << 20) // 5000
    long = [head(number).replace(b" HTTP", b"?x=" + b"a" * 3000 + b" HTTP") for number in range(2 * most)]
    for each in long:
        entry = answered(cache.find(each), b"")
        assert entry is not None
        cache.keep(entry)
    assert isinstance(cache.find(long[most - 1]), Filling)
    assert isinstance(cache.find(long[-1]), Entry)


def test_what_cannot_be_given_makes_way(page: Page) -> None:
    cache = cache_of(page)
    kept(cache)
    found = cache.find(head())
    assert isinstance(found, Entry)
    again = answered(cache.anew(found), b"other")
    assert (cache.held, isinstance(cache.find(head()), Filling)) == (0, True)
    assert again is not None
    cache.keep(again)
    assert cache.find(head()) is again


def test_many_browsers_are_remembered_for_a_while(page: Page) -> None:
    cache = cache_of(page)
    kept(cache)
    before = cache.held
    for number in range(1000):
        assert isinstance(cache.find(head(agent=str(number))), Entry)
    assert cache.held < before + 1000
    cache.clear()
    assert cache.held == 0


def test_ids_are_new_each_time(page: Page) -> None:
    cache = cache_of(page)
    ids = [cache.request_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(rb"[0-9a-f]{16}", each) for each in ids)


def test_the_date_is_the_servers(page: Page) -> None:
    cache = cache_of(page)
    fields = [(b"date", b"today"), (b"X-More", b"1")]
    assert cache.lines(fields) == b"date: today\r\nx-more: 1\r\n"
    assert cache.lines([(b"date", b"tomorrow")]) == b"date: tomorrow\r\n"
