"""What a picture may ask of the machine before its pixels are decoded, and what is said to one that asks for more."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from metadata.errors import InvalidError, UnsupportedError

_PIXEL_BYTES: Final = 4
_BASE_BYTES: Final = 640 * 1024 * 1024
"""Address space of an interpreter with its libraries, their threads' stacks included, before any pixel."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a picture may ask for.

    Attributes:
        pixels: of one frame.
        frames: of an animation.
        decoded_bytes: of all frames together, four bytes a pixel; an animation above it becomes its first frame.
        seconds: of the wall clock, for everything that is done with one picture.
    """

    pixels: int = 80_000_000
    frames: int = 500
    decoded_bytes: int = 2 * 1024**3
    seconds: float = 10.0

    @property
    def memory_bytes(self) -> int:
        """The address space that a process may take which decodes one picture within these limits.

        A picture is held once as it is decoded, once more while it changes its colours, and codecs keep a copy.
        """
        return _BASE_BYTES + 4 * _PIXEL_BYTES * self.pixels

    @property
    def mark(self) -> str:
        """Eight digits that stand for what decides, time apart, whether an animation may stay one."""
        return f"{zlib.crc32(f'{self.pixels} {self.frames} {self.decoded_bytes}'.encode()):08x}"

    def check(self, width: int, height: int, frames: int = 1) -> None:
        """Refuse a picture that is over a limit.

        Raises:
            InvalidError: it names the limit and the setting.
        """
        if width * height > self.pixels:
            raise too_many_pixels(self.pixels, width * height)
        if frames > self.frames:
            raise InvalidError(
                f"The picture has {frames:,} frames; {self.frames:,} is the most that is worked with. Raise "
                "CALOTYPE_MAX_FRAMES to allow it.",
                limit=self.frames,
                actual=frames,
                setting="CALOTYPE_MAX_FRAMES",
            )
        if width * height * _PIXEL_BYTES > self.decoded_bytes:
            raise InvalidError(
                f"The picture decodes to {width * height * _PIXEL_BYTES:,} bytes; {self.decoded_bytes:,} is the most. "
                "Raise CALOTYPE_MAX_DECODED_BYTES to allow it.",
                limit=self.decoded_bytes,
                actual=width * height * _PIXEL_BYTES,
                setting="CALOTYPE_MAX_DECODED_BYTES",
            )

    def may_move(self, width: int, height: int, frames: int) -> bool:
        """Tell whether all frames of an animation may be decoded, not only its first."""
        return width * height * frames * _PIXEL_BYTES <= self.decoded_bytes


def too_many_pixels(limit: int, actual: int | None = None) -> InvalidError:
    """Return the error of a picture with too many pixels."""
    many = "more pixels than are" if actual is None else f"{actual:,} pixels;"
    return InvalidError(
        f"The picture has {many} {'allowed: ' if actual is None else ''}{limit:,} is the most that is worked with. "
        "Raise CALOTYPE_MAX_PIXELS to allow it.",
        limit=limit,
        actual=actual,
        setting="CALOTYPE_MAX_PIXELS",
    )


def too_slow(seconds: float) -> InvalidError:
    """Return the error of a picture that took too long."""
    return InvalidError(
        f"The picture was not done within {seconds:g} seconds and was given up. Raise CALOTYPE_DECODE_TIMEOUT_S to "
        "allow more.",
        limit=seconds,
        setting="CALOTYPE_DECODE_TIMEOUT_S",
    )


def too_much_memory(limit: int) -> InvalidError:
    """Return the error of a picture that asked for more memory than its process may have."""
    return InvalidError(
        f"The picture needs more than the {limit:,} bytes of memory that decoding it may take. They follow from "
        "CALOTYPE_MAX_PIXELS.",
        limit=limit,
        setting="CALOTYPE_MAX_PIXELS",
    )


def unsupported(media_type: str, more: str = "") -> UnsupportedError:
    """Return the error of bytes that no smaller picture can be made of."""
    return UnsupportedError(f"No smaller picture can be made of {media_type}.{more}", mediaType=media_type)


def damaged() -> InvalidError:
    """Return the error of a picture whose bytes make no sense."""
    return InvalidError("The picture is damaged: its pixels cannot be decoded. Its bytes are served as they are.")
