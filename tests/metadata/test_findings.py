"""Findings as data."""

from __future__ import annotations

import pytest

from metadata.findings import SORTS, Finding, Repair, Weight


def test_a_finding_says_what_it_weighs_and_what_to_do() -> None:
    finding = Finding("stray", "chats/x", "Strange.", Repair.SET_ASIDE, {"bytes": 3})
    assert finding.weight is Weight.WARNING
    assert finding.document() == {
        "kind": "stray",
        "weight": "warning",
        "object": "chats/x",
        "evidence": "Strange.",
        "repair": "set-aside",
        "advice": finding.advice,
        "bytes": 3,
    }
    assert Finding("unfinished", "x", "y").document()["repair"] is None


@pytest.mark.parametrize("kind", SORTS)
def test_advice_is_a_sentence(kind: str) -> None:
    assert SORTS[kind].advice.endswith(".")
