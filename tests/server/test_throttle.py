"""The throttle slows guessing down wherever it comes from, and locks nobody out from elsewhere."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import ThrottledError
from server.throttle import (
    FORGOTTEN_AFTER_S,
    FREE_PER_ACCOUNT,
    FREE_PER_PLACE,
    FREE_PER_SITE,
    LONGEST_WAIT_S,
    Throttle,
)

HERE, THERE = "203.0.113.7", "198.51.100.9"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def refused(throttle: Throttle, address: str, account: str) -> int:
    """Return the seconds to wait, 0 when the attempt was let through (and has failed)."""
    try:
        throttle.admit(address, account)
    except ThrottledError as error:
        seconds = error.details["retryAfterSeconds"]
        assert isinstance(seconds, int)
        return seconds
    return 0


def guesses(throttle: Throttle, clock: Clock, address: str, account: str, seconds: float) -> int:
    """Guess as often as it is allowed for this long; return how often that was."""
    until, count = clock.seconds + seconds, 0
    while clock.seconds < until:
        wait = refused(throttle, address, account)
        count += not wait
        clock.seconds += wait
    return count


def test_a_few_failures_cost_nothing_and_then_the_wait_doubles(throttle: Throttle, clock: Clock) -> None:
    assert [refused(throttle, HERE, "ada") for _ in range(FREE_PER_ACCOUNT)] == [0] * FREE_PER_ACCOUNT
    waits = []
    for _ in range(12):
        wait = refused(throttle, HERE, "ada")
        waits.append(wait)
        clock.seconds += wait
        assert refused(throttle, HERE, "ada") == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_day_of_guessing_gives_few_guesses(throttle: Throttle, clock: Clock) -> None:
    assert guesses(throttle, clock, HERE, "ada", 86_400) < 86_400 / LONGEST_WAIT_S + 20


def test_the_owner_elsewhere_notices_nothing(throttle: Throttle, clock: Clock) -> None:
    guesses(throttle, clock, HERE, "ada", 3600)
    refused(throttle, HERE, "ada")
    assert refused(throttle, HERE, "ada")
    assert refused(throttle, THERE, "ada") == 0
    throttle.succeeded(THERE, "ada")
    assert refused(throttle, HERE, "ada"), "the owner's success is no help to the guesser"


def test_one_place_cannot_try_every_account(throttle: Throttle) -> None:
    tried = [refused(throttle, HERE, f"user {number}") for number in range(FREE_PER_PLACE + 1)]
    assert tried[:-1] == [0] * FREE_PER_PLACE
    assert tried[-1] > 0


def test_who_owns_an_account_cannot_clear_the_place(throttle: Throttle) -> None:
    count = 0
    for number in range(FREE_PER_PLACE + 1):
        if refused(throttle, HERE, f"user {number}"):
            break
        count += 1
        if not refused(throttle, HERE, "mine"):
            throttle.succeeded(HERE, "mine")
    assert count <= FREE_PER_PLACE


def test_success_forgets_the_account_here(throttle: Throttle) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        throttle.admit(HERE, "ada")
    throttle.succeeded(HERE, "ada")
    assert [refused(throttle, HERE, "ada") for _ in range(FREE_PER_ACCOUNT)] == [0] * FREE_PER_ACCOUNT


def test_any_number_of_successes_is_free(throttle: Throttle) -> None:
    for _ in range(10 * FREE_PER_PLACE):
        throttle.admit(HERE, "ada")
        throttle.succeeded(HERE, "ada")


def test_an_hour_of_quiet_forgets(throttle: Throttle, clock: Clock) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        throttle.admit(HERE, "ada")
    clock.seconds += FORGOTTEN_AFTER_S + 1
    assert [refused(throttle, HERE, "ada") for _ in range(FREE_PER_ACCOUNT)] == [0] * FREE_PER_ACCOUNT


def test_an_ipv6_customer_is_one_place_and_a_site_is_counted_too(throttle: Throttle) -> None:
    for number in range(FREE_PER_ACCOUNT):
        throttle.admit(f"2001:db8:1:1::{number:x}", "ada")
    assert refused(throttle, "2001:db8:1:1:ffff::1", "ada")
    assert refused(throttle, "2001:db8:1:2::1", "ada") == 0
    let_through = sum(not refused(throttle, f"2001:db8:2:{number:x}::1", "ada") for number in range(2 * FREE_PER_SITE))
    assert let_through == FREE_PER_SITE
    assert refused(throttle, "2001:db8:3::1", "ada") == 0


@pytest.mark.parametrize("other", ["::ffff:203.0.113.7", "203.0.113.7"])
def test_an_address_is_one_however_it_is_written(throttle: Throttle, other: str) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        throttle.admit(HERE, "Ada@Example.org")
    assert refused(throttle, other, "ada@example.ORG")


@given(address=st.text(max_size=40), account=st.text(st.characters(exclude_categories=())))
def test_no_text_is_an_error(address: str, account: str) -> None:
    throttle = Throttle(Clock())
    throttle.admit(address, account)
    throttle.succeeded(address, account)


def test_the_message_names_no_account(throttle: Throttle) -> None:
    for _ in range(FREE_PER_ACCOUNT):
        throttle.admit(HERE, "ada")
    with pytest.raises(ThrottledError) as caught:
        throttle.admit(HERE, "ada")
    assert "ada" not in f"{caught.value} {caught.value.details}"


def test_memory_stays_bounded(clock: Clock) -> None:
    throttle = Throttle(clock, kept=100)
    for number in range(1000):
        refused(throttle, f"10.0.{number // 250}.{number % 250}", "ada" * 10_000)
    assert len(vars(throttle)["_known"]) <= 100


def test_parallel_guesses_count_at_once(throttle: Throttle) -> None:
    let_through = []

    def guess() -> None:
        if not refused(throttle, HERE, "ada"):
            let_through.append(1)

    threads = [threading.Thread(target=guess) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(let_through) == FREE_PER_ACCOUNT
