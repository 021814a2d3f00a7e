"""Query parameters are read strictly."""

from __future__ import annotations

import pytest

from metadata.errors import InvalidError
from server.queries import Arguments, Form, Parameter

KNOWN = (
    Parameter("name", "A text."),
    Parameter("tags", "Texts.", Form.TEXTS),
    Parameter("force", "A flag.", Form.FLAG),
    Parameter("limit", "A number.", Form.NUMBER),
    Parameter("kind", "A choice.", choices=("a", "b")),
)


def read(*items: tuple[str, str]) -> Arguments:
    return Arguments(items, KNOWN)


def test_what_is_given_is_read_and_what_is_not_has_a_neutral_value() -> None:
    said = read(("name", "x"), ("tags", "1"), ("tags", "2"), ("force", ""), ("limit", "7"), ("kind", "b"))
    assert (said.text("name"), said.texts("tags"), said.flag("force"), said.number("limit")) == (
        "x",
        ["1", "2"],
        True,
        7,
    )
    assert said.given == ["name", "tags", "force", "limit", "kind"]
    nothing = read()
    assert (nothing.text("name"), nothing.texts("tags"), nothing.flag("force"), nothing.number("limit")) == (
        None,
        [],
        False,
        None,
    )


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("false", False)])
def test_flags(text: str, *, flag: bool) -> None:
    assert read(("force", text)).flag("force") is flag


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([("nmae", "x")], "nmae"),
        ([("name", "x"), ("name", "y")], "name"),
        ([("force", "maybe")], "force"),
        ([("limit", "-1")], "limit"),
        ([("limit", "1.5")], "limit"),
        ([("limit", "٣")], "limit"),
        ([("limit", "9" * 5000)], "limit"),
        ([("kind", "c")], "kind"),
    ],
)
def test_what_is_wrong_is_refused_by_name(items: list[tuple[str, str]], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(*items)
    assert caught.value.details["field"] == field


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(InvalidError, match="name, tags, force, limit, kind"):
        read(("x" * 500, ""))
