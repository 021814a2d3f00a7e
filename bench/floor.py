"""What this machine gives to the floors below everything: `make bench`, or `python bench/floor.py FOLDER`.

Each figure is the median of five runs on real files below FOLDER (default: a temporary folder, which may lie in
memory: name a folder on the disk that matters). The raw disk's own figures come first, to hold the others against.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assets.digest import Hasher
from assets.media import sniff
from metadata.files.atomic import write_whole
from metadata.files.codec import decode_line, encode_line
from metadata.files.filesystem import FileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 5
MIB = 1024 * 1024
RECORD = {
    "id": "5b3c1c9e-6a4e-4f0e-9a7b-3f1d2c4b5a69",
    "sha256": "9b1d" * 16,
    "type": "image",
    "filename": "a picture.png",
    "tags": ["one", "two"],
    "createdAt": "2026-01-01T00:00:00.000Z",
}


@dataclass(frozen=True)
class Measure:
    """One line of the table.

    Attributes:
        name: what is measured.
        work: does it once, in the given folder.
        count: how many units one run does.
        unit: what is counted.
    """

    name: str
    work: Callable[[Path], None]
    count: int
    unit: str


def disk_syncs(folder: Path) -> None:
    """Append and sync with nothing of ours in between."""
    descriptor = os.open(folder / "plain", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for _ in range(100):
        os.write(descriptor, b"x" * 300)
        os.fsync(descriptor)
    os.close(descriptor)


def whole_files(folder: Path) -> None:
    """Replace one document durably, again and again."""
    system = FileSystem()
    for _ in range(50):
        write_whole(system, folder / "document.json", b"x" * 2000)


def hashing(folder: Path) -> None:
    """Hash 64 MiB in pieces of the size that an upload has."""
    del folder
    hasher = Hasher()
    piece = bytes(64 * 1024)
    for _ in range(1024):
        hasher.update(piece)
    hasher.digest()


def encoding(folder: Path) -> None:
    """Write lines as bytes, with their check values."""
    del folder
    for number in range(5000):
        encode_line(RECORD, batch=number)


def decoding(folder: Path) -> None:
    """Read a line and compare its check value."""
    del folder
    line = encode_line(RECORD, batch=1)
    for _ in range(5000):
        decode_line(line)


def sniffing(folder: Path) -> None:
    """Tell a picture by its first bytes."""
    del folder
    head = b"\x89PNG\r\n\x1a\n" + bytes(4096)
    for _ in range(5000):
        sniff(head)


MEASURES = (
    Measure("disk: append and fsync, nothing else", disk_syncs, 100, "syncs/s"),
    Measure("whole file replaced durably", whole_files, 50, "files/s"),
    Measure("SHA-256 in pieces of 64 KiB", hashing, 64, "MiB/s"),
    Measure("journal lines encoded", encoding, 5000, "lines/s"),
    Measure("journal lines decoded and checked", decoding, 5000, "lines/s"),
    Measure("media types told", sniffing, 5000, "payloads/s"),
)


def seconds(measure: Measure, folder: Path) -> float:
    """Return the median time of a run."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        measure.work(folder)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Measure everything and print the table."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        for measure in MEASURES:
            rate = measure.count / seconds(measure, Path(name))
            print(f"{measure.name:40} {rate:12,.0f} {measure.unit}")


if __name__ == "__main__":
    main()
