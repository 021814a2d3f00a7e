"""An import of many cards, killed twice on its way: `python -m bench.importing [--count N] [FOLDER]`.

N cards (7,500 unless given), each a PNG of 40 kB with a card of 2 to 6 kB in it, are made below FOLDER (default: a
temporary folder) and imported with full durability by `calotype import cards`. The import is killed (SIGKILL) at about
a third and at two thirds, run to its end, and run once more. Then the characters are counted, compared with the cards,
and the first page of their list is asked for. `peak` is the most memory that a process had; the import of a tenth of
the cards stands beside it, to see whether it grows.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cards import Cards
from bench.lists import QUERY, Server, line, measure
from server.app import create_app
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNT = 7_500
TAGS = [f"tag {number}" for number in range(150)]
PICTURE_BYTES = 40_000
POLL_S = 0.02
COMMAND = (sys.executable, "-c", "from server.cli import main; main()", "import", "cards")


@dataclass(frozen=True)
class Ran:
    """What one run of the command took.

    Attributes:
        seconds: on the clock.
        peak_mib: the most memory it had.
        status: its exit status; negative: the signal that ended it.
    """

    seconds: float
    peak_mib: float
    status: int


def write_files(folder: Path, count: int) -> None:
    """Write cards as PNG files; some are the next edition of the one before, with the same picture."""
    folder.mkdir(parents=True)
    chance = random.Random(7)  # noqa: S311 - not a secret
    picture = b""
    for number, made in enumerate(Cards("", TAGS, []).make(count)):
        if number % 10:
            picture = chance.randbytes(PICTURE_BYTES)
        data = {name: made[name] for name in ("name", "description", "personality", "scenario", "tags")}
        data |= {"first_mes": made["firstMessage"], "mes_example": made["exampleDialogues"], "creator": f"{number}"}
        card = json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": data}).encode()
        (folder / f"{number:06}.png").write_bytes(png(picture, card))


def png(picture: bytes, card: bytes) -> bytes:
    """Return a PNG of one pixel; what makes it large and one of its own stands in a chunk that nobody shows."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(bytes(4))
    chunks = ((b"IHDR", header), (b"prVt", picture), (b"IDAT", pixel), (b"tEXt", b"chara\0" + base64.b64encode(card)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in (*chunks, (b"IEND", b"")))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def import_cards(store: Path, paths: Sequence[Path], *, kill_at: int | None = None) -> Ran:
    """Run the command, and kill it when the store has this many characters."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CALOTYPE_", "DATA_"))}
    environment |= {"DATA_DIR": str(store), "CALOTYPE_MIN_FREE_BYTES": "0"}
    began = time.perf_counter()
    process = subprocess.Popen([*COMMAND, *map(str, paths)], env=environment, stdout=subprocess.DEVNULL)
    ended, status, usage = 0, 0, None
    while not ended:
        time.sleep(POLL_S)
        if kill_at is not None and sum(1 for _ in store.glob("characters/*.json")) >= kill_at:
            process.send_signal(signal.SIGKILL)
            kill_at = None
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1024 if sys.platform == "linux" else 1024 * 1024  # of kilobytes there, of bytes elsewhere
    peak = 0 if usage is None else usage.ru_maxrss / unit
    return Ran(time.perf_counter() - began, peak, process.returncode)


def check(store: Path, count: int) -> None:
    """Say whether every card is there, and none twice."""
    settings = load_settings({"DATA_DIR": str(store), "CALOTYPE_MIN_FREE_BYTES": "0"}).settings
    with open_store(settings) as opened:
        characters = list(opened.records.characters.find_all())
        creators = Counter(str((one.silly_tavern_data or {})["data"]["creator"]) for one in characters)
        missing = count - len(creators)
        twice = sum(number - 1 for number in creators.values())
        payloads = sum(1 for _ in opened.assets.blobs.scan())
        avatars = len({one.default_image_id for one in characters})
        print(f"{len(characters):,} characters, {missing} missing, {twice} twice")
        print(f"{payloads:,} payloads, {avatars:,} avatars")
        token = opened.records.access_tokens.issue(opened.owner.id, "bench", "admin")[1]
        server = Server(create_app(opened), token)
        print(f"{'milliseconds':32} {'p50':>8} {'p99':>8} {'cpu p50':>8} {'cpu p99':>8} {'kB':>8}")
        with asyncio.Runner() as runner:
            for name, url in (("first page", QUERY), ("by name", f"{QUERY}sort=name"), ("a tag", f"{QUERY}tags=tag 1")):
                print(line(name, runner.run(measure(server, [url.replace(" ", "%20")]))), flush=True)


def run(folder: Path, count: int) -> None:
    """Make cards, import them, and print."""
    cards, store = folder / "cards", folder / "store"
    if not cards.is_dir():
        write_files(cards, count)
    some = list(islice(sorted(cards.iterdir()), count // 10))
    runs = {
        "a tenth, into a store of its own": import_cards(folder / "tenth", some),
        "killed at a third": import_cards(store, [cards], kill_at=count // 3),
        "killed at two thirds": import_cards(store, [cards], kill_at=2 * count // 3),
        "run to the end": import_cards(store, [cards]),
        "run again": import_cards(store, [cards]),
    }
    print(f"{f'{count:,} cards':36} {'seconds':>8} {'peak MiB':>9} {'status':>7}")
    for name, ran in runs.items():
        print(f"{name:36} {ran.seconds:8.1f} {ran.peak_mib:9.1f} {ran.status:7}")
    check(store, count)


def main() -> None:
    """Measure in the folder given, or in a temporary one; cards that are there already are taken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run(given.folder or Path(name), given.count)


if __name__ == "__main__":
    main()
