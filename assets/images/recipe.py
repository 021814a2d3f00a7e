"""The recipe: what distinguishes a derived file from one that another release would make of the same original."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

import PIL
from PIL import features

RECIPE: Final = 2
"""Raised whenever the same original and variant would come out differently."""

_CODECS: Final = ("jpg", "zlib", "webp", "avif", "libtiff", "jpg_2000", "littlecms2")


@cache
def recipe() -> str:
    """Return our number and eight digits that stand for the versions of Pillow and its codecs, such as `1-4be02f97`."""
    versions = [PIL.__version__, *(f"{name} {features.version(name)}" for name in _CODECS)]
    return f"{RECIPE}-{hashlib.sha256(' '.join(versions).encode()).hexdigest()[:8]}"
