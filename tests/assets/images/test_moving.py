"""Animations: every frame as it was seen, as long and as often; a still picture where that is not possible."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from PIL import Image, ImageDraw

from assets.images.derive import derive
from assets.images.limits import Limits
from assets.images.patience import Patience
from assets.images.variants import Cut, Fit, Format, Variant
from assets.media import sniff
from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from assets.images.derive import Picture


class Unmeasured(Patience):
    """Patience without an alarm: that is pytest's own here. It is over when it is told to be."""

    def __init__(self, ends: Exception | None = None) -> None:
        super().__init__(0)
        self._ends = ends

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End, as it was told."""
        if self._ends is not None:
            self.over = True
            raise self._ends


ENDLESS = Unmeasured()
SMALL = Variant(40, 30, Fit.CONTAIN)
CLOSE = 7.0
"""The mean colour difference (see `seeing.py`) of tiny frames with hard edges and halved chroma; others have 20."""
DURATIONS = [50, 120, 300]
MOVES = [Format.WEBP, Format.AVIF]
STANDS = [Format.JPEG, Format.PNG]


@pytest.fixture(scope="module")
def seeing(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    return load_beside(Path(__file__).with_name("seeing.py"))


def squares(count: int = 3, mode: str = "RGB") -> list[Image.Image]:
    """Return frames in which a bright square moves over a ground."""
    frames = []
    for number in range(count):
        frame = Image.new("RGBA", (160, 120), (0, 0, 0, 0) if mode == "RGBA" else (20, 60, 90, 255))
        left = 10 + 100 * number // count
        ImageDraw.Draw(frame).rectangle((left, 30, left + 40, 80), fill=(240, 200, 30, 255))
        frames.append(frame.convert(mode))
    return frames


def animated(seeing: ModuleType, kind: str, frames: Sequence[Image.Image], **options: object) -> bytes:
    settings: dict[str, object] = {"save_all": True, "append_images": frames[1:], "duration": DURATIONS[: len(frames)]}
    if kind == "WEBP":
        settings["lossless"] = True
    return seeing.encoded(frames[0], kind, **{**settings, **options})  # type: ignore[no-any-return] # loaded by path


def made(
    data: bytes,
    form: Format,
    limits: Limits | None = None,
    patience: Patience | None = ENDLESS,
) -> Picture:
    return derive(io.BytesIO(data), sniff(data).type, SMALL, form, limits or Limits(), patience)


def frames_of(picture: Picture) -> list[tuple[Image.Image, int]]:
    """Return the frames as they are seen, with their durations."""
    found = []
    with Image.open(io.BytesIO(picture.data)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            found.append((image.copy(), image.info["duration"]))
    return found


@pytest.mark.parametrize("form", MOVES)
@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_every_frame_is_there_as_long_as_it_was(seeing: ModuleType, kind: str, form: Format) -> None:
    originals = squares()
    picture = made(animated(seeing, kind, originals), form)
    assert picture.frames == 3
    for (frame, lasted), original, told in zip(frames_of(picture), originals, DURATIONS, strict=True):
        assert lasted == told
        mean, _ = seeing.difference(frame, seeing.shrunk(original, (40, 30)))
        assert mean < CLOSE


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_frames_that_keep_their_size_are_each_their_own(seeing: ModuleType, kind: str) -> None:
    originals = [frame.resize((30, 20)) for frame in squares()]
    picture = made(animated(seeing, kind, originals), Format.WEBP)
    assert (picture.width, picture.height, picture.frames) == (30, 20, 3)
    for (frame, _), original in zip(frames_of(picture), originals, strict=True):
        assert seeing.difference(frame, original)[0] < CLOSE


@pytest.mark.parametrize("form", STANDS)
@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_a_format_that_stands_shows_the_first(seeing: ModuleType, kind: str, form: Format) -> None:
    originals = squares()
    picture = made(animated(seeing, kind, originals), form)
    assert picture.frames == 1
    mean, _ = seeing.difference(Image.open(io.BytesIO(picture.data)), seeing.shrunk(originals[0], (40, 30)))
    assert mean < CLOSE


@pytest.mark.parametrize("disposal", [1, 2])
def test_what_a_gif_leaves_of_a_frame_is_left(seeing: ModuleType, disposal: int) -> None:
    """Each frame is a part of the picture; the one before stays below it (1) or goes (2)."""
    parts = squares(3, "RGBA")
    data = animated(seeing, "GIF", parts, disposal=disposal)
    for number, (frame, _) in enumerate(frames_of(made(data, Format.WEBP))):
        below = parts[:number] if disposal == 1 else []
        canvas = Image.new("RGBA", (160, 120))
        for part in [*below, parts[number]]:
            canvas.alpha_composite(part)
        paper = Image.new("RGBA", (40, 30), "white")
        small = canvas.convert("RGBa").resize((40, 30), Image.Resampling.LANCZOS).convert("RGBA")
        expected = Image.alpha_composite(paper, small)
        mean, _ = seeing.difference(Image.alpha_composite(paper, frame.convert("RGBA")), expected)
        assert mean < CLOSE, number


@pytest.mark.parametrize(
    ("kind", "told", "plays"),
    [("GIF", None, 1), ("GIF", 0, 0), ("GIF", 2, 3), ("PNG", 0, 0), ("PNG", 2, 2), ("WEBP", 0, 0), ("WEBP", 4, 4)],
)
def test_it_plays_as_often_as_before(seeing: ModuleType, kind: str, told: int | None, plays: int) -> None:
    data = animated(seeing, kind, squares(), **({} if told is None else {"loop": told}))
    with Image.open(io.BytesIO(made(data, Format.WEBP).data)) as image:
        assert image.info["loop"] == plays


def test_what_is_too_quick_for_browsers_is_slow(seeing: ModuleType) -> None:
    data = animated(seeing, "GIF", squares(), duration=[0, 10, 20])
    assert [lasted for _, lasted in frames_of(made(data, Format.WEBP))] == [100, 100, 20]


def test_a_picture_before_an_animation_is_for_those_who_see_none(seeing: ModuleType) -> None:
    stand_in = Image.new("RGB", (160, 120), "purple")
    data = animated(seeing, "PNG", [stand_in, *squares(2)], default_image=True, duration=100)
    moving, standing = made(data, Format.WEBP), made(data, Format.PNG)
    assert (moving.frames, standing.frames) == (2, 1)
    assert Image.open(io.BytesIO(standing.data)).convert("RGB").getpixel((20, 15)) == (128, 0, 128)
    assert seeing.difference(frames_of(moving)[0][0], seeing.shrunk(squares(2)[0], (40, 30)))[0] < CLOSE


def test_more_frames_than_allowed_are_refused(seeing: ModuleType) -> None:
    data = animated(seeing, "GIF", squares())
    for form in Format:
        with pytest.raises(InvalidError, match="CALOTYPE_MAX_FRAMES"):
            made(data, form, Limits(frames=2))


def test_more_bytes_than_allowed_leave_the_first_frame(seeing: ModuleType) -> None:
    data = animated(seeing, "GIF", squares())
    one = 160 * 120 * 4
    assert made(data, Format.WEBP, Limits(decoded_bytes=3 * one)).frames == 3
    cut = made(data, Format.WEBP, Limits(decoded_bytes=3 * one - 1))
    assert (cut.frames, cut.cut) == (1, Cut.LIMITS)
    assert made(data, Format.PNG, Limits(decoded_bytes=3 * one - 1)).cut is Cut.NOT


@pytest.mark.parametrize("ends", [TimeoutError(), InvalidError("a library made this of it"), None])
def test_more_time_than_allowed_leaves_the_first_frame(seeing: ModuleType, ends: Exception | None) -> None:
    patience = None if ends is None else Unmeasured(ends)
    picture = made(animated(seeing, "GIF", squares()), Format.WEBP, patience=patience)
    assert (picture.frames, picture.cut) == (1, Cut.TIME)


def test_a_damaged_later_frame_leaves_the_first(seeing: ModuleType) -> None:
    frames = [Image.effect_noise((160, 120), 100 + number).convert("RGB") for number in range(3)]
    data = animated(seeing, "GIF", frames)
    picture = made(data[: len(data) * 5 // 6], Format.WEBP)
    assert (picture.frames, picture.cut) == (1, Cut.NOT)
    assert seeing.difference(Image.open(io.BytesIO(picture.data)), seeing.shrunk(frames[0], (40, 30)))[0] < 8
