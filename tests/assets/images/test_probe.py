"""What headers tell beside the size, compared with what Pillow finds once it has opened the files."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from PIL import Image

from assets.images.headers import Size, probe
from assets.images.source import Traits
from assets.media import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from assets.images.headers import Probe, ReadAt

MODES: Final = {
    **dict.fromkeys(("1", "L", "LA", "I", "I;16", "I;16B", "F"), "grey"),
    **dict.fromkeys(("RGB", "RGBA"), "rgb"),
    **dict.fromkeys(("P", "PA"), "palette"),
    "CMYK": "cmyk",
    "LAB": "lab",
}
OTHERWISE: Final = {
    "10ct_32bit_128.tiff": "a TIFF without its photometric interpretation",
    "hopper.bmp": "a header with a mask for alpha, which Pillow takes for padding",
    "rdf.tif": "extra samples in a palette",
}


@pytest.fixture(scope="module")
def seeing(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    return load_beside(Path(__file__).with_name("seeing.py"))


def reader(data: bytes) -> ReadAt:
    return lambda offset, length: data[offset : offset + length]


def seen(data: bytes) -> Probe:
    found = probe(data[:HEAD_BYTES], reader(data))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "mode", "options", "traits"),
    [
        ("PNG", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("PNG", "RGBA", {}, Traits("rgb", 8, alpha=True)),
        ("PNG", "L", {}, Traits("grey", 8, alpha=False)),
        ("PNG", "LA", {}, Traits("grey", 8, alpha=True)),
        ("PNG", "1", {}, Traits("grey", 1, alpha=False)),
        ("PNG", "I;16", {}, Traits("grey", 16, alpha=False)),
        ("PNG", "P", {"transparency": 1}, Traits("palette", 8, alpha=True)),
        ("JPEG", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("JPEG", "L", {"progressive": True}, Traits("grey", 8, alpha=False)),
        ("JPEG", "CMYK", {}, Traits("cmyk", 8, alpha=False)),
        ("GIF", "P", {}, Traits("palette", 7, alpha=False)),
        ("GIF", "P", {"transparency": 0}, Traits("palette", 7, alpha=True)),
        ("WEBP", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("WEBP", "RGBA", {}, Traits("rgb", 8, alpha=True)),
        ("WEBP", "RGBA", {"lossless": True}, Traits("rgb", 8, alpha=True)),
        ("WEBP", "RGB", {"lossless": True}, Traits("rgb", 8, alpha=False)),
        ("AVIF", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("AVIF", "RGBA", {}, Traits("rgb", 8, alpha=True)),
        ("BMP", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("BMP", "P", {}, Traits("palette", 8, alpha=False)),
        ("TIFF", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("TIFF", "RGBA", {}, Traits("rgb", 8, alpha=True)),
        ("TIFF", "CMYK", {}, Traits("cmyk", 8, alpha=False)),
        ("TIFF", "LAB", {}, Traits("lab", 8, alpha=False)),
        ("TIFF", "I;16", {}, Traits("grey", 16, alpha=False)),
        ("TIFF", "RGB", {"big_tiff": True}, Traits("rgb", 8, alpha=False)),
        ("ICO", "RGBA", {}, Traits("rgb", 8, alpha=True)),
        ("JPEG2000", "RGB", {}, Traits("rgb", 8, alpha=False)),
        ("JPEG2000", "LA", {}, Traits("grey", 8, alpha=True)),
        ("JPEG2000", "RGBA", {"no_jp2": True}, Traits("rgb", 8, alpha=True)),
    ],
)
def test_what_a_header_tells(
    seeing: ModuleType, kind: str, mode: str, options: dict[str, object], traits: Traits
) -> None:
    image = seeing.scene(64, 64)
    if mode.endswith("A"):
        image.putalpha(Image.radial_gradient("L").resize((64, 64)))
    image = image.convert("I").convert("I;16") if mode == "I;16" else image
    image = Image.new("LAB", (64, 64)) if mode == "LAB" else image.convert(mode)
    found = seen(seeing.encoded(image, kind, **options))
    assert (found.size, found.traits) == (Size(64, 64), traits)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("count", [2, 7])
def test_frames_are_counted(seeing: ModuleType, kind: str, count: int) -> None:
    frames = [seeing.scene(40, 30).rotate(10 * number) for number in range(count)]
    data = seeing.encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert seen(data).traits.frames == count


def test_a_picture_before_an_animation_is_no_frame_of_it(seeing: ModuleType) -> None:
    frames = [seeing.scene(40, 30).rotate(10 * number) for number in range(3)]
    data = seeing.encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    assert seen(data).traits.frames == 2


def test_a_gif_is_counted_to_its_end(seeing: ModuleType) -> None:
    """Far behind the head, past the budget of other headers."""
    frames = [Image.effect_noise((300, 300), 200 + number).quantize(256) for number in range(20)]
    data = seeing.encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert len(data) > 1_300_000
    assert seen(data).traits.frames == 20
    assert seen(data[: len(data) // 2]).traits.frames in range(9, 12)


def test_a_gif_of_endless_tiny_blocks_is_not_counted_to_its_end(seeing: ModuleType) -> None:
    start: bytes = seeing.encoded(Image.new("P", (2, 2)), "GIF")[:13]
    start += bytes(3 << ((start[10] & 7) + 1)) + b"\x21\xfe"
    asked: list[int] = []

    def endless(offset: int, length: int) -> bytes:
        asked.append(length)
        rest = max(0, offset - len(start))
        return (start[offset:] + (b"\x01a" * (length // 2 + 1))[rest % 2 :])[:length]

    found = probe(start + b"\x01a" * ((HEAD_BYTES - len(start)) // 2), endless)
    assert found is not None
    assert found.traits.frames is None
    assert sum(asked) < 4_000_000


def test_damage_behind_the_size_leaves_what_is_known(seeing: ModuleType) -> None:
    data = bytearray(seeing.encoded(seeing.scene(40, 30), "PNG"))
    data[25] = 77
    found = seen(bytes(data))
    assert found.size == Size(40, 30)
    assert found.facts == {"width": 40, "height": 30}


def test_facts_have_the_names_of_the_journal(seeing: ModuleType) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert seen(seeing.encoded(seeing.scene(40, 30), "JPEG", exif=exif)).facts == {
        "width": 30,
        "height": 40,
        "frames": 1,
        "alpha": False,
        "colorMode": "rgb",
        "bitDepth": 8,
    }


def test_no_picture_tells_nothing() -> None:
    assert probe(b"just a text") is None


def test_a_bitmap_of_few_bits() -> None:
    data = b"BM" + struct.pack("<IHHIIiiHHI", 100, 0, 0, 54, 40, 7, 5, 1, 16, 0) + bytes(100)
    assert seen(data).traits == Traits("rgb", 5, alpha=False)


@pytest.mark.filterwarnings("ignore")
def test_every_file_of_the_corpus(corpus: Path) -> None:
    compared, wrong = 0, []
    for path in sorted((corpus / "images").iterdir()):
        data = path.read_bytes()
        found = probe(data[:HEAD_BYTES], reader(data))
        if found is None or path.name in OTHERWISE:
            continue
        try:
            with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
                warnings.simplefilter("ignore")
                alpha = image.mode in {"LA", "RGBA", "PA"} or "transparency" in image.info
                moves = image.format in {"GIF", "PNG", "WEBP", "AVIF"}
                frames = getattr(image, "n_frames", 1) - bool(getattr(image, "default_image", False)) if moves else 1
                mode = "palette" if image.format == "BMP" and image.mode == "1" else MODES[image.mode]
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
        compared += 1
        traits = found.traits
        if (traits.mode, bool(traits.alpha), traits.frames) != (mode, alpha or image.format == "ICO", frames):
            wrong.append((path.name, traits, image.mode, alpha, frames))
    assert wrong == []
    assert compared > 200
