"""Lines of chats of every age: header or not, who speaks, which alternatives there are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.transfer.sillytavern.speech import is_header, said, text_of
from metadata.errors import CalotypeError

LINE: dict[str, Any] = {"name": "Seraphina", "is_user": False, "mes": "Hello.", "send_date": "2024-03-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ({"user_name": "You", "character_name": "Seraphina", "create_date": "2023-6-19@16h07m12s"}, True),
        ({"chat_metadata": {}, "user_name": "unused", "character_name": "unused"}, True),
        ({"chat_metadata": {"integrity": "x"}}, True),
        (LINE, False),
        ({"user_name": "You", "mes": ""}, False),
        ({}, False),
    ],
)
def test_both_shapes_of_a_header(line: dict[str, Any], *, header: bool) -> None:
    assert is_header(line) is header


@pytest.mark.parametrize(
    ("members", "role"),
    [
        ({}, "ASSISTANT"),
        ({"is_user": True, "name": "You"}, "USER"),
        ({"is_user": True, "is_system": True, "name": "You"}, "USER"),
        ({"is_system": True}, "ASSISTANT"),  # hidden from the model, and said by her all the same
        ({"is_system": True, "name": "SillyTavern System"}, "SYSTEM"),
        ({"extra": {"type": "narrator"}, "name": "System"}, "SYSTEM"),
        ({"extra": {"type": "comment"}, "is_system": True, "name": "Note"}, "SYSTEM"),
        ({"extra": "damaged"}, "ASSISTANT"),
    ],
)
def test_who_speaks(members: dict[str, Any], role: str) -> None:
    assert said({**LINE, **members}, {"Seraphina"}).role == role


@pytest.mark.parametrize(
    ("members", "texts", "shown"),
    [
        ({}, ["Hello."], 0),
        ({"swipes": []}, ["Hello."], 0),
        ({"swipes": ["Hello."], "swipe_id": 0}, ["Hello."], 0),
        ({"swipes": ["a", "b", "Hello."], "swipe_id": 2}, ["a", "b", "Hello."], 2),
        ({"swipes": ["a", "old", "c"], "swipe_id": 1}, ["a", "Hello.", "c"], 1),  # edited after it was chosen
        ({"swipes": ["a", "Hello."], "swipe_id": 9}, ["a", "Hello."], 1),
        ({"swipes": ["a", "b"]}, ["a", "b", "Hello."], 2),
        ({"swipes": ["a", "b"], "swipe_id": -1, "mes": None}, ["a", "b"], 1),
        ({"swipes": ["a", "b"], "swipe_id": 0, "mes": None}, ["a", "b"], 0),
        ({"swipes": [{"message": "a"}, 7], "swipe_id": 0, "mes": {"message": "a"}}, ["a", ""], 0),
        ({"swipes": "damaged", "swipe_id": True}, ["Hello."], 0),
    ],
)
def test_alternatives(members: dict[str, Any], texts: list[str], shown: int) -> None:
    line = said({**LINE, **members}, ())
    assert [swipe.text for swipe in line.swipes] == texts
    assert line.shown == shown


def test_every_alternative_keeps_what_belongs_to_it() -> None:
    infos = [
        {"send_date": "2024-03-01T11:00:00Z", "extra": {"token_count": 3, "model": "one"}},
        {"send_date": "2024-03-01T11:30:00Z", "extra": {}, "gen_started": "then"},
    ]
    extra = {"token_count": 5, "model": "two"}
    line = said({**LINE, "mes": "b", "swipes": ["a", "b"], "swipe_id": 1, "swipe_info": infos, "extra": extra}, ())
    first, second = line.swipes
    assert (first.moment, second.moment) == ("2024-03-01T11:00:00.000Z", "2024-03-01T12:00:00.000Z")
    assert (first.tokens, second.tokens) == (3, 5)
    assert first.extra["model"] == "one"
    assert second.extra == extra
    assert second.rest["send_date"] == LINE["send_date"]
    assert "extra" not in second.rest
    assert line.key == ("2024-03-01T11:00:00Z", "False", "Seraphina")  # stays when another is chosen


def test_what_says_nothing_is_told() -> None:
    lines: list[dict[str, Any]] = [{"name": "x"}, {"mes": 7}, {"mes": None, "swipes": []}, {"mes": {"text": "x"}}]
    for line in lines:
        with pytest.raises(CalotypeError, match="no text"):
            said(line, ())
    assert text_of({"message": "x"}) == "x"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_MEMBERS = ("name", "is_user", "is_system", "mes", "send_date", "extra", "swipes", "swipe_id", "swipe_info")


@given(st.dictionaries(st.sampled_from(_MEMBERS), _JSON))
def test_whatever_a_line_holds_is_said_or_refused(line: dict[str, Any]) -> None:
    try:
        found = said(line, ())
    except CalotypeError:
        return
    assert 0 <= found.shown < len(found.swipes)
