"""Query parameters: what an operation takes, read strictly, so that a mistyped name is an error and not a no-op."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_TRUE = frozenset({"1", "true", "yes", ""})
_FALSE = frozenset({"0", "false", "no"})
FLAG_VALUES = ("1", "0", "true", "false", "yes", "no", "")
"""What a flag may say, in any letter case; nothing is yes."""
_DIGITS = 18


class Form(StrEnum):
    """How a parameter is written."""

    TEXT = "text"
    TEXTS = "texts"
    FLAG = "flag"
    NUMBER = "number"
    MEMBER = "member"
    """A text; the parameter's name ends with `.*`, and in requests with the name of a member in place of `*`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter.

    Attributes:
        name: as in the address.
        meaning: a sentence for people.
        form: how it is written; only texts may repeat.
        choices: the values it may have; empty: any.
    """

    name: str
    meaning: str
    form: Form = Form.TEXT
    choices: tuple[str, ...] = ()


class Arguments:
    """The query parameters of one request, checked against what the operation takes.

    Args:
        items: names and values, in the order sent.
        known: what the operation takes.

    Raises:
        InvalidError: an unknown name, a name given twice that may not repeat, or a value of the wrong form.
    """

    def __init__(self, items: Iterable[tuple[str, str]], known: Sequence[Parameter]) -> None:
        self._values: dict[str, list[str]] = {}
        table = {parameter.name: parameter for parameter in known}
        for name, value in items:
            if _known_as(name, table) is None:
                raise _unknown(name, table)
            self._values.setdefault(name, []).append(value)
        for name, values in self._values.items():
            _check(table[_known_as(name, table) or name], name, values)

    @property
    def given(self) -> Sequence[str]:
        """The names that were given."""
        return list(self._values)

    def text(self, name: str) -> str | None:
        """Return a text, None when it was not given."""
        return next(iter(self._values.get(name, [])), None)

    def texts(self, name: str) -> list[str]:
        """Return every value given, in order."""
        return list(self._values.get(name, []))

    def members(self, name: str) -> dict[str, str]:
        """Return the values of a parameter whose name ends with `.*`, by the names given in place of `*`."""
        first = name.removesuffix("*")
        return {
            given.removeprefix(first): values[0] for given, values in self._values.items() if given.startswith(first)
        }

    def flag(self, name: str) -> bool:
        """Return a flag: given without a value it is true, not given it is false."""
        value = self.text(name)
        return value is not None and value.lower() in _TRUE

    def number(self, name: str) -> int | None:
        """Return a whole number, None when it was not given."""
        value = self.text(name)
        return None if value is None else int(value)


def _known_as(name: str, table: Mapping[str, Parameter]) -> str | None:
    """Return the name of the parameter that a name in a request is, None when there is none."""
    if name in table:
        return name
    first, dot, member = name.partition(".")
    return f"{first}.*" if dot and member and f"{first}.*" in table else None


def _check(parameter: Parameter, name: str, values: list[str]) -> None:
    if len(values) > 1 and parameter.form is not Form.TEXTS:
        raise InvalidError(f"{name} was given {len(values)} times; give it once.", field=name)
    for value in values:
        if parameter.form is Form.FLAG and value.lower() not in _TRUE | _FALSE:
            raise InvalidError(f"{name} has to be 1 or 0.", field=name)
        if parameter.form is Form.NUMBER and not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
            raise InvalidError(f"{name} has to be a whole number.", field=name)
        if parameter.choices and value not in parameter.choices:
            raise InvalidError(f"{name} has to be one of {', '.join(parameter.choices)}.", field=name)


def _unknown(name: str, table: Mapping[str, Parameter]) -> InvalidError:
    known = ", ".join(table) or "none"
    return InvalidError(f"There is no query parameter {name[:80]!r} here; there are: {known}.", field=name[:80])
