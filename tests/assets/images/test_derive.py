"""Derived pictures against references, by how different they look.

The measure is CIE 1976 (see `seeing.py`); bounds are a mean and a 99th percentile. Lossless results: 1.0 and 4.0. Where
the original is a large JPEG, CMYK or a raster of one bit: 2.5 and 9.0. Results with halved chroma (JPEG, WebP, AVIF) of
a scene with hard edges between bright colours: 2.5 and 27.0. Edges of transparency: 1.0 and 14.0.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageOps, PngImagePlugin

from assets.images.derive import derive
from assets.images.headers import Size, measure
from assets.images.limits import Limits
from assets.images.variants import Fit, Format, Variant
from assets.media import sniff
from metadata.errors import InvalidError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

EXACT = (1.0, 4.0)
NEAR = (2.5, 9.0)
LOSSY = (2.5, 27.0)
EDGES = (1.0, 14.0)
ALL = Variant(160, 120, Fit.CONTAIN)


@pytest.fixture(scope="module")
def seeing(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    return load_beside(Path(__file__).with_name("seeing.py"))


def made(data: bytes, variant: Variant = ALL, form: Format = Format.PNG, limits: Limits | None = None) -> Image.Image:
    picture = derive(io.BytesIO(data), sniff(data).type, variant, form, limits or Limits())
    image = Image.open(io.BytesIO(picture.data))
    assert image.size == (picture.width, picture.height)
    assert getattr(image, "n_frames", 1) == picture.frames
    return image


def looks_like(seeing: ModuleType, one: Image.Image, other: Image.Image, bounds: tuple[float, float]) -> None:
    mean, high = seeing.difference(one, other)
    assert mean <= bounds[0], (mean, high)
    assert high <= bounds[1], (mean, high)


@pytest.mark.parametrize("form", Format)
def test_every_format_shows_the_scene(seeing: ModuleType, form: Format) -> None:
    scene = seeing.scene()
    result = made(seeing.encoded(scene, "PNG"), form=form)
    assert result.format == {"jpg": "JPEG"}.get(form.value, form.value.upper())
    looks_like(seeing, result, seeing.shrunk(scene, (160, 120)), EXACT if form is Format.PNG else LOSSY)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("fit", [Fit.CONTAIN, Fit.FACE])
def test_every_orientation_is_upright(seeing: ModuleType, kind: str, orientation: int, fit: Fit) -> None:
    """The reference is turned first and cut out then; derived pictures are cut out first."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind != "TIFF" else {}
    data = seeing.encoded(seeing.scene(320, 200), kind, exif=exif, **options)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    variant = Variant(80, 80, fit)
    plan = variant.plan(*upright.size)
    reference = upright.resize(plan.size, Image.Resampling.LANCZOS, box=plan.box)
    looks_like(seeing, made(data, variant), reference, EXACT)


def test_a_picture_of_several_kinds_of_shrinking(seeing: ModuleType) -> None:
    """A JPEG that is drafted, reduced and resampled looks like one that is resampled in one step."""
    scene = seeing.scene(1501, 1003)
    data = seeing.encoded(scene, "JPEG", quality=95)
    for size in (32, 77, 256, 400):
        result = made(data, Variant(size, None, Fit.CONTAIN))
        looks_like(seeing, result, seeing.shrunk(scene, result.size), NEAR)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(seeing: ModuleType, kind: str) -> None:
    inks = seeing.scene().convert("CMYK")
    data = seeing.encoded(inks, kind, **({"quality": 95} if kind == "JPEG" else {}))
    looks_like(seeing, made(data), seeing.shrunk(inks.convert("RGB"), (160, 120)), NEAR)


