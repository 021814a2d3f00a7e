"""Field types and the markers that say what a field means.

A marker is put into `typing.Annotated` and read by `introspect`; the catalog, the reference graph, the index columns,
the routes and the importers are all derived from them. Types accept what the original application wrote and refuse
coercion: a number in a string is not a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from ..clock import parse_timestamp, timestamp
from ..errors import InvalidError

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,256}@[^@\s\x00-\x1f]{1,256}")


HEADING = 4
"""A searched field of this weight or more is a name or a title: hits in it come before hits in other texts."""


class OnDelete(StrEnum):
    """What happens to a reference when the record it names is deleted."""

    CLEAR = "clear"
    """The member is dropped; the record stays."""
    REMOVE = "remove"
    """The element that holds the reference leaves its list; the record stays."""
    CASCADE = "cascade"
    """The record that holds the reference is deleted too."""
    REFUSE = "refuse"
    """The deletion is refused while the reference stands."""
    KEEP = "keep"
    """The reference is left as it is, naming nothing."""


@dataclass(frozen=True, slots=True)
class Ref:
    """This field holds the id of a record of another kind.

    Attributes:
        to: the kind's name in the catalog.
        on_delete: the rule when the target is deleted.
        forced: the rule instead of REFUSE when the caller insists (`force=1`, for users `cascade=1`);
            None: insisting does not help.
        cascade_if: (member, value): the rule is CASCADE for records whose member has this value.
    """

    to: str
    on_delete: OnDelete
    forced: OnDelete | None = None
    cascade_if: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AnyRef:
    """This field holds an id of one of several kinds; `types` is the member that tells which (id to ImageTagType)."""

    types: str
    on_delete: OnDelete = OnDelete.REMOVE


@dataclass(frozen=True, slots=True)
class NotRef:
    """This field looks like a reference by its name but is none, for the reason given."""

    reason: str


@dataclass(frozen=True, slots=True)
class Searched:
    """This field is found by full-text search; hits in fields of a higher weight rank higher."""

    weight: int = 1


@dataclass(frozen=True, slots=True)
class Sealed:
    """This field holds an encrypted value.

    Attributes:
        name: the field name that goes into the associated data. Where the field is an envelope object it is the
            field's own name; where the envelope's members lie in the record itself it names the value they carry.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """This field is never in an answer, a log line or a `repr`."""


@dataclass(frozen=True, slots=True)
class Derived:
    """This field follows from other data: read-only for callers and no part of the record's version."""


@dataclass(frozen=True, slots=True)
class Parent:
    """This field is not written: it is the variable part of the name of the file that holds the record."""


@dataclass(frozen=True, slots=True)
class Filter:
    """This scalar field can be filtered by equality and sorted by in lists."""


def _text(value: object) -> str:
    # Not pydantic's own check: it refuses lone surrogates, which the original wrote when it cut text inside an emoji.
    if not isinstance(value, str):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic collects ValueError only
    return str(value)


def _name(value: object) -> str:
    if not (text := _text(value)):
        raise ValueError("must not be empty")
    return text


def _id(value: object) -> str:
    if not _UUID.fullmatch(text := _text(value)):
        raise ValueError("must be a UUID, such as 0a1b2c3d-0000-4000-8000-000000000000")
    return text


def _sha256(value: object) -> str:
    if not _SHA256.fullmatch(text := _text(value)):
        raise ValueError("must be a SHA-256 as 64 lower-case hex digits")
    return text


def _email(value: object) -> str:
    if not _EMAIL.fullmatch(text := _text(value)):
        raise ValueError("must be an email address, such as name@example.org")
    return text


def _moment(value: object) -> str:
    try:
        moment = value if isinstance(value, datetime) else parse_timestamp(_text(value))
    except InvalidError as error:
        raise ValueError("must be an ISO-8601 time with a zone, such as 2026-01-31T12:00:00.000Z") from error
    if moment.tzinfo is None:
        raise ValueError("must be a time with a zone")
    return timestamp(moment)


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
        raise ValueError("must be a number")
    return value


def _count(value: object) -> int:
    number = _number(value)
    if number != int(number) or number < 0:
        raise ValueError("must be a whole number, zero or more")
    return int(number)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - pydantic collects ValueError only
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError("must be a JSON object")
    return dict(value)


Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]
"""Any string, empty and with lone surrogates included."""

Name = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": "string", "minLength": 1})]
"""A string that is not empty."""

Id = Annotated[str, PlainValidator(_id), WithJsonSchema({"type": "string", "format": "uuid"})]
"""A UUID of any version, in the letter case it was written in."""

Sha256 = Annotated[str, PlainValidator(_sha256), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$"})]
"""The SHA-256 of a payload, 64 lower-case hex digits."""

Email = Annotated[str, PlainValidator(_email), WithJsonSchema({"type": "string", "maxLength": 513})]
"""Something with one @ and no blanks; `admin@localhost` is one."""

Timestamp = Annotated[str, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A moment in UTC with milliseconds and `Z`; any ISO-8601 time with a zone, or an aware datetime, is read as one."""

Number = Annotated[int | float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
"""A finite number, never a boolean."""

Count = Annotated[int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
"""A whole number, zero or more."""

Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
"""True or false and nothing that stands for them."""

JsonObject = Annotated[dict[str, Any], PlainValidator(_object), WithJsonSchema({"type": "object"})]
"""A free JSON object."""

Secret = Annotated[Text, Hidden()]
"""A string that never leaves the store in an answer."""
