"""Every real file, whole and cut short, made small in every format: shown or refused, never a crash or a mistake.

A sample every day, all of them from scale 5 on. The largest memory of a decoding process is printed (`pytest -s`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from assets.images.variants import PRESETS, Format
from metadata.errors import InvalidError, UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from assets.digest import Digest
    from assets.images.prints import Prints

SAMPLE = 9
ALL_FROM = 5
CUT = (
    *("exif-72dpi-int.jpg", "exif.png", "anim_frame1.webp", "avif__hopper.avif", "chi.gif", "9bit.j2k"),
    *("bmp__g__pal8.bmp", "compression.tif", "hopper_mask.ico", "apng__delay.png"),
)

Keep = Callable[[bytes], "Digest"]


def derive_all(prints: Prints, digest: Digest) -> Counter[str]:
    found: Counter[str] = Counter()
    for form in Format:
        try:
            made = prints.derivatives.get(digest, PRESETS["thumb"], form)
        except (InvalidError, UnsupportedError) as error:
            found["crashed" if "exitStatus" in error.details else str(error.details.get("setting", error.kind))] += 1
        else:
            with Image.open(made.path) as image:
                image.load()
                assert max(image.size) <= 256
            found["made"] += 1
    return found


def every(payloads: list[bytes], prints: Prints, keep: Keep) -> Counter[str]:
    with ThreadPoolExecutor(2) as pool:
        total: Counter[str] = sum(pool.map(lambda data: derive_all(prints, keep(data)), payloads), Counter())
    peak = prints.ledger.read().peak_bytes
    print(f"\n{len(payloads)} files: {dict(total)}, at most {peak / 1e6:.0f} MB in one process")  # noqa: T201 - for people
    assert not {"crashed", "CALOTYPE_DECODE_TIMEOUT_S"} & {*total}
    return total


@pytest.mark.heavy
def test_every_real_file(prints: Prints, keep: Keep, corpus: Path, scale: int) -> None:
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    chosen = files if scale >= ALL_FROM else files[:: len(files) // (SAMPLE * 4)]
    total = every([path.read_bytes() for path in chosen], prints, keep)
    assert sum(total.values()) == 4 * len(chosen)
    assert total["made"] >= 2 * len(chosen)
    assert prints.derivatives.workers.started <= 6


@pytest.mark.heavy
def test_ten_files_cut_short(prints: Prints, keep: Keep, corpus: Path, scale: int) -> None:
    cuts = range(1, 1 + (10 if scale >= ALL_FROM else 2))
    payloads = []
    for name in CUT:
        data = (corpus / "images" / name).read_bytes()
        payloads += [data[: len(data) * cut // (len(cuts) + 1)] for cut in cuts]
    total = every([data for data in dict.fromkeys(payloads) if data], prints, keep)
    assert total["invalid"] > 0
