"""Limits come from the settings, and never promise more than the process can hold."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from server.configuration import load_settings
from server.limits import FEWEST_CONNECTIONS, MOST_CONNECTIONS, RESERVED_DESCRIPTORS, affordable_connections, limits_of

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that sets how many files the process may have open, as far as it is asked."""
    return lambda count: monkeypatch.setattr(resource, "getrlimit", lambda _: (count, count))


@pytest.mark.parametrize(
    ("count", "connections"),
    [
        (0, FEWEST_CONNECTIONS),
        (1024, 1024 - RESERVED_DESCRIPTORS),
        (resource.RLIM_INFINITY, MOST_CONNECTIONS),
    ],
)
def test_connections_that_files_leave_room_for(files: Callable[[int], None], count: int, connections: int) -> None:
    files(count)
    assert affordable_connections() == connections
    assert limits_of(load_settings({}).settings).connections == connections


def test_what_the_settings_say(files: Callable[[int], None]) -> None:
    files(65_536)
    plain = limits_of(load_settings({}).settings)
    assert (plain.connections, plain.per_address) == (MOST_CONNECTIONS, 200)
    assert (plain.headers_s, plain.body_s, plain.unread_s, plain.rate) == (10, 20, 20, 2048)
    assert (plain.headers, plain.header_bytes, plain.target_bytes) == (100, 32_768, 8_192)
    said = {
        "CALOTYPE_MAX_CONNECTIONS": "5000",
        "CALOTYPE_MAX_CONNECTIONS_PER_ADDRESS": "off",
        "CALOTYPE_HEADER_TIMEOUT_S": "0.5",
        "CALOTYPE_BODY_TIMEOUT_S": "2",
        "CALOTYPE_UNREAD_TIMEOUT_S": "3",
    }
    found = limits_of(load_settings(said).settings)
    assert (found.connections, found.per_address) == (5000, None)
    assert (found.headers_s, found.body_s, found.unread_s) == (0.5, 2, 3)
