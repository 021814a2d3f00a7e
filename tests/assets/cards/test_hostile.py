"""Files made to hurt: each is refused in clear words, by a process whose memory is measured.

The peak is the most that the process had at once (Linux' `VmHWM`), beyond what it had before it opened the file. Not
`ru_maxrss`: a child inherits that of the process which started it.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.errors import DamagedCardError, NotACardError
from assets.cards.reading import read_card
from metadata.errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

MIB = 1024 * 1024
# The largest card that is read may take this much; a bomb that gets past its limit takes many times as much.
PEAK = 150 * MIB

PROGRAM = """
import json, pathlib, sys
from assets.cards.reading import read_card
from metadata.errors import CalotypeError
def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
before = peak()
told = []
with open(sys.argv[1], "rb") as source:
    try:
        found = read_card(source)
        told.append("read")
        for asset in found.assets:
            with asset.open() as content:
                while content.read(65536):
                    pass
    except CalotypeError as error:
        told.append(type(error).__name__ + ": " + error.message)
print(json.dumps({"told": told, "peak": peak() - before}))
"""


def measured(path: Path) -> tuple[list[str], int]:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, check=True, timeout=120)
    result = json.loads(ran.stdout)
    return result["told"], result["peak"]


def bomb(size: int) -> bytes:
    """That many nothings, deflated: one block of a MiB, over and over."""
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packing.compress(bytes(MIB)) + packing.flush(zlib.Z_FULL_FLUSH)
    return block * (size // MIB) + packing.flush()


def ztxt_bomb(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.png([building.chunk(b"zTXt", b"chara\0\0\x78\xda" + bomb(512 * MIB))]))


def itxt_bomb(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.png([building.chunk(b"iTXt", b"ccv3\0\1\0\0\0\x78\xda" + bomb(512 * MIB))]))


def huge_itxt(building: ModuleType, path: Path) -> None:
    """200 MiB of text; the file has a hole instead of them."""
    head = building.png()[:33] + struct.pack(">I", 200 * MIB) + b"iTXtchara\0\0\0\0\0"
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 200 * MIB)
        file.seek(0, io.SEEK_END)
        file.write(building.png()[33:])


def base64_rubbish(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.png([building.text("chara", b"!" * (15 * MIB))]))


def deep_json(building: ModuleType, path: Path) -> None:
    text = base64.b64encode(b'{"data":' * 100_000)
    path.write_bytes(building.png([building.text("chara", text)]))


def many_values(building: ModuleType, path: Path) -> None:
    """Empty objects: two bytes of text for sixty-four of memory."""
    path.write_bytes(
        building.png([building.text("chara", b'{"name":"A","description":[' + b"{}," * (3 * MIB) + b"0]}")])
    )


def many_texts(building: ModuleType, path: Path) -> None:
    """Each would inflate to just below the limit, and none is a card."""
    text = building.text("ccv3", b"!" + bytes(15 * MIB), "zTXt")
    path.write_bytes(building.png([text] * 200))


def many_chunks(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.png([building.chunk(b"abCd", b"") * 200_000]))


def bomb_charx(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.zipped("card.json", bomb(512 * MIB), 512 * MIB))


def lying_charx(building: ModuleType, path: Path) -> None:
    """A `card.json` whose size in the list is a lie."""
    path.write_bytes(building.zipped("card.json", bomb(512 * MIB), 1000))


def many_entries(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.charx(building.V3, {f"assets/other/other/{at}": b"" for at in range(10_000)}))


def long_list(building: ModuleType, path: Path) -> None:
    """A list of files that says three and holds half a million."""
    data = bytearray(building.charx(building.V3))
    start = data.index(b"PK\1\2")
    end = data.index(b"PK\5\6")
    entry = bytes(data[start:end])
    listed = entry * 500_000
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(listed), start, 0)
    path.write_bytes(bytes(data[:start]) + listed + tail)


def wide_list(building: ModuleType, path: Path) -> None:
    """A record of ZIP64 that is believed instead of the one with limits."""
    data = building.charx(building.V3)
    end = data.index(b"PK\5\6")
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 9, 9, 2**40, 0) + struct.pack(
        "<4sLQL", b"PK\6\7", 0, end, 1
    )
    path.write_bytes(data[:end] + wide + data[end:])


def slip(building: ModuleType, path: Path) -> None:
    path.write_bytes(building.charx(building.V3, {"../../../../tmp/calotype-was-here": b"x"}))


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells how much memory a process had at most"
)


@needs_proc
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (ztxt_bomb, "TooLargeError: The card's text once inflated has"),
        (itxt_bomb, "TooLargeError: The card's text once inflated has"),
        (huge_itxt, "TooLargeError: The card's text in iTXt has 209,715,"),
        (base64_rubbish, "DamagedCardError: The card's text is not base64"),
        (deep_json, "nested deeper"),
        (many_values, "TooLargeError: The card's JSON has"),
        (many_texts, "DamagedCardError: The card's text is not base64"),
        (many_chunks, "TooLargeError: The PNG has"),
        (bomb_charx, "TooLargeError: The CHARX of"),
        (lying_charx, "DamagedCardError: The CHARX is damaged"),
        (many_entries, "TooLargeError: The CHARX has 10,001 files; at most 5,000 are read."),
        (long_list, "TooLargeError: The list of files in the CHARX has"),
        (wide_list, "DamagedCardError: The CHARX is a ZIP64"),
        (slip, "DamagedCardError: The CHARX names a file outside of itself"),
    ],
)
def test_it_is_refused_in_clear_words_and_bounded_memory(
    tmp_path: Path, building: ModuleType, make: Callable[[Any, Path], None], told: str
) -> None:
    path = tmp_path / "hostile"
    make(building, path)
    said, peak = measured(path)
    assert len(said) == 1, said
    assert told in said[0]
    assert peak < PEAK, f"{peak / MIB:.0f} MiB"
    assert [child.name for child in tmp_path.iterdir()] == ["hostile"]


@needs_proc
def test_the_largest_card_is_read_in_bounded_memory(tmp_path: Path, building: ModuleType) -> None:
    """Of letters that take four bytes each in memory, beside one that needs them."""
    path = tmp_path / "large.png"
    document = {**building.V1, "description": "🦊" + "a" * (9 * MIB)}
    path.write_bytes(building.card_png(document))
    said, peak = measured(path)
    assert said == ["read"]
    assert peak > 9 * MIB  # it is measured at all
    assert peak < PEAK, f"{peak / MIB:.0f} MiB"


def test_large_assets_are_passed_on_in_blocks(tmp_path: Path, building: ModuleType) -> None:
    data = bytes(range(256)) * (8 * 4096)
    uris = ["embeded://a.bin", "embeded://b.bin"]
    entries = [{"type": "other", "uri": uri, "name": uri, "ext": "bin"} for uri in uris]
    card = {**building.V3, "data": {**building.V3["data"], "assets": entries}}
    charx = building.charx(card, {"a.bin": data, "b.bin": data})
    png = building.png(
        [building.text(f"chara-ext-asset_:{name}", base64.b64encode(data)) for name in ("a.bin", "b.bin")],
        [building.text("ccv3", building.encoded(card))],
    )
    for content in (charx, png):
        path = tmp_path / "card"
        path.write_bytes(content)
        with path.open("rb") as source:
            found = read_card(source)
            tracemalloc.start()
            try:
                for asset in found.assets:
                    opened = asset.open()
                    assert opened is not None
                    total = 0
                    while block := opened.read(65_536):
                        total += len(block)
                    assert total == len(data)
                assert tracemalloc.get_traced_memory()[1] < MIB
            finally:
                tracemalloc.stop()


def test_every_prefix_of_a_card_is_read_or_told(building: ModuleType) -> None:
    """A file that breaks off anywhere, and one with any byte changed: an answer or one of our errors, never another."""
    whole = building.charx(building.V3, {"a": b"abc"}, before=building.jpeg(building.tiff({0x010E: b"{" * 9})))
    block = building.tiff({}, nested={0x9286: json.dumps(building.V1).encode()})
    pictures = [building.card_png(building.V2, "ccv3", "iTXt"), building.card_png(building.V1, kind="zTXt")]
    for data in (*pictures, building.webp(block), building.jpeg(block), whole):
        for at in range(len(data)):
            for changed in (data[:at], data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]):
                _read_all(changed)


def _read_all(data: bytes) -> None:
    try:
        for asset in read_card(io.BytesIO(data)).assets:
            opened = asset.open()
            if opened is not None:
                opened.read()
    except (DamagedCardError, NotACardError, TooLargeError):
        pass
