"""Lists and searches of many characters, measured inside the server: `python -m bench.lists [--count N] [FOLDER]`.

A store of N characters (20,000 unless given) is made below FOLDER (default: a temporary folder) and opened as
`calotype serve` opens it. Each question is put to the application itself, through every layer of ours from the door to
the last byte of the answer, with an access token; the network and the HTTP parser are left out. Requests come one after
another, and those of one line differ: other words, other tags. `cpu` is what the process computed for a request: on a
machine that has other things to do it is the figure to look at.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import tempfile
import time
import uuid
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bench.cards import Cards, write_cards
from metadata.documents.contract import put
from server.app import create_app
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import ASGIApp

    from server.settings import Settings

COUNT = 20_000
REQUESTS = 200
WARMING = 5
TAGS = 150
PICTURES = 1000
LONG = 6
DAY = "2026-01-01T00:00:00.000Z"
CJK = ("猫", "花龍", "魔女", "桜", "少年", "あい", "世界")
QUERY = "/api/characters?"


@dataclass(frozen=True)
class Asked:
    """What one request took: milliseconds on the clock and of computing, and the bytes of its body."""

    wall: float
    cpu: float
    size: int


class Server:
    """The application over a store, asked without a network.

    Args:
        app: the application.
        token: an access token.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._headers = [(b"host", b"localhost:8256"), (b"authorization", f"Bearer {token}".encode())]

    async def ask(self, url: str) -> Asked:
        """Ask for an address."""
        path, _, query = url.partition("?")
        scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
        scope |= {"scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode()}
        scope |= {"root_path": "", "headers": self._headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8256)}
        sent: list[Any] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's messages
            sent.append(message)

        began, computed = time.perf_counter(), time.process_time()
        await self._app(scope, receive, send)
        taken, used = time.perf_counter() - began, time.process_time() - computed
        body = b"".join(message.get("body", b"") for message in sent)
        if b'"items"' not in body:
            raise SystemExit(f"{url}: {body.decode()}")
        return Asked(taken * 1000, used * 1000, len(body))


