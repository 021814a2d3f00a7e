"""The hop to a worker thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from server.threads import in_thread


def test_a_call_runs_in_another_thread_and_its_answer_comes_back() -> None:
    assert asyncio.run(in_thread(threading.get_ident)) != threading.get_ident()


def test_an_error_comes_back() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(in_thread(fail))
