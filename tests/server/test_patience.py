"""When a client has taken too long; the time is told, so nothing waits here."""

from __future__ import annotations

import pytest

from server.limits import Limits
from server.patience import Patience, Unread, Wait

LIMITS = Limits(headers_s=10, body_s=20, unread_s=20, end_s=5, rate=2000)


def test_nothing_is_never_late() -> None:
    assert not Patience(LIMITS).over(1e9)


@pytest.mark.parametrize(("kind", "seconds"), [(Wait.HEADERS, 10), (Wait.BODY, 20), (Wait.END, 5)])
def test_each_wait_has_its_end(kind: Wait, seconds: float) -> None:
    patience = Patience(LIMITS)
    patience.wait(kind, 100)
    assert not patience.over(100 + seconds - 0.01)
    assert patience.over(100 + seconds)
    patience.rest()
    assert not patience.over(1e9)


def test_waiting_for_the_same_thing_again_does_not_begin_anew() -> None:
    patience = Patience(LIMITS)
    patience.wait(Wait.HEADERS, 0)
    patience.wait(Wait.HEADERS, 9)
    assert patience.over(10)
    patience.wait(Wait.BODY, 10)
    assert not patience.over(29)


def test_bytes_buy_time_for_a_body_and_for_nothing_else() -> None:
    body, head = Patience(LIMITS), Patience(LIMITS)
    for patience, kind in ((body, Wait.BODY), (head, Wait.HEADERS)):
        patience.wait(kind, 0)
        patience.received(20_000)
    assert (body.over(29.9), body.over(30)) == (False, True)
    assert head.over(10)
    body.wait(Wait.HEADERS, 40)
    body.wait(Wait.BODY, 40)
    assert body.over(60)


def test_time_that_was_ours_is_given_back() -> None:
    patience = Patience(LIMITS)
    patience.wait(Wait.BODY, 0)
    patience.grant(15)
    assert (patience.over(34), patience.over(35)) == (False, True)


def looks(unread: Unread, waiting: list[int], *, began: float = 0.0) -> list[bool]:
    """Look once a second and return what was found."""
    return [unread.stuck(count, began + second, 1.0) for second, count in enumerate(waiting)]


def test_who_reads_nothing_is_stuck_after_the_limit() -> None:
    assert looks(Unread(LIMITS), [1_000_000] * 22) == [False] * 20 + [True] * 2


def test_a_trickle_is_as_good_as_nothing_and_the_slowest_rate_is_not() -> None:
    trickle = [1_000_000 - second for second in range(22)]
    slowest = [1_000_000 - 2000 * second for second in range(200)]
    assert looks(Unread(LIMITS), trickle)[-1]
    assert not any(looks(Unread(LIMITS), slowest))


def test_nothing_to_read_and_more_to_read_both_begin_anew() -> None:
    assert not any(looks(Unread(LIMITS), [0] * 100))
    assert not any(looks(Unread(LIMITS), [1000] * 15 + [500_000] + [500_000] * 15))
    unread = Unread(LIMITS)
    assert not any(looks(unread, [1000] * 15 + [0]))
    assert not any(looks(unread, [1000] * 15, began=16))
