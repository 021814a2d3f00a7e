"""What a text is: SVG, HTML, other XML, JSON, lines of JSON, or just text.

The order of questions matters for safety, not only for truth: whatever a browser might take for markup must be called
markup, also behind a byte order mark, white space, comments, processing instructions and document types.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Final

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")  # WHATWG mimesniff, "binary data byte"
_SPACE: Final = " \t\r\n\f\ufeff"
_ROOT: Final = re.compile(r"<(?:[a-z_][\w.-]*:)?([a-z_][\w.-]*)(?=[\s/>]|$)", re.IGNORECASE)
_DOCTYPE: Final = re.compile(r"<!doctype\s+(?:[a-z_][\w.-]*:)?([a-z_][\w.-]*)", re.IGNORECASE)
_SKIPPED: Final = (("<!--", "-->"), ("<?", "?>"))
_HTML: Final = re.compile(
    "a|article|b|base|big|blockquote|body|br|button|canvas|center|code|dd|details|div|dl|dt|embed|fieldset|font|footer|"
    "form|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|label|li|link|main|meta|nav|object|ol|option|p|pre|"
    "script|section|select|small|span|strong|style|su[bp]|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|ul?|"
    "video|audio"
)
_NEARLY_AT_END: Final = 16
_MAX_SKIPS: Final = 1000


def markup_kind(head: bytes) -> str | None:
    """Return `svg`, `html`, `xhtml` or `xml` for markup, None for anything else."""
    text = _text_of(head).lstrip(_SPACE)
    prolog = text[:5].lower() == "<?xml"
    text, doctype = _behind_prolog(text)
    root = _ROOT.match(text)
    name = (root[1] if root else "").lower()
    for kind in ("svg", "html"):
        if name == kind or (doctype == kind and not name):
            return "xhtml" if kind == "html" and prolog else kind
    if prolog:
        return "xml"
    if doctype == "html" or _HTML.fullmatch(name):
        return "html"
    return "xml" if doctype else None


def is_text(head: bytes, *, whole: bool) -> bool:
    """Say whether bytes are UTF-8 text without control characters that no text has.

    Args:
        head: the bytes.
        whole: they are all there is; otherwise the last character may be cut.
    """
    if _BINARY.search(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def json_kind(head: bytes, *, whole: bool) -> str | None:
    """Return `json` for an object or array, `jsonl` for one object a line, None for anything else.

    Args:
        head: text, as `is_text` has found.
        whole: it is all there is; otherwise it may end anywhere in a value.
    """
    text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="ignore").strip()
    if not text.startswith(("{", "[")):
        return None
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return _json_by_failure(text, error, whole=whole)
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits: nothing here parses it
        return None
    return "json"


def _json_by_failure(text: str, error: json.JSONDecodeError, *, whole: bool) -> str | None:
    if error.msg == "Extra data" and text[: error.pos].endswith("\n") and text[error.pos] in "{[":
        return "jsonl"
    cut = error.pos >= len(text) - _NEARLY_AT_END or error.msg.startswith("Unterminated string")
    return "json" if cut and not whole else None


def _text_of(head: bytes) -> str:
    """Decode for looking at tags only: by the byte order mark, else as if every byte were a character."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, errors="replace")
    return head.decode("latin-1")


def _behind_prolog(text: str) -> tuple[str, str | None]:
    """Pass over white space, comments, processing instructions and document types; return the rest and the last type.

    An opening without its end swallows the rest, as in a browser.
    """
    doctype: str | None = None
    for _ in range(_MAX_SKIPS):
        text = text.lstrip(_SPACE)
        if match := _DOCTYPE.match(text):
            doctype, text = match[1].lower(), _behind_doctype(text)
            continue
        for opening, closing in _SKIPPED:
            if text.startswith(opening):
                text = text.partition(closing)[2]
                # A comment alone makes a page for a browser: without anything better it is HTML, never plain text.
                doctype = doctype or ("html" if opening == "<!--" else None)
                break
        else:
            return text, doctype
    return "", doctype or "html"  # more of it than any honest file has: markup, whatever hides behind it


def _behind_doctype(text: str) -> str:
    """Return what follows a document type, its internal subset `[…]` included."""
    simple, subset = text.find(">"), text.find("[")
    if 0 <= subset < simple:
        end = re.search(r"\]\s*>", text)
        return text[end.end() :] if end else ""
    return text[simple + 1 :] if simple >= 0 else ""
