"""Where an asset lies in a CHARX: `assets/{type}/{images|audio|…}/name.ext`, in ASCII, no two alike (V3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_FOLDERS: Final = {
    "images": "png apng jpg jpeg jfif webp gif avif bmp svg tif tiff heic",
    "audio": "mp3 ogg oga opus wav flac m4a aac",
    "video": "mp4 webm mkv mov avi",
    "l2d": "moc moc3 model3",
    "3d": "mmd pmx pmd obj glb gltf vrm fbx",
    "ai": "safetensors ckpt onnx pth",
    "fonts": "otf ttf woff woff2",
    "code": "lua js py",
}
_FOLDER_OF: Final = {ext: folder for folder, exts in _FOLDERS.items() for ext in exts.split()}
_OTHER: Final = "other"
_LONGEST: Final = 80


def asset_place(kind: str, name: str, ext: str, taken: AbstractSet[str]) -> str:
    """Return a path for an asset that is none of those taken, whatever their letter case."""
    folder = f"assets/{_word(kind) or _OTHER}/{_FOLDER_OF.get(ext.lower(), _OTHER)}"
    suffix = f".{_word(ext.lower())}" if _word(ext) else ""
    stem = _word(name.removesuffix(suffix)) or "asset"
    folded, count = {path.lower() for path in taken}, 1
    path = f"{folder}/{stem}{suffix}"
    while path.lower() in folded:
        count += 1
        path = f"{folder}/{stem}-{count}{suffix}"
    return path


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)[:_LONGEST].strip("_")
