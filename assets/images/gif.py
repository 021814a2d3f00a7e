"""GIF's logical screen (GIF89a), enlarged to the first frame where that is larger, as browsers and Pillow do."""

from __future__ import annotations

from typing import Final

from .source import DamagedError, Size, Source, Traits

_SCREEN_BYTES: Final = 13
_EXTENSION: Final = 0x21
_FRAME: Final = 0x2C
_TABLE_FLAG: Final = 0x80
_CONTROL: Final = 0xF9
_TRANSPARENT_FLAG: Final = 0x01
_DEEPEST: Final = 8
_WINDOW: Final = 64 * 1024
_MAX_STEPS: Final = 1_000_000


def measure_gif(source: Source) -> Size:
    """Return the size of the canvas.

    Raises:
        DamagedError: no screen descriptor.
    """
    width, height, flags = source.unpack("<HHB", 6)
    try:
        left, top, frame_width, frame_height = _first_frame(source, _SCREEN_BYTES + _table_bytes(flags))
    except DamagedError:
        return Size(width, height)
    return Size(max(width, left + frame_width), max(height, top + frame_height))


def look_gif(source: Source) -> Traits:
    """Return the traits; frames are counted block by block, as far as a million blocks.

    Raises:
        DamagedError: no screen descriptor.
    """
    (flags,) = source.unpack("<B", 10)
    bits = (flags & 7) + 1 if flags & _TABLE_FLAG else _DEEPEST
    blocks = _Blocks(source, _SCREEN_BYTES + _table_bytes(flags))
    try:
        while not blocks.over:
            blocks.next()
    except DamagedError:
        if source.spent or blocks.steps > _MAX_STEPS:
            return Traits("palette", bits, blocks.alpha or None, None)
    return Traits("palette", bits, blocks.alpha, max(1, blocks.frames))


class _Blocks:
    """A walk through a GIF, with a window of it in memory: its data come in pieces of at most 255 bytes."""

    def __init__(self, source: Source, offset: int) -> None:
        self._source = source
        self._offset = offset
        self._window = b""
        self._window_at = offset
        self.steps = 0
        self.frames = 0
        self.alpha = False
        self.over = False

    def next(self) -> None:
        """Pass over an extension or a frame."""
        kind = self._take(1)[0]
        if kind == _FRAME:
            flags = self._take(9)[8]
            self._offset += _table_bytes(flags) + 1
            self.frames += 1
        elif kind == _EXTENSION:
            if self._take(1)[0] == _CONTROL and self.frames == 0:
                self.alpha = self.alpha or bool(self._peek(2)[1] & _TRANSPARENT_FLAG)
        else:
            self.over = True
            return
        while (length := self._take(1)[0]) != 0:
            self._offset += length

    def _take(self, length: int) -> bytes:
        data = self._peek(length)
        self._offset += length
        self.steps += 1
        return data

    def _peek(self, length: int) -> bytes:
        at = self._offset - self._window_at
        data = self._window[at : at + length] if at >= 0 else b""
        if len(data) < length:
            self._window_at = self._offset
            self._window = self._source.read_up_to(self._offset, _WINDOW)
            data = self._window[:length]
        if len(data) < length or self.steps > _MAX_STEPS:
            raise DamagedError
        return data


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _TABLE_FLAG else 0


def _first_frame(source: Source, offset: int) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the first image descriptor, passing over the extensions before it."""
    while True:
        (kind,) = source.read(offset, 1)
        if kind == _FRAME:
            left, top, width, height = source.unpack("<HHHH", offset + 1)
            return left, top, width, height
        if kind != _EXTENSION:
            raise DamagedError
        offset += 2
        while (length := source.read(offset, 1)[0]) != 0:
            offset += 1 + length
        offset += 1
