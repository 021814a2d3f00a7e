"""A glance at a picture: a placeholder that is short enough and looks like it, a hash that is near for its like."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageEnhance

from assets.images.glance import PLACEHOLDER_BYTES, Glance, glance
from assets.images.limits import Limits
from assets.media import sniff

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@pytest.fixture(scope="module")
def seeing(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    return load_beside(Path(__file__).with_name("seeing.py"))


def seen(data: bytes) -> Glance:
    return glance(io.BytesIO(data), sniff(data).type, Limits())


def shown(found: Glance) -> Image.Image:
    """Decode the placeholder as a browser would."""
    prefix, _, body = found.placeholder.partition(",")
    assert prefix == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(body, validate=True)))


def distance(one: Glance, other: Glance) -> int:
    return (int(one.perceptual_hash, 16) ^ int(other.perceptual_hash, 16)).bit_count()


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (2000, 100), (1, 1), (3, 900), (16, 16)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_placeholder_is_short_and_has_the_proportions(seeing: ModuleType, size: tuple[int, int], mode: str) -> None:
    image = seeing.scene(*size).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.radial_gradient("L").resize(size))
    found = seen(seeing.encoded(image, "PNG"))
    assert (found.width, found.height, found.frames) == (*size, 1)
    assert len(found.placeholder) <= PLACEHOLDER_BYTES
    width, height = shown(found).size
    assert abs(width - max(width, height) * min(1, size[0] / size[1])) <= 1
    assert max(width, height) <= 16


def test_noise_has_one_too(seeing: ModuleType) -> None:
    noise = Image.merge("RGBA", [Image.effect_noise((300, 200), 255) for _ in range(4)])
    assert len(seen(seeing.encoded(noise, "PNG")).placeholder) <= PLACEHOLDER_BYTES


def test_a_placeholder_looks_like_the_picture(seeing: ModuleType) -> None:
    scene = seeing.scene()
    tiny = shown(seen(seeing.encoded(scene, "PNG"))).convert("RGB")
    mean, _ = seeing.difference(tiny, seeing.shrunk(scene, tiny.size))
    assert mean < 15


def test_a_placeholder_keeps_what_is_transparent(seeing: ModuleType) -> None:
    image = seeing.scene(200, 200).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 200, 100))
    found = seen(seeing.encoded(image, "PNG"))
    assert found.alpha
    alpha = shown(found).getchannel("A")
    assert max(alpha.crop((0, 0, alpha.width, 3)).tobytes()) < 60
    assert min(alpha.crop((0, alpha.height - 3, alpha.width, alpha.height)).tobytes()) > 200


def test_alpha_that_is_nowhere_used_is_none(seeing: ModuleType) -> None:
    assert not seen(seeing.encoded(seeing.scene(50, 50).convert("RGBA"), "PNG")).alpha


def test_it_sees_pictures_upright(seeing: ModuleType) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = seen(seeing.encoded(seeing.scene(), "JPEG", exif=exif, quality=95))
    upright = seen(seeing.encoded(seeing.scene().transpose(Image.Transpose.ROTATE_270), "JPEG", quality=95))
    assert (turned.width, turned.height) == (480, 640)
    assert distance(turned, upright) <= 2


def test_pictures_that_look_alike_have_hashes_that_are_near(seeing: ModuleType) -> None:
    scene = seeing.scene()
    original = seen(seeing.encoded(scene, "PNG"))
    alike = [
        seen(seeing.encoded(scene, "JPEG", quality=40)),
        seen(seeing.encoded(scene.resize((320, 240)), "WEBP")),
        seen(seeing.encoded(ImageEnhance.Brightness(scene).enhance(0.9), "PNG")),
    ]
    others = [
        seen(seeing.encoded(scene.transpose(Image.Transpose.ROTATE_180), "PNG")),
        seen(seeing.encoded(Image.radial_gradient("L"), "PNG")),
    ]
    assert max(distance(original, other) for other in alike) <= 6
    assert min(distance(original, other) for other in others) >= 16


def test_the_first_frame_of_an_animation_counts(seeing: ModuleType) -> None:
    frames = [seeing.scene(60, 40), Image.new("RGB", (60, 40), "blue")]
    found = seen(seeing.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert found.frames == 2
    assert distance(found, seen(seeing.encoded(frames[0], "PNG"))) <= 2
