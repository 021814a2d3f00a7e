"""Values of records as columns hold them, and as values that are asked for are compared with them."""

from __future__ import annotations

import re

from ..clock import parse_timestamp, timestamp
from ..errors import InvalidError

LARGEST = 2**63 - 1
"""The largest whole number that SQLite holds."""

_SORTS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def column_value(value: object) -> str | int | float:
    """Return a filter field's value as its column holds it: absent is empty text, a truth value 0 or 1.

    A whole number that SQLite cannot hold becomes the nearest one that it can.
    """
    if isinstance(value, int):
        return max(-LARGEST, min(LARGEST, int(value)))
    return value if isinstance(value, float) else _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def moment_value(value: object) -> str:
    """Return a time as it sorts, in UTC with milliseconds; what is none stays as it is."""
    text = _text(value)
    if not text or _SORTS.fullmatch(text):
        return text
    try:
        return timestamp(parse_timestamp(text))
    except InvalidError:
        return text
