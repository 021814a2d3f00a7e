"""Tables, sentences and documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from metadata.errors import BusyError, ConflictError, InternalError
from server.cli.output import Output, counted, printable, problem_of, sentence, size_of

if TYPE_CHECKING:
    import pytest


def test_a_document_is_utf8_even_of_lone_surrogates(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    Output(as_json=True).document({"a": "ü☂"})
    plain = capsysbinary.readouterr().out
    Output(as_json=True).document({"a": "\udc00"})
    assert plain == '{\n  "a": "ü☂"\n}\n'.encode()
    assert json.loads(capsysbinary.readouterr().out) == {"a": "\udc00"}


def test_a_table_in_a_pipe_cuts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(("a", "b"), [("x" * 300, "[bold]y"), ("\x1b[31m", "z")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["a", "b"], ["x" * 300, "[bold]y"], ["\\x1b[31m", "z"]]


def test_errors_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    error = BusyError("Locked.", path="tags/tags.json", pid=7)
    Output().fail(error)
    assert capsys.readouterr() == ("", "Locked.\n")
    Output(as_json=True).fail(error)
    body = json.loads(capsys.readouterr().err)
    assert (body["type"], body["detail"], body["pid"]) == ("urn:calotype:problem:busy", "Locked.", 7)


def test_an_internal_error_says_on_the_spot_what_it_is() -> None:
    assert problem_of(InternalError("Odd."))["detail"] == "Odd."


def test_a_conflict_lists_who_uses_it() -> None:
    error = ConflictError("Used.", referrers=[{"kind": "chat", "id": "c1", "field": "characterId"}])
    assert sentence(error) == "Used.\n  chat c1 (characterId)"


def test_words_for_people() -> None:
    assert (counted(1, "file"), counted(2, "file"), counted(1_000, "entry", "entries")) == (
        "1 file",
        "2 files",
        "1,000 entries",
    )
    assert (size_of(1), size_of(1_500)) == ("1 byte", "1.5 kB")
    assert printable("a\x07\u202eb\nc") == "a\\x07\\u202eb\nc"