def test_sixteen_bits_of_colour(seeing: ModuleType) -> None:
    scene = seeing.scene()
    data = seeing.png(*scene.size, 16, 2, seeing.deep(scene))
    looks_like(seeing, made(data), seeing.shrunk(scene, (160, 120)), EXACT)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey(seeing: ModuleType, kind: str) -> None:
    grey = seeing.scene().convert("L")
    if kind == "PNG":
        data = seeing.png(*grey.size, 16, 0, seeing.deep(grey))
    else:
        data = seeing.encoded(grey.convert("I").point(lambda value: value * 257).convert("I;16"), "TIFF")
    looks_like(seeing, made(data), seeing.shrunk(grey, (160, 120)), EXACT)


@pytest.mark.parametrize(
    ("mode", "factor", "offset"),
    [("I", 1, 0), ("I", 257, 0), ("I", 100_000, 0), ("F", 1 / 255, 0), ("F", 1, 0), ("F", 3, -900)],
)
def test_whole_numbers_and_fractions(seeing: ModuleType, mode: str, factor: float, offset: float) -> None:
    grey = seeing.scene().convert("L")
    data = seeing.encoded(grey.convert(mode).point(lambda value: value * factor + offset), "TIFF")
    stretched = grey if factor in {1, 257, 1 / 255} else ImageOps.autocontrast(grey)
    looks_like(seeing, made(data), seeing.shrunk(stretched, (160, 120)), EXACT)


def test_one_bit(seeing: ModuleType) -> None:
    bits = seeing.scene().convert("1")
    looks_like(seeing, made(seeing.encoded(bits, "PNG")), seeing.shrunk(bits.convert("L"), (160, 120)), NEAR)


def test_a_palette(seeing: ModuleType) -> None:
    few = seeing.scene().quantize(64)
    for kind in ("PNG", "GIF", "BMP"):
        looks_like(seeing, made(seeing.encoded(few, kind)), seeing.shrunk(few.convert("RGB"), (160, 120)), EXACT)


def _disc(hidden: tuple[int, int, int], shown: tuple[int, int, int] = (220, 30, 30)) -> Image.Image:
    """Return an opaque disc on nothing; the pixels of nothing have a colour that nobody may see."""
    image = Image.new("RGBA", (640, 480), (*hidden, 0))
    ImageDraw.Draw(image).ellipse((101, 53, 533, 431), fill=(*shown, 255))
    return image


def _reference(image: Image.Image, paper: str) -> Image.Image:
    """Return the picture laid on paper before it is made smaller, which is what right edges look like."""
    sheet = Image.new("RGBA", image.size, paper)
    return Image.alpha_composite(sheet, image).convert("RGB").resize((160, 120), Image.Resampling.LANCZOS)


@pytest.mark.parametrize("paper", ["white", "black", "blue"])
@pytest.mark.parametrize("form", [Format.PNG, Format.WEBP, Format.AVIF])
def test_edges_do_not_show_what_is_hidden_behind_them(seeing: ModuleType, form: Format, paper: str) -> None:
    image = _disc(hidden=(0, 255, 0))
    result = made(seeing.encoded(image, "PNG"), form=form)
    assert result.mode == "RGBA"
    sheet = Image.new("RGBA", (160, 120), paper)
    looks_like(seeing, Image.alpha_composite(sheet, result), _reference(image, paper), EDGES)


def test_a_jpeg_of_it_lies_on_white(seeing: ModuleType) -> None:
    image = _disc(hidden=(0, 255, 0))
    looks_like(seeing, made(seeing.encoded(image, "PNG"), form=Format.JPEG), _reference(image, "white"), LOSSY)


def test_a_palette_with_transparency(seeing: ModuleType) -> None:
    image = _disc(hidden=(0, 255, 0))
    flat = image.convert("RGB").quantize(8)
    data = seeing.encoded(flat, "PNG", transparency=flat.getpixel((0, 0)))
    result = made(data)
    assert result.mode == "RGBA"
    sheet = Image.new("RGBA", (160, 120), "white")
    looks_like(seeing, Image.alpha_composite(sheet, result), _reference(image, "white"), EDGES)


