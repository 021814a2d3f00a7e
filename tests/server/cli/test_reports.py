"""Plans and reports on the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from server.cli.output import Output
from server.cli.reports import SHOWN, Section, show_report

if TYPE_CHECKING:
    import pytest


def test_people_get_tables_and_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(str(number), "x") for number in range(SHOWN + 3)]
    sections = [Section("Goes", ("id", "why"), rows, more=4), Section("Nothing", ("id",), ())]
    show_report(Output(), {"all": 1}, sections, ["57 in all"])
    printed = capsys.readouterr().out
    assert printed.startswith("Goes\nid  why")
    assert "and 7 more rows" in printed
    assert f"\n{SHOWN - 1} " in printed
    assert f"\n{SHOWN} " not in printed
    assert "Nothing" not in printed
    assert printed.endswith("57 in all\n")


def test_counted_rows_are_told_beside_few_listed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(Output(), {}, [Section("Goes", ("id",), [("a",)], more=2), Section("Few", ("id",), [("b",)])])
    printed = capsys.readouterr().out
    assert printed.count("more row") == 1
    assert "and 2 more rows" in printed


def test_programs_get_the_whole_document(capsys: pytest.CaptureFixture[str]) -> None:
    show_report(Output(as_json=True), {"all": [1, 2]}, [Section("Goes", ("id",), [("a",)])], ["never printed"])
    assert json.loads(capsys.readouterr().out) == {"all": [1, 2]}
