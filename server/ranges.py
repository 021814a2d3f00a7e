"""Byte ranges (RFC 9110, section 14): what a `Range` header asks of a content of known length.

Many small or overlapping ranges are an old way to make a server work hard for nothing, so ranges that touch are joined,
and more than a few, or more bytes than the content has, are answered with the whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_RANGES = 16
"""More ranges than this in one request are answered with the whole content."""

JOIN_GAP = 80
"""Ranges no further apart than this are joined: the part's own header would be longer than the gap."""

_SPEC = re.compile(r"(?P<first>[0-9]{0,20})-(?P<last>[0-9]{0,20})")
_MAX_HEADER = 1024


@dataclass(frozen=True, slots=True)
class Span:
    """A run of bytes, from `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Every range asked for lies outside the content: 416."""


def parse_range(header: str | None, size: int) -> tuple[Span, ...] | Unsatisfiable | None:
    """Read a Range header against a content of `size` bytes.

    Returns:
        The spans to send, at least one; `Unsatisfiable`; or None when the header is absent, malformed, of another unit
        or beyond the limits, and the whole content is the answer.
    """
    if header is None or len(header) > _MAX_HEADER:
        return None
    unit, equals, rest = header.partition("=")
    specs = [spec.strip(" \t") for spec in rest.split(",")]
    matches = [_SPEC.fullmatch(spec) for spec in specs if spec]
    if not equals or unit.strip(" \t").lower() != "bytes" or not matches or len(matches) > MAX_RANGES:
        return None
    spans: list[Span] = []
    for match in matches:
        if match is None or not _sensible(match["first"], match["last"]):
            return None
        if span := _resolve(match["first"], match["last"], size):
            spans.append(span)
    return _few(spans, size) if spans else Unsatisfiable()


def content_range(span: Span | None, size: int) -> str:
    """Return the Content-Range of a span, or of an unsatisfiable request for None."""
    return f"bytes */{size}" if span is None else f"bytes {span.start}-{span.end - 1}/{size}"


def _sensible(first: str, last: str) -> bool:
    if not first:
        return bool(last)
    return not last or int(last) >= int(first)


def _resolve(first: str, last: str, size: int) -> Span | None:
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return Span(start, end) if start < end else None


def _few(spans: list[Span], size: int) -> tuple[Span, ...] | None:
    """Join what touches; keep the order asked for when nothing does."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        if joined and span.start <= joined[-1].end + JOIN_GAP:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    if len(spans) > 1 and joined == [Span(0, size)]:
        return None
    return tuple(spans) if len(joined) == len(spans) else tuple(joined)
