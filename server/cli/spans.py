"""Spans of time as people write them: `90s`, `15m`, `24h`, `30d`, `8w`."""

from __future__ import annotations

import re
from datetime import timedelta

from metadata.errors import InvalidError

_SPAN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span_of(text: str) -> timedelta | None:
    """Read a span of time; None when the text is none."""
    found = _SPAN.fullmatch(text)
    return None if found is None else timedelta(**{_UNITS[found["unit"]]: int(found["count"])})


def seconds_of(text: str, option: str) -> int:
    """Read the span of an option as seconds; 0 needs no unit.

    Raises:
        InvalidError: it is no span; `field` names the option.
    """
    span = timedelta() if text == "0" else span_of(text)
    if span is None:
        raise InvalidError(f"{option} takes a span such as 90s, 24h, 30d or 8w, not {text[:40]!r}.", field=option)
    return int(span.total_seconds())


def written(seconds: float) -> str:
    """Return seconds as a span, in the largest unit that leaves nothing over."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"