@pytest.mark.parametrize(("mode", "key"), [("RGB", (0, 255, 0)), ("L", 149)])
def test_one_colour_that_stands_for_nothing(seeing: ModuleType, mode: str, key: object) -> None:
    flat = _disc(hidden=(0, 255, 0)).convert("RGB").convert(mode)
    if mode == "L":
        key = flat.getpixel((0, 0))
    result = made(seeing.encoded(flat, "PNG", transparency=key))
    alpha = result.getchannel("A")
    assert alpha.getpixel((0, 0)) == 0
    assert alpha.getpixel((80, 60)) == 255


def test_grey_with_alpha(seeing: ModuleType) -> None:
    image = _disc(hidden=(255, 255, 255), shown=(40, 40, 40))
    result = made(seeing.encoded(image.convert("LA"), "PNG"))
    assert result.mode == "LA"
    sheet = Image.new("RGBA", (160, 120), "black")
    both = Image.alpha_composite(sheet, result.convert("RGBA"))
    looks_like(seeing, both, _reference(image, "black"), EDGES)


@pytest.mark.parametrize("alpha", [False, True])
def test_a_profile_is_applied_and_left_out(seeing: ModuleType, *, alpha: bool) -> None:
    """The pixels say red and blue the wrong way round, the profile says so: the result is the scene."""
    scene = seeing.scene()
    red, green, blue = scene.split()
    swapped = Image.merge("RGB", (blue, green, red))
    if alpha:
        swapped.putalpha(255)
    result = made(seeing.encoded(swapped, "PNG", icc_profile=seeing.red_and_blue_swapped()))
    assert "icc_profile" not in result.info
    looks_like(seeing, result, seeing.shrunk(scene, (160, 120)), (1.5, 5.0))


def test_a_profile_of_other_inks_or_none_at_all_is_left_aside(seeing: ModuleType) -> None:
    scene = seeing.scene()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (lab, b"nonsense", seeing.red_and_blue_swapped()[:200]):
        result = made(seeing.encoded(scene, "PNG", icc_profile=profile))
        looks_like(seeing, result, seeing.shrunk(scene, (160, 120)), EXACT)


def test_a_png_that_was_not_made_for_screens(seeing: ModuleType) -> None:
    """Its samples are amounts of light, and it says so."""
    scene = seeing.scene()
    light = scene.point([round(255 * (value / 255) ** 2.2) for value in range(256)] * 3)
    linear = seeing.png(*scene.size, 8, 2, light.tobytes(), seeing.chunk(b"gAMA", (100_000).to_bytes(4, "big")))
    assert seeing.difference(made(linear), seeing.shrunk(scene, (160, 120)))[0] < 3
    usual = seeing.png(*scene.size, 8, 2, scene.tobytes(), seeing.chunk(b"gAMA", (45_455).to_bytes(4, "big")))
    looks_like(seeing, made(usual), seeing.shrunk(scene, (160, 120)), EXACT)


WHERE = "52.5200 N 13.4050 E"


