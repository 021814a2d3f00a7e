"""The forms in which SillyTavern wrote down when something was said, from its first version to today's.

Milliseconds since 1970 as a number or in digits, ISO-8601, `June 19, 2023 4:07pm`, and its own `2023-6-19@16h07m12s`
with or without milliseconds and blanks, which also stands in the names of chats. The older ones name no zone, and the
folder does not say where it was written: they are read as UTC, so that two machines read the same.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from metadata.clock import timestamp

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OWN = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2}) ?@ ?(?P<hour>\d{1,2})h ?(?P<minute>\d{1,2})m ?"
    r"(?P<second>\d{1,2})s(?: ?(?P<ms>\d{1,3})ms)?",
    re.ASCII,
)
_SPOKEN = re.compile(
    r"(?P<month>[A-Za-z]{3,9})\.? (?P<day>\d{1,2}),? (?P<year>\d{4}),? (?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}))?\s?(?P<half>[ap]m)?",
    re.ASCII | re.IGNORECASE,
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]", re.ASCII)
_DIGITS = re.compile(r"\d{1,17}", re.ASCII)
_LONGEST = 64
_SECONDS_BELOW = 100_000_000_000
"""A number below this is in seconds: as milliseconds it would lie before 1973."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = 12


def moment_of(value: object) -> str | None:
    """Return a moment as our records hold it; None for what is none.

    Args:
        value: a `send_date`, a `create_date` or the like.
    """
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _since_1970(value)
        if isinstance(value, str) and len(text := value.strip()) <= _LONGEST:
            return _since_1970(int(text)) if _DIGITS.fullmatch(text) else _written(text)
    except (ValueError, OverflowError):
        return None  # the thirtieth of February, or a year that no calendar has
    return None


def moment_in(name: str) -> str | None:
    """Return the moment that a chat's name holds, None where it holds none."""
    found = _OWN.search(name)
    return None if found is None else moment_of(found[0])


def _since_1970(number: float) -> str | None:
    if number <= 0 or number != number:  # noqa: PLR0124 - NaN
        return None
    scaled = number * 1000 if number < _SECONDS_BELOW else number
    return timestamp(_EPOCH + timedelta(milliseconds=scaled))


def _written(text: str) -> str | None:
    if (found := _OWN.fullmatch(text)) is not None:
        parts = {name: int(digits or 0) for name, digits in found.groupdict().items()}
        micro = parts.pop("ms") * 1000
        return timestamp(datetime(**parts, microsecond=micro, tzinfo=UTC))
    if (found := _SPOKEN.fullmatch(text)) is not None:
        return _spoken(found)
    if not _ISO.match(text):
        return None  # Python reads more forms, down to bare digits
    moment = datetime.fromisoformat(text)
    return timestamp(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _spoken(found: re.Match[str]) -> str:
    month = _MONTHS.index(found["month"][:3].lower()) + 1
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half:
        hour = hour % _NOON + (_NOON if half == "pm" else 0)
    day, minute, second = int(found["day"]), int(found["minute"]), int(found["second"] or 0)
    return timestamp(datetime(int(found["year"]), month, day, hour, minute, second, tzinfo=UTC))
