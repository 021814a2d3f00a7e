"""Who is counted as whom, and who is one too many."""

from __future__ import annotations

import pytest

from server.census import EXTRA, Census, place_of
from server.limits import Limits


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_what_an_address_is_counted_as(address: str, place: str) -> None:
    assert place_of(address) == place


def test_one_address_has_its_share_and_the_others_theirs() -> None:
    census = Census(Limits(per_address=2))
    assert [census.enter("a"), census.enter("a"), census.enter("b")] == [None] * 3
    crowded = census.enter("a")
    assert crowded is not None
    assert (crowded.status, crowded.members["limit"], crowded.headers) == (429, 2, {"Retry-After": "1"})
    assert crowded.members["setting"] == "CALOTYPE_MAX_CONNECTIONS_PER_ADDRESS"
    census.leave("a")
    census.leave("a")
    assert census.enter("a") is None


def test_all_together_have_theirs_and_a_proxy_counts_only_there() -> None:
    census = Census(Limits(connections=3, per_address=1))
    assert [census.enter(None) for _ in range(3)] == [None] * 3
    full = census.enter("a")
    assert full is not None
    assert (full.status, full.members["setting"]) == (503, "CALOTYPE_MAX_CONNECTIONS")
    assert not census.overflowing
    for _ in range(EXTRA):
        census.enter(None)
    assert census.overflowing
    for _ in range(EXTRA + 3):
        census.leave(None)
    census.leave("a")
    assert (census.total, census.enter("a")) == (0, None)


def test_requests_through_a_proxy_count_while_they_are_answered() -> None:
    census = Census(Limits(per_address=1))
    with census.visit("a") as first, census.visit("a") as second, census.visit("b") as other, census.visit(None) as own:
        assert (first, other, own) == (None, None, None)
        assert second is not None
        assert census.total == 0
    with pytest.raises(ZeroDivisionError), census.visit("a"):
        raise ZeroDivisionError
    with census.visit("a") as again:
        assert again is None


def test_no_limit_for_an_address() -> None:
    census = Census(Limits(per_address=None))
    assert [census.enter("a") for _ in range(1000)] == [None] * 1000