def _with_metadata(seeing: ModuleType, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = WHERE
    exif.get_ifd(0x8825)[29] = WHERE
    options: dict[str, object] = {"exif": exif, "xmp": f"<x>{WHERE}</x>".encode()}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", WHERE)
        text.add_itxt("chara", WHERE)
        options = {"exif": exif, "pnginfo": text}
    if kind == "JPEG":
        options["comment"] = WHERE
    if kind == "GIF":
        options = {"comment": WHERE}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return seeing.encoded(seeing.scene(160, 120), kind, **options, icc_profile=profile)  # type: ignore[no-any-return] # loaded by path


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF"])
def test_nothing_is_left_of_metadata(seeing: ModuleType, kind: str, form: Format) -> None:
    data = _with_metadata(seeing, kind)
    side = 2048  # nothing to do but to encode it again
    assert WHERE.encode() in data or WHERE.encode("utf-16-le") in data
    result = derive(io.BytesIO(data), sniff(data).type, Variant(side, side, Fit.CONTAIN), form, Limits())
    assert WHERE.encode() not in result.data
    with Image.open(io.BytesIO(result.data)) as image:
        assert not dict(image.getexif())
        assert not {"icc_profile", "exif", "xmp", "comment", "Comment", "chara", "gamma", "dpi"} & {*image.info}


@pytest.mark.parametrize("variant", [Variant(2048, 2048, Fit.CONTAIN), Variant(2048, None, Fit.CONTAIN)])
def test_nothing_is_enlarged(seeing: ModuleType, variant: Variant) -> None:
    scene = seeing.scene(40, 30)
    result = made(seeing.encoded(scene, "PNG"), variant)
    assert result.tobytes() == scene.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 5)])
@pytest.mark.parametrize("form", Format)
def test_tiny_and_narrow_pictures(seeing: ModuleType, size: tuple[int, int], form: Format) -> None:
    for variant in (Variant(256, 256, Fit.COVER), Variant(256, 256, Fit.CONTAIN), Variant(32, 2048, Fit.FACE)):
        assert min(made(seeing.encoded(Image.new("RGB", size), "PNG"), variant, form).size) >= 1


@pytest.mark.parametrize("form", Format)
def test_a_picture_that_is_longer_than_a_format_can_be(seeing: ModuleType, form: Format) -> None:
    data = seeing.encoded(Image.new("RGB", (20, 70_000), "teal"), "PNG")
    assert made(data, Variant(512, None, Fit.CONTAIN), form).size == (5, 16_383)


def test_what_is_no_picture_is_not_supported() -> None:
    for data in (b"just a text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"):
        with pytest.raises(UnsupportedError):
            made(data)


def test_a_picture_that_is_another_one_inside_is_damaged(seeing: ModuleType) -> None:
    """Only the format that the bytes announce is tried, whatever else Pillow could make of them."""
    data = seeing.encoded(seeing.scene(), "PNG")
    with pytest.raises(InvalidError, match="damaged"):
        derive(io.BytesIO(data), "image/gif", ALL, Format.PNG, Limits())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000"])
def test_a_picture_cut_in_half_is_damaged(seeing: ModuleType, kind: str) -> None:
    data = seeing.encoded(seeing.scene(), kind)
    with pytest.raises(InvalidError, match="damaged"):
        made(data[: len(data) // 2])


def test_heic(seeing: ModuleType) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(seeing.scene()).save(out, quality=95)
    looks_like(seeing, made(out.getvalue()), seeing.shrunk(seeing.scene(), (160, 120)), NEAR)


@pytest.mark.parametrize("packed", [True, False])
def test_a_long_text_beside_a_picture_is_no_damage(seeing: ModuleType, *, packed: bool) -> None:
    """A character card may have a whole book in it."""
    scene, text = seeing.scene(), PngImagePlugin.PngInfo()
    text.add_text("chara", "c2VjcmV0" * 400_000, zip=packed)
    result = made(seeing.encoded(scene, "PNG", pnginfo=text))
    looks_like(seeing, result, seeing.shrunk(scene, (160, 120)), EXACT)


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "AVIF"])
def test_only_exif_turns_a_picture(seeing: ModuleType, kind: str) -> None:
    """Browsers do not ask XMP, and the size in the record is the one that browsers show."""
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP)
    data = seeing.encoded(seeing.scene(), kind, **({"pnginfo": texts} if kind == "PNG" else {"xmp": XMP.encode()}))
    assert b'Orientation="6"' in data
    made = derive(io.BytesIO(data), sniff(data).type, Variant(64, None, Fit.CONTAIN), Format.PNG, Limits())
    assert (made.width, made.height) == (64, 48)
    assert measure(data) == Size(640, 480)
