"""multipart/form-data (RFC 7578) taken apart as it arrives: files into sinks, short texts into memory.

`python-multipart`'s push parser finds the boundaries; nothing here reads ahead or keeps a file's bytes. All of it is
synchronous and runs in the worker thread that `uploads` hops to. A fault of one file (too large, empty, a bad digest)
becomes that file's outcome; a fault of the form's framing fails the whole form, and nothing of it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from metadata.errors import CalotypeError, InvalidError, TooLargeError

from .digests import expected_digest
from .filenames import parse_disposition, safe_name
from .sinks import FileIntake, KeptT, Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from assets.digest import Digest

MAX_TEXT_BYTES = 256 * 1024
MAX_TEXTS_BYTES = 512 * 1024
MAX_PART_HEADERS = 16
MAX_PART_HEADER_BYTES = 64 * 1024
MAX_BOUNDARY = 70
"""RFC 2046, section 5.1.1."""


@dataclass(frozen=True, slots=True)
class FormRules:
    """What a form may hold.

    Attributes:
        files: names of file parts.
        texts: names of text parts; any other name is refused.
        max_file_bytes: per file.
        max_parts: files and texts together.
    """

    files: frozenset[str]
    texts: frozenset[str]
    max_file_bytes: int
    max_parts: int

    @property
    def max_bytes(self) -> int:
        """The longest form that no other rule refuses."""
        return (self.max_parts + 1) * (self.max_file_bytes + MAX_PART_HEADER_BYTES)


@dataclass(frozen=True, slots=True)
class FilePart(Generic[KeptT]):
    """One file of a form.

    Attributes:
        field: the part's name.
        filename: a safe base name.
        declared_type: the part's Content-Type, empty when absent; not trusted.
        expected: the digest the part's header announced; still to be compared.
        outcome: what the sink made of the bytes, or why there is nothing.
    """

    field: str
    filename: str
    declared_type: str
    expected: Digest | None
    outcome: KeptT | CalotypeError


@dataclass(slots=True)
class Form(Generic[KeptT]):
    """A form that arrived whole.

    Attributes:
        files: in the order sent.
        texts: name and value in the order sent; a name may repeat.
    """

    files: list[FilePart[KeptT]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def discard(self) -> None:
        """Drop every file's bytes; the caller has not used them."""
        for part in self.files:
            if not isinstance(part.outcome, CalotypeError):
                part.outcome.discard()


class _Text:
    """A text part on its way in."""

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self.data = bytearray()

    def write(self, chunk: memoryview) -> None:
        if len(self.data) + len(chunk) > self.limit:
            raise TooLargeError(
                f"The form's text {self.name!r} is over {self.limit} bytes; long texts go into a JSON body.",
                field=self.name,
                limit=self.limit,
            )
        self.data += chunk


class FormReader(Generic[KeptT]):
    """Takes a form's bytes and returns the `Form` at the end; `discard` drops everything at any time."""

    def __init__(self, boundary: bytes, rules: FormRules, sinks: Callable[[], Sink[KeptT]]) -> None:
        self._rules = rules
        self._sinks = sinks
        self._form: Form[KeptT] = Form()
        self._headers: list[tuple[str, bytes]] = []
        self._name = bytearray()
        self._value = bytearray()
        self._intake: FileIntake[KeptT] | _Text | None = None
        self._file: tuple[str, str, str, Digest | None, bool] = ("", "", "", None, False)
        self._parts = 0
        self._text_bytes = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            InvalidError: the framing is broken, or a part's name is missing or unknown.
            TooLargeError: too many parts, or a text that is too long.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def close(self) -> Form[KeptT]:
        """Return the form; the body is over.

        Raises:
            InvalidError: the closing boundary is missing: the body was cut off.
        """
        if not self._ended:
            raise _malformed("the closing boundary is missing, so the body was cut off")
        return self._form

    def discard(self) -> None:
        """Drop every byte taken so far."""
        if isinstance(self._intake, FileIntake):
            self._intake.discard()
        self._form.discard()

    def _on_part_begin(self) -> None:
        self._parts += 1
        self._headers.clear()
        if self._parts > self._rules.max_parts:
            raise TooLargeError(
                f"The form has more than {self._rules.max_parts} parts. Send the files in several requests.",
                limit=self._rules.max_parts,
                setting="CALOTYPE_MAX_FORM_PARTS",
            )

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers.append((self._name.decode("latin-1").lower(), bytes(self._value)))
        self._name.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        headers = dict(reversed(self._headers))  # the first of a name wins
        disposition = parse_disposition(headers.get("content-disposition", b""))
        name = disposition.parameters.get("name", "")
        if disposition.kind != "form-data" or not name:
            raise InvalidError(f"Part {self._parts} of the form has no name.", part=self._parts)
        raw = disposition.filename
        if name in self._rules.files:
            self._begin_file(name, raw, headers)
        elif name in self._rules.texts and raw is None:
            self._intake = _Text(name, min(MAX_TEXT_BYTES, MAX_TEXTS_BYTES - self._text_bytes))
        else:
            raise self._unknown(name, is_file=raw is not None)

    def _begin_file(self, name: str, raw: str | None, headers: dict[str, bytes]) -> None:
        self._intake = FileIntake(self._sinks, self._rules.max_file_bytes)
        expected = None
        try:
            expected = expected_digest((field, value.decode("latin-1")) for field, value in self._headers)
        except InvalidError as error:
            self._intake.fail(error)
        declared = headers.get("content-type", b"").decode("latin-1")
        self._file = (name, safe_name(raw), declared, expected, raw == "")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._intake is not None:
            self._intake.write(memoryview(data)[start:end])

    def _on_part_end(self) -> None:
        intake, self._intake = self._intake, None
        if isinstance(intake, FileIntake):
            self._end_file(intake)
        elif isinstance(intake, _Text):
            self._text_bytes += len(intake.data)
            self._form.texts.append((intake.name, _decode(intake)))

    def _end_file(self, intake: FileIntake[KeptT]) -> None:
        name, filename, declared, expected, unnamed = self._file
        if unnamed and not intake.size:  # a browser's file input in which nothing was chosen
            intake.discard()
            return
        self._form.files.append(FilePart(name, filename, declared, expected, intake.finish()))

    def _on_end(self) -> None:
        self._ended = True

    def _unknown(self, name: str, *, is_file: bool) -> InvalidError:
        known = ", ".join(sorted(self._rules.files if is_file else self._rules.files | self._rules.texts))
        what = "file part" if is_file else "part"
        return InvalidError(f"The form has no {what} named {name[:80]!r}; it takes {known}.", field=name[:80])


def boundary_of(content_type: bytes) -> bytes:
    """Return the boundary that a multipart/form-data Content-Type names.

    Raises:
        InvalidError: there is none, or it is longer than 70 characters, or has characters a boundary may not have.
    """
    boundary = parse_disposition(content_type).parameters.get("boundary", "")
    if not boundary or len(boundary) > MAX_BOUNDARY or not boundary.isascii() or not boundary.isprintable():
        raise _malformed("Content-Type names no usable boundary; let your HTTP client write that header")
    return boundary.encode("ascii")


def _decode(text: _Text) -> str:
    try:
        return text.data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidError(f"The form's text {text.name!r} is not UTF-8.", field=text.name) from None


def _malformed(reason: str) -> InvalidError:
    return InvalidError(f"The form cannot be read: {reason}. Nothing of it was stored.")
