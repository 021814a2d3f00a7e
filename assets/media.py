"""What a payload is, told from its bytes: media type, extension, and whether a browser may show it in place.

A name or a declared type is never believed about what is dangerous: it only chooses between harmless kinds of text,
and names a character archive. Sources of the signatures: WHATWG mimesniff, the formats' own specifications, and the
package `filetype` for archives, sound and fonts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import filetype  # type: ignore[import-untyped]  # the package carries no types

from .markup import is_text, json_kind, markup_kind
from .signatures import picture_or_film, speaks_to_others

HEAD_BYTES: Final = 64 * 1024
"""A head shorter than this is taken for the whole payload."""


@dataclass(frozen=True, slots=True)
class Media:
    """What a payload is.

    Attributes:
        type: the media type, without parameters.
        extension: the usual file extension, without a dot.
        inline: a raster picture whose beginning speaks to no other reader, which a browser may show in place; all else
            is a download.
        picture: a raster picture format that Calotype works with.
    """

    type: str
    extension: str
    inline: bool = False
    picture: bool = False


UNKNOWN: Final = Media("application/octet-stream", "bin")

_EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/vnd.microsoft.icon": "ico",
    "image/jp2": "jp2",
    "image/j2c": "j2c",
    "image/svg+xml": "svg",
    "text/html": "html",
    "application/xhtml+xml": "xhtml",
    "application/xml": "xml",
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/csv": "csv",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/epub+zip": "epub",
    "application/gzip": "gz",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
    "application/zstd": "zst",
    "application/x-xz": "xz",
    "application/x-bzip2": "bz2",
    "application/x-tar": "tar",
    "application/vnd.sqlite3": "sqlite",
    "image/vnd.adobe.photoshop": "psd",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/matroska": "mkv",
    "video/3gpp": "3gp",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/wav": "wav",
    "font/woff": "woff",
    "font/woff2": "woff2",
    "font/ttf": "ttf",
    "font/otf": "otf",
}
_PICTURES: Final = frozenset(list(_EXTENSIONS)[:12])

# Only those of filetype's answers that are exact; its media types are older than the registrations.
_BY_FILETYPE: Final = {
    "epub": "application/epub+zip",
    "gz": "application/gzip",
    "7z": "application/x-7z-compressed",
    "rar": "application/vnd.rar",
    "zst": "application/zstd",
    "xz": "application/x-xz",
    "bz2": "application/x-bzip2",
    "tar": "application/x-tar",
    "sqlite": "application/vnd.sqlite3",
    "psd": "image/vnd.adobe.photoshop",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
    "otf": "font/otf",
}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_MARKUP_TYPES: Final = {
    "svg": "image/svg+xml",
    "html": "text/html",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
}
_TEXT_BY_NAME: Final = {"md": "text/markdown", "markdown": "text/markdown", "csv": "text/csv"}


def sniff(head: bytes, *, filename: str | None = None) -> Media:
    """Tell what a payload is from its first bytes (64 KiB are kept of every upload).

    An animated PNG is `image/png`, as in browsers: it is one, and readers of PNG must find it.

    Args:
        head: the first bytes; fewer than `HEAD_BYTES` are taken for all there are.
        filename: the uploader's name for it; only its extension is looked at, and only among harmless kinds.
    """
    suffix = _suffix(filename)
    kind = picture_or_film(head)
    if kind is not None:
        return _media(kind, head)
    if head.startswith(_ZIP):
        return _zip(head, suffix)
    if markup := markup_kind(head):
        return _media(_MARKUP_TYPES[markup], head)
    whole = len(head) < HEAD_BYTES
    if head and is_text(head, whole=whole):
        return _text(head, suffix, whole=whole)
    guess = filetype.guess(head)
    known = _BY_FILETYPE.get(guess.extension) if guess is not None else None
    return _media(known, head) if known else UNKNOWN


def media_named(media_type: str, *, inline: bool = True) -> Media | None:
    """Return the media of a recorded type; None for a type that `sniff` never gives.

    Args:
        media_type: what `sniff` found once.
        inline: what `sniff` found once. For a picture it depends on the bytes, so whoever records the type must record
            a False too; for anything else it is False whatever is given.
    """
    if media_type not in _EXTENSIONS:
        return UNKNOWN if media_type == UNKNOWN.type else None
    picture = media_type in _PICTURES
    return Media(media_type, _EXTENSIONS[media_type], inline=picture and inline, picture=picture)


def _zip(head: bytes, suffix: str) -> Media:
    """A zip; one that begins with a character card's file, or is named so, keeps that extension."""
    guess = filetype.guess(head)
    if guess is not None and guess.extension == "epub":
        return _media("application/epub+zip", head)
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    return Media("application/zip", "charx" if suffix == "charx" or first == b"card.json" else "zip")


def _text(head: bytes, suffix: str, *, whole: bool) -> Media:
    kind = json_kind(head, whole=whole)
    if kind is not None:
        return _media("application/json" if kind == "json" else "application/x-ndjson", head)
    return _media(_TEXT_BY_NAME.get(suffix, "text/plain"), head)


def _media(kind: str, head: bytes) -> Media:
    picture = kind in _PICTURES
    return Media(kind, _EXTENSIONS[kind], inline=picture and not speaks_to_others(head), picture=picture)


def _suffix(filename: str | None) -> str:
    return filename.rpartition(".")[2].lower() if filename and "." in filename else ""