def questions(tags: Sequence[str], words: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the addresses that each line asks for."""
    common, usual = words[:20], words[60:1000]
    long = [word for word in usual if len(word) >= LONG]
    rare = [word for word in words[-3000:] if len(word) >= LONG]
    asked = {
        "search: a word of every card": common,
        "search: a rare word": rare,
        "search: two words": [f"{a} {b}" for a, b in zip(cycle(common), usual, strict=False)],
        "search: one letter": [word[0] for word in usual],
        "search: two letters": [word[:2] for word in usual],
        "search: a word's beginning": [word[:4] for word in long],
        "search: a word's middle": [word[1:5] for word in long],
        "search: Chinese and Japanese": CJK,
    }
    return {
        "first page": [QUERY],
        "newest changes first": [f"{QUERY}sort=-updatedAt"],
        "by name": [f"{QUERY}sort=name"],
        "one tag": [f"{QUERY}tags={tag}" for tag in tags],
        "two tags": [f"{QUERY}tags={a}&tags={b}" for a, b in pairwise(tags)],
        "favourites": [f"{QUERY}isFavorite=1"],
        **{name: [f"{QUERY}q={quote(value)}" for value in values] for name, values in asked.items()},
        "search with snippets": [f"{QUERY}q={quote(word)}&highlight=1" for word in usual],
        "search, by name": [f"{QUERY}q={quote(word)}&sort=name" for word in usual],
    }


def settings_of(folder: Path) -> Settings:
    """Return the settings that a store of this benchmark is opened with."""
    named = {"DATA_DIR": str(folder), "CALOTYPE_DURABILITY": "none", "CALOTYPE_MIN_FREE_BYTES": "0"}
    return load_settings(named).settings


def make(folder: Path, count: int) -> None:
    """Make a store with tags, assets of pictures, and characters in files as another program would write them."""
    with open_store(settings_of(folder)) as store:
        owner = store.owner.id
        store.records.tags.create_many([{"userId": owner, "name": f"tag {number}"} for number in range(TAGS)])
        tags = [tag.id for tag in store.records.tags.find_all()]
        pictures = [_picture(number, owner) for number in range(PICTURES)]
        store.documents.each([put("asset", picture) for picture in pictures])
    cards = Cards(owner, tags, [str(picture["id"]) for picture in pictures]).make(count)
    size = write_cards(folder / "characters", cards)
    (folder / "cache" / "index.sqlite3").unlink()  # built anew, it has them all at once
    print(f"{count:,} characters of {size / count:,.0f} bytes on average")


def _picture(number: int, owner: str) -> dict[str, object]:
    about = {"filename": f"{number}.png", "mimeType": "image/png", "size": 1000, "width": 512, "height": 768}
    record = {"id": str(uuid.uuid4()), "sha256": f"{number:064x}", "type": "avatar", "userId": owner, **about}
    return record | {"source": "upload", "tags": [], "createdAt": DAY, "updatedAt": DAY}


async def measure(server: Server, urls: Sequence[str]) -> list[Asked]:
    """Ask for addresses, over and over."""
    for url in islice(cycle(urls), WARMING):
        await server.ask(url)
    return [await server.ask(url) for url in islice(cycle(urls), REQUESTS)]


def line(name: str, asked: Sequence[Asked]) -> str:
    """Return a line of the table."""
    wall, cpu = sorted(one.wall for one in asked), sorted(one.cpu for one in asked)
    last = len(asked) * 99 // 100
    size = max(one.size for one in asked) / 1000
    figures = (wall[len(wall) // 2], wall[last], cpu[len(cpu) // 2], cpu[last], size)
    return f"{name:32}" + "".join(f" {figure:8.1f}" for figure in figures)


def peers(folder: Path, words: Sequence[str], tag: str) -> Iterator[str]:
    """Do the same without us: every file read for a tag, and SQLite's own full text over the plain texts."""
    began = time.perf_counter()
    cards = [json.loads(path.read_bytes()) for path in (folder / "characters").glob("*.json")]
    sum(tag in card["tags"] for card in cards)
    yield f"{'peer: read all files for a tag':32} {(time.perf_counter() - began) * 1000:8.1f}"
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE peer USING fts5(name, text)")
    db.executemany("INSERT INTO peer VALUES(?, ?)", ((card["name"], card["description"]) for card in cards))
    times = []
    for word in words:
        began = time.perf_counter()
        db.execute("SELECT rowid FROM peer WHERE peer MATCH ? ORDER BY rank LIMIT 50", (f'"{word}"*',)).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    yield f"{'peer: FTS5 alone, names and descriptions':40} {sorted(times)[len(times) // 2]:.1f}"


def run(folder: Path, count: int) -> None:
    """Make a store, measure and print."""
    if not (folder / "characters").is_dir():
        make(folder, count)
    began, computed = time.perf_counter(), time.process_time()
    with open_store(settings_of(folder)) as store:
        print(
            f"opened, index in step: {time.perf_counter() - began:.1f} s, {time.process_time() - computed:.1f} s of cpu"
        )
        tags = [tag.id for tag in store.records.tags.find_all()]
        words = Cards(store.owner.id, tags, []).words
        token = store.records.access_tokens.issue(store.owner.id, "bench", "admin")[1]
        server = Server(create_app(store), token)
        print(f"{'milliseconds':32} {'p50':>8} {'p99':>8} {'cpu p50':>8} {'cpu p99':>8} {'kB':>8}")
        with asyncio.Runner() as runner:
            for name, urls in questions(tags, words).items():
                print(line(name, runner.run(measure(server, urls))), flush=True)
        for peer in peers(folder, words[:20], tags[0]):
            print(peer)


def main() -> None:
    """Measure in the folder given, or in a temporary one; a store that is there already is measured as it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder and given.folder.parent) as name:
        run(given.folder or Path(name) / "store", given.count)


if __name__ == "__main__":
    main()
