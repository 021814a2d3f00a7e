"""File names that cross the wire: `Content-Disposition` read (RFC 6266, 7578, 8187) and written.

A name from outside is decoration, never a path. What is kept of it is a base name without control and direction marks
(U+202E turns `gpj.exe` into `exe.jpg` before a reader's eyes), short enough for any file system, its extension whole.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_NAME_BYTES = 255
MAX_EXTENSION_BYTES = 16
DEFAULT_NAME = "file"

_PARAMETER = re.compile(r';[ \t]*(?P<name>[^\s=;"]+)[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>[^;]*))')
_EXTENDED = re.compile(r"(?P<charset>[A-Za-z0-9-]+)'[A-Za-z0-9-]*'(?P<value>.*)")
_BROWSER_ESCAPES = (("%22", '"'), ("%0D", "\r"), ("%0d", "\r"), ("%0A", "\n"), ("%0a", "\n"))
_PLAIN = re.compile(r"[A-Za-z0-9!#$&+.^_`|~() @,=\[\]{}-]+")
_FORMAT_MARKS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset({"\u200c", "\u200d"})
"""Zero-width (non-)joiners: format characters that Persian, Indic scripts and emoji are spelled with."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """A header value with parameters, such as Content-Disposition or Content-Type.

    Attributes:
        kind: the value before the first semicolon, in lower case.
        parameters: the plain ones, names in lower case, the first of a name wins.
    """

    kind: str
    parameters: Mapping[str, str]

    @property
    def filename(self) -> str | None:
        """The file name as sent: `filename*` (RFC 8187) before `filename`; None when there is neither."""
        extended = _decode_extended(self.parameters.get("filename*", ""))
        if extended is not None:
            return extended
        plain = self.parameters.get("filename")
        if plain is None:
            return None
        for escape, character in _BROWSER_ESCAPES:  # HTML's multipart encoding escapes these three, and only these
            plain = plain.replace(escape, character)
        return plain


def parse_disposition(value: bytes) -> Disposition:
    """Read a header value with parameters; bytes that are not UTF-8 are taken as Latin-1."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    kind = text.partition(";")[0]
    parameters: dict[str, str] = {}
    for match in _PARAMETER.finditer(text, len(kind)):
        quoted = match["quoted"]
        plain = match["token"].strip(" \t") if quoted is None else _unquote(match["name"].lower(), quoted)
        parameters.setdefault(match["name"].lower(), plain)
    return Disposition(kind.strip(" \t").lower(), parameters)


def safe_name(name: str | None) -> str:
    """Return a base name that can be shown, stored and sent: at most 255 bytes of UTF-8, never empty, `.` or `..`."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name or ""))
    text = "".join(character for character in next((part for part in reversed(base) if part), "") if _keeps(character))
    text = re.sub(r"\s+", " ", text).strip(" ")
    if not text.strip(". "):
        return DEFAULT_NAME
    return _shorten(text)


def content_disposition(kind: str, name: str) -> str:
    """Return a Content-Disposition value: `inline` or `attachment`, with the name in both forms where they differ."""
    name = safe_name(name)
    if _PLAIN.fullmatch(name):
        return f'{kind}; filename="{name}"'
    fallback = re.sub(r"[^A-Za-z0-9!#$&+.^_`|~() @,=\[\]{}-]", "_", unicodedata.normalize("NFKD", name))
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='!#$&+-.^_`|~')}"


def _unquote(name: str, quoted: str) -> str:
    """Undo quoted pairs; in file names only those before a quote or backslash: old browsers sent Windows paths."""
    return re.sub(r'\\(["\\])' if name == "filename" else r"\\(.)", r"\1", quoted)


def _decode_extended(value: str) -> str | None:
    match = _EXTENDED.fullmatch(value)
    if match is None:
        return None
    charset = match["charset"].lower()
    if charset not in {"utf-8", "iso-8859-1"}:
        return None
    try:
        return unquote_to_bytes(match["value"]).decode(charset)
    except UnicodeDecodeError:
        return None


def _keeps(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in _FORMAT_MARKS


def _shorten(text: str) -> str:
    if len(text.encode()) <= MAX_NAME_BYTES:
        return text
    stem, dot, extension = text.rpartition(".")
    ending = dot + extension
    if not stem or len(ending.encode()) > MAX_EXTENSION_BYTES:
        stem, ending = text, ""
    room = MAX_NAME_BYTES - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" ") + ending
